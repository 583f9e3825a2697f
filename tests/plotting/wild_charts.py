"""Charts of anything at any size: run in a process of its own, since plotext can hang, or die of what it is given."""

from __future__ import annotations

import sys
import warnings
from collections import Counter

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qnet_tui.plotting.canvas import CHARSETS
from qnet_tui.plotting.charts import Curve, HeatMap, Histogram, LineChart
from qnet_tui.plotting.plotext_charts import draw_chart

DRAWN: Counter[str] = Counter()

WILD = st.sampled_from(
    [0.0, -0.0, 1.0, -1.0, 0.95, np.nan, np.inf, -np.inf, 1e7, 1e30, -1e30, 1e-30, 1e300, -1.7e308, 5e-324]
)
VALUES = st.one_of(WILD, st.floats(allow_nan=True, allow_infinity=True), st.integers(-3, 120).map(float))
# Duplicates, letters two cells wide, letters that are no letters: names come from file names too.
NAMES = st.sampled_from(
    ["", "AL 2", "AL 2", "σ_z (new)", "a very long name of a data set", "星", "a\nb\t\x1b[31m", "é"]
)
RANGES = st.one_of(st.none(), st.none(), st.tuples(VALUES, VALUES), st.just((0.0, 1.0)))
SIZES = st.one_of(
    st.tuples(st.integers(0, 130), st.integers(0, 40)),
    st.tuples(st.integers(1, 12), st.integers(1, 6)),
    st.just((5, 2)),
)


def array(draw, size):
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return np.array(draw(st.lists(VALUES, min_size=size, max_size=size)), float)
    if kind == 1:
        return np.full(size, draw(VALUES))
    values = np.random.default_rng(draw(st.integers(0, 99))).normal(size=size) * 10.0 ** draw(st.integers(-9, 9))
    if kind == 3 and size:
        values[:: draw(st.integers(1, 4))] = draw(WILD)
    return values


@st.composite
def curves(draw):
    size = draw(st.sampled_from([0, 1, 2, 3, 10, 40, 1500]))
    x = np.arange(size, dtype=float) if draw(st.booleans()) else array(draw, size)
    y = array(draw, draw(st.sampled_from([size, size, size, 7])))
    band = draw(st.booleans())
    return Curve(
        draw(NAMES),
        x,
        y,
        draw(st.sampled_from(["solid", "dashed", "dots"])),
        lo=array(draw, size) if band else None,
        hi=array(draw, size) if band else None,
        dot=draw(st.one_of(st.none(), st.tuples(VALUES, VALUES))),
        group=draw(st.integers(-1, 8)),
        faint=draw(st.booleans()),
    )


LINES = st.lists(st.tuples(VALUES, NAMES), max_size=4).map(tuple)


@st.composite
def charts(draw):
    kind = draw(st.integers(0, 5))
    if kind == 0:
        bins = draw(st.sampled_from([0, 1, 2, 30, 500]))
        edges = array(draw, bins + 1) if draw(st.booleans()) else np.linspace(-1, 3.0, bins + 1)
        counts = draw(st.lists(st.sampled_from([-5, 0, 1, 7, 3_600_000, 2**62]), min_size=bins, max_size=bins))
        series = [(draw(NAMES), np.array(counts, np.int64)) for _ in range(draw(st.integers(0, 5)))]
        return Histogram(edges, tuple(series), draw(NAMES), draw(st.booleans()), draw(LINES))
    if kind == 1:
        shape = draw(st.sampled_from([(0, 0), (1, 1), (3, 200), (45, 45), (1, 7), (0, 5)]))
        values = array(draw, shape[0] * shape[1]).reshape(shape)
        marked = np.random.default_rng(1).random(draw(st.sampled_from([shape, shape, (2, 2)]))) < 0.3
        return HeatMap(values, marked, draw(NAMES), draw(NAMES), draw(st.booleans()))
    shown = draw(st.lists(curves(), max_size=4))
    return LineChart(
        tuple(shown),
        draw(NAMES),
        draw(NAMES),
        draw(RANGES),
        draw(RANGES),
        draw(LINES),
        draw(LINES),
        draw(st.booleans()),
    )


def is_drawn(chart, size, charset):
    """The cells have the size that was asked for, printable characters only, and those of the charset."""
    DRAWN[type(chart).__name__] += 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cells = draw_chart(chart, *size, charset)
    assert cells.codes.shape == cells.inks.shape == (size[1], size[0])
    text = "".join(cells.text())
    assert text == "" or text.isprintable()
    assert "星" not in text
    if charset == "ascii":
        assert text.isascii()


def try_charts(examples, derandomize=True):
    """Draw that many charts; each may take 3 s, a hundred times what it does take."""
    tried = settings(
        max_examples=examples,
        deadline=3000,
        derandomize=derandomize,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    tried(given(charts(), SIZES, st.sampled_from(CHARSETS))(is_drawn))()


if __name__ == "__main__":
    try_charts(int(sys.argv[1]), derandomize=len(sys.argv) < 3)
    sys.stdout.write(" ".join(f"{name} {count}" for name, count in sorted(DRAWN.items())) + "\n")
