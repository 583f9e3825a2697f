"""What a command loads, seen at run time: the static contracts cannot tell a deferred import from an early one."""

import subprocess
import sys

import pytest

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
