"""What a command loads, seen at run time: the static contracts cannot tell a deferred import from an early one."""

import subprocess
import sys

import pytest

from qnet_tui.workflows.review.tabs import TABS

HEAVY = (
    "numpy",
    "tensorflow",
    "keras",
    "textual",
    "dask",
    "distributed",
    "dask_jobqueue",
    "fitsio",
    "h5py",
    "minisom",
    "plotext",
)


def loaded_by(code: str) -> set[str]:
    """Top-level modules in ``sys.modules`` of a fresh interpreter after ``code``."""
    script = code + "\nimport sys\nprint('\\n'.join(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    return set(done.stdout.split())


def run_command(arguments: str) -> str:
    return (
        "import contextlib, io, sys\n"
        "from qnet_tui.cli.main import app\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        "    try:\n"
        f"        app(args={arguments.split()!r})\n"
        "    except SystemExit:\n"
        "        pass\n"
    )


@pytest.mark.parametrize(
    "arguments", ["--help", "run-al --help", "label --help", "truth --help", "cluster --help", "--version"]
)
def test_help_loads_nothing_heavy(arguments):
    assert not loaded_by(run_command(arguments)) & set(HEAVY)


def test_runs_list_needs_no_tensorflow_and_no_dask(tmp_path):
    from storage.workspace import Workspace

    Workspace.create(tmp_path / "ws").close()
    seen = loaded_by(run_command(f"runs list --workspace {tmp_path / 'ws'}"))
    assert "sqlite_utils" in seen
    assert not seen & {"tensorflow", "keras", "dask", "distributed", "textual", "fitsio", "h5py"}


def test_the_labelling_path_needs_no_tensorflow_and_no_dask():
    seen = loaded_by(
        "import qnet_tui.workflows.label, qnet_tui.workflows.label_plain, qnet_tui.tui.qnet_app, "
        "qnet_tui.tui.screens.label"
    )
    assert "textual" in seen
    assert not seen & {"tensorflow", "keras", "dask", "distributed", "h5py", "minisom"}


def test_the_review_reads_without_what_trains_scores_and_maps(every_tab):
    def tables(root):
        return "".join(run_command(f"review {name} --workspace {root}") for name in TABS)

    seen = loaded_by(tables(every_tab))
    assert "numpy" in seen
    assert not seen & (set(HEAVY) - {"numpy"})
    screen = (
        "from pathlib import Path\n"
        "import qnet_tui.tui.screens.review, qnet_tui.tui.screens.home, qnet_tui.tui.screens.watch\n"
        "import qnet_tui.plotting.plotext_charts\n"
        "from qnet_tui.plotting.canvas import charset_for\n"
        "from qnet_tui.workflows.home import HomeReader\n"
        "from qnet_tui.workflows.review.figures import ReviewFigures\n"
        "from qnet_tui.workflows.review.tab import Asked\n"
        "from qnet_tui.workflows.run_watch import RunWatcher\n"
        f"root = Path({str(every_tab)!r})\n"
        "HomeReader.open(root).close()\n"
        "watcher = RunWatcher.open(root)\n"
        "watcher.look(watcher.run_id(None))\n"
        f"for name in {list(TABS)!r}:\n"
        "    tab = ReviewFigures(root).tab(name, Asked(), lambda *_: None)\n"
        "    if tab.chart is not None:\n"
        "        qnet_tui.plotting.plotext_charts.draw_chart(tab.chart, 40, 12, charset_for(None))\n"
    )
    seen = loaded_by(screen)
    assert "textual" in seen
    assert not seen & {"tensorflow", "keras", "dask", "distributed", "dask_jobqueue", "minisom", "h5py"}
