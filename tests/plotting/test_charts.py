"""All charts: their size, their characters, what they looked like, threads, and anything that can be thought of."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from qnet_tui.plotting.canvas import CHARSETS, SPACE
from qnet_tui.plotting.plotext_charts import draw_chart
from tests.plotting.chart_samples import CHARTS, compare, learning_curves

TREE = Path(__file__).parents[2]


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("name", CHARTS)
def test_every_size_is_kept_and_ascii_is_ascii(name, charset):
    chart = CHARTS[name]()
    for columns, rows in [(0, 0), (1, 1), (5, 2), (2, 5), (11, 4), (20, 7), (30, 9), (44, 16), (61, 13), (130, 45)]:
        cells = draw_chart(chart, columns, rows, charset)
        assert cells.codes.shape == cells.inks.shape == (rows, columns)
        text = "".join(cells.text())
        assert text.isprintable() or not text
        assert charset != "ascii" or text.isascii()
        if columns >= 11:
            assert (cells.codes != SPACE).any()


@pytest.mark.parametrize("size", [(44, 16), (80, 24)])
@pytest.mark.parametrize("name", CHARTS)
def test_charts_look_as_they_did(name, size):
    compare(f"chart-{name}-{size[0]}x{size[1]}", draw_chart(CHARTS[name](), *size, "braille"))


def test_the_size_of_the_terminal_does_not_matter(monkeypatch):
    expected = draw_chart(learning_curves(), 200, 60, "braille").text()
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setenv("LINES", "3")
    assert draw_chart(learning_curves(), 200, 60, "braille").text() == expected
    assert max(len(row.rstrip()) for row in expected) == 200


def test_threads_do_not_disturb_each_other():
    chart = learning_curves()
    expected = draw_chart(chart, 60, 20, "braille").text()
    got: list[list[str]] = []

    def draw() -> None:
        got.extend(draw_chart(chart, 60, 20, "braille").text() for _ in range(3))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [expected] * 12


def test_plotext_is_loaded_by_the_first_chart_only():
    code = (
        "import sys, numpy as np\n"
        "from qnet_tui.plotting.charts import Curve, LineChart\n"
        "from qnet_tui.plotting.plotext_charts import draw_chart\n"
        "assert 'plotext' not in sys.modules\n"
        "draw_chart(LineChart((Curve('', np.arange(3.0), np.arange(3.0)),), 'x', 'y'), 40, 12, 'braille')\n"
        "assert 'plotext' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=TREE, check=True, timeout=60)


def test_anything_can_be_drawn():
    """In a process of its own: a hang or an abort inside plotext fails this test and not the whole run."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.plotting.wild_charts", "150"],
        cwd=TREE,
        check=False,
        timeout=90,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    drawn = dict(zip(done.stdout.split()[::2], map(int, done.stdout.split()[1::2]), strict=True))
    assert set(drawn) == {"LineChart", "Histogram", "HeatMap"}
    assert sum(drawn.values()) >= 150
