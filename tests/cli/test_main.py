"""The door of the program: what is set before numpy is there."""

import os
import subprocess
import sys

import pytest

from qnet_tui.__main__ import one_thread_for_screens

NAMES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [(["label", "--as", "ABC"], "1"), (["spec", "x.fits"], "1"), (["merge"], "1"), (["run-al"], None), ([], "1")],
)
def test_screens_get_one_thread_of_linear_algebra(monkeypatch, arguments, asked):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    one_thread_for_screens(arguments)
    assert {os.environ.pop(name, None) for name in NAMES} == {asked}


def test_the_variables_of_the_user_stay(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    one_thread_for_screens(["label"])
    assert os.environ["OPENBLAS_NUM_THREADS"] == "4"
    for name in NAMES[1:]:
        os.environ.pop(name, None)


def test_numpy_is_not_there_before():
    code = "import qnet_tui.__main__, qnet_tui.cli.main, sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


def test_looking_at_a_file_loads_no_database_no_network_no_screen():
    code = (
        "import sys\nfrom qnet_tui.cli.main import app\n"
        "from qnet_tui.workflows.demo import sample_folder\n"
        "before = set(sys.modules)\n"
        "try:\n app(args=['spec', str(sample_folder() / 'coadd-0-80001-thru20260315.fits.gz'), '--plain'])\n"
        "except SystemExit:\n pass\n"
        "print(sorted({m.split('.')[0] for m in set(sys.modules) - before}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = done.stderr
    assert "412466729548251168" in done.stdout
    for name in ("tensorflow", "keras", "dask", "distributed", "h5py", "minisom", "textual", "plotext"):
        assert f"'{name}'" not in loaded
