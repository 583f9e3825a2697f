"""What a user can cause: one clear line, exit code 1 or 2, nothing lost, never a traceback."""

import os
import subprocess
import sys

import pytest

from storage.workspace import Workspace


def one_line(answer, code=2):
    assert answer.code == code, answer
    assert "Traceback" not in answer.err
    lines = [line for line in answer.err.splitlines() if line.startswith("qnet:")]
    assert len(lines) == 1, answer.err
    return lines[0]


def test_no_workspace_here(qnet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QNET_WORKSPACE", raising=False)
    assert "qnet init" in one_line(qnet("runs", "list"))


def test_usage(qnet, workspace):
    assert qnet("no-such-command").code == 2
    assert qnet("run-al", "--networks", "many").code == 2
    assert "presets" not in one_line(qnet("run-al", "-w", workspace, "--preset", "desktop"))
    assert "no strategy" in one_line(qnet("run-al", "-w", workspace, "--strategy", "wish", "--preset", "smoke"))
    assert "round:N" in one_line(qnet("train", "-w", workspace, "--truth", "yesterday"))
    assert "no table" in one_line(qnet("review", "everything", "-w", workspace))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("coadd-0-1-thru20210101.fits", b""),
        ("coadd-0-2-thru20210101.fits", b"SIMPLE  =                    T"),
        ("coadd-0-3-thru20210101.fits", b"a text file that calls itself FITS\n" * 100),
        ("coadd-0-4-thru20210101.fits.gz", b"\x1f\x8b\x08\x00garbage"),
    ],
)
def test_files_that_are_no_spectra(qnet, workspace, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    answer = qnet("ingest", path, "-w", workspace, "--jobs", 1)
    assert answer.code == 2
    assert name in answer.out + answer.err
    assert "Traceback" not in answer.err


def test_truth_tables(qnet, workspace, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("A,B\n1,2\n")
    assert "bad.csv" in one_line(qnet("truth", "import", bad, "-w", workspace))
    bad.write_bytes(b"")
    assert "bad.csv" in one_line(qnet("truth", "import", bad, "-w", workspace))
    assert "nowhere.csv" in one_line(qnet("truth", "import", tmp_path / "nowhere.csv", "-w", workspace))
    bad.write_text("TARGETID,VI_Z,VI_QUALITY,VI_CLASS\n1,2.0,4,NEBULA\nx,2.0,4,QSO\n2,far,4,QSO\n3,-5,4,QSO\n")
    answer = qnet("truth", "import", bad, "-w", workspace, "--json")
    assert answer.code == 0
    assert [r["line"] for r in answer.json["rejected"]] == [2, 3, 4, 5]


def test_weights_files(qnet, workspace, tmp_path):
    bad = tmp_path / "bad.h5"
    bad.write_text("no weights")
    assert "bad.h5" in one_line(qnet("weights", "info", bad))
    assert "bad.h5" in one_line(qnet("weights", "evaluate", bad, "-w", workspace))
    assert "bad.h5" in one_line(qnet("score", tmp_path, "--weights", bad, "-o", tmp_path / "o.fits"))


def test_a_newer_workspace_is_refused(qnet, workspace):
    with Workspace.open(workspace) as ws:
        ws.db.execute("PRAGMA user_version = 999")
    assert "newer" in one_line(qnet("runs", "list", "-w", workspace))


NOBODY = 65534
AS_NOBODY = """
import importlib, os, pkgutil, sys
from pathlib import Path
import sqlite_utils
import qnet_tui.cli.output, qnet_tui.workflows.campaign, storage
for module in pkgutil.walk_packages(storage.__path__, "storage."):
    importlib.import_module(module.name)
# Everything is loaded by now: the account that may not write may not be able to read our installation either.
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(NOBODY), os.setuid(NOBODY)
with qnet_tui.cli.output.exit_codes():
    qnet_tui.workflows.campaign.change(Path(sys.argv[1]), "votes_required", "2", "nobody")
"""


def test_an_unwritable_workspace(workspace, qnet, tmp_path_factory):
    for folder in [workspace, *workspace.parents]:
        if folder == tmp_path_factory.getbasetemp().parent.parent:
            break
        folder.chmod(0o755 if os.geteuid() == 0 else 0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY.replace("NOBODY", str(NOBODY)), workspace],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    finally:
        workspace.chmod(0o755)
    assert done.returncode in {1, 2}, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("qnet:")
    assert qnet("runs", "list", "-w", workspace).code == 0


def test_a_full_disk(workspace, survey, qnet):
    """A file-size limit stands in for the disk: the write fails in the middle, the workspace opens afterwards."""
    limit = (workspace / "qnet.db").stat().st_size + 4096
    script = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "from qnet_tui.cli.main import run\n"
        f"run(None, {['truth', 'import', str(survey / 'truth.csv'), '-w', str(workspace)]!r})\n"
    )
    before = qnet("export", "truth", "-o", workspace / "before.csv", "-w", workspace)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert before.code == 0
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("qnet:")
    assert qnet("export", "truth", "-o", workspace / "after.csv", "-w", workspace).code == 0
    assert (workspace / "before.csv").read_bytes() == (workspace / "after.csv").read_bytes()
    assert qnet("doctor", "-w", workspace, "--json").out.count('"ok": true') >= 8


def test_another_package_called_storage_is_named(tmp_path):
    (tmp_path / "storage.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "qnet_tui", "runs", "list"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"qnet: {tmp_path / 'storage.py'} hides")


def test_two_drivers(qnet, workspace):
    import storage.runs as runs_store

    with Workspace.open(workspace) as ws:
        run = runs_store.new_run(ws, "run-al", {}, {}, seed=1, round=1, command="qnet run-al")
        runs_store.claim_driver(ws, run)
        line = one_line(qnet("run-al", "-w", workspace, "--preset", "smoke"))
    assert run in line
    assert "at work" in line


def test_ctrl_c_says_what_is_kept(qnet, workspace, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("qnet_tui.workflows.runs.list_runs", interrupted)
    answer = qnet("runs", "list", "-w", workspace)
    assert (answer.code, answer.out, answer.err) == (130, "", "qnet: interrupted; what was finished is kept\n")
