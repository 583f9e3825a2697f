"""``qnet runs`` and ``qnet status`` as they are typed: keys, exit codes, and tables that never lose an id."""

import csv
import io
import os
import threading
import time

import pytest

import storage.runs as runs_store
from qnet_tui.cli import main as main_module
from qnet_tui.cli.run_text import list_lines
from qnet_tui.workflows.runs import list_runs
from storage.workspace import Workspace
from tests.workflows.made_runs import begin, end, hold_out, lose

LINE = {
    "run", "verb", "state", "started", "finished", "seconds", "round", "stage", "networks_done", "networks", "seed",
    "note", "truth", "headline", "headline_of", "host", "removed",
}  # fmt: skip


@pytest.fixture
def root(tmp_path):
    with Workspace.create(tmp_path / "ws") as ws:
        end(ws, begin(ws), validation={"completeness": 0.93}, seconds=60.0)
        note = "a note that is long enough to need a place of its own"
        runs_store.update_run(ws, "al-0001", note=note, truth_hash="ab" * 32)
        lose(ws, begin(ws, number=2, networks=12))
    return tmp_path / "ws"


def test_list(qnet, root):
    found = qnet("runs", "list", "-w", root, "--json").json
    assert [(one["run"], one["state"]) for one in found] == [("al-0002", "LOST"), ("al-0001", "DONE")]
    assert all(one.keys() == LINE for one in found)
    assert [one["run"] for one in qnet("runs", "list", "-w", root, "--state", "LOST", "--json").json] == ["al-0002"]
    table = list(csv.DictReader(io.StringIO(qnet("runs", "list", "-w", root, "--csv").out)))
    assert set(table[0]) == LINE
    assert (table[1]["run"], table[1]["seconds"], table[0]["headline"]) == ("al-0001", "60.0", "")
    # Not a terminal: every column, whatever it takes.
    text = qnet("runs", "list", "-w", root).out
    assert "a note that is long enough to need a place of its own" in text
    assert "abababab" in text
    assert qnet("runs", "list", "-w", root, "--state", "GONE").code == 2
    assert qnet("runs", "list", "-w", root, "--since", "soon").code == 2


@pytest.mark.parametrize("columns", [10, 20, 40, 60, 80, 200])
def test_the_id_stays_however_narrow_the_terminal_is(root, columns):
    runs = list_runs(root)
    lines = list_lines(runs, columns)
    assert [line.split()[0] for line in lines[1:]] == ["al-0002", "al-0001"]
    assert [line.split()[1] for line in lines[1:]] == ["LOST", "DONE"]
    if columns >= 20:
        assert max(map(len, lines)) <= columns
    assert list_lines(runs, None)[0].split()[-1] == "note"


def test_show(qnet, root):
    found = qnet("runs", "show", "al-0002", "-w", root, "--json").json
    assert found.keys() >= {
        "line", "host", "pid", "heartbeat_age", "command", "settings", "versions", "truth_hash", "result", "metrics",
        "resume", "job", "changed", "inputs", "stage_seconds", "failed_tasks", "failures", "log", "artefacts", "again",
    }  # fmt: skip
    assert found["changed"] == ["networks"]
    text = qnet("runs", "show", "al-0002", "-w", root).out
    assert " *networks                12" in text
    assert "resume        qnet run-al --resume al-0002" in text
    assert qnet("runs", "show", "al-0009", "-w", root).code == 2


def test_compare(qnet, root):
    found = qnet("runs", "compare", "al-0001", "al-0002", "-w", root, "--json").json
    assert found.keys() == {"runs", "rows", "same", "comparable", "why"}
    assert found["rows"][0].keys() == {"group", "name", "values", "differs", "better"}
    assert {row["name"] for row in found["rows"]} >= {"networks", "state", "validation.completeness"}
    text = qnet("runs", "compare", "al-0001", "al-0002", "-w", root).out
    assert "epochs" not in text
    assert "epochs" in qnet("runs", "compare", "al-0001", "al-0002", "-w", root, "--all").out
    assert qnet("runs", "compare", "al-0001", "-w", root).code == 2
    with Workspace.open(root) as ws:
        for objects, value in (([1, 2], 0.8), ([1, 3], 0.9)):
            run = begin(ws, "train", None)
            hold_out(ws.run_dir(run), objects)
            end(ws, run, completeness=value)
    answer = qnet("runs", "compare", "tr-0003", "tr-0004", "-w", root)
    assert answer.code == 0
    assert "not comparable: validation hash differs" in answer.out
    assert "0.9" not in answer.out
    assert "+0.9" in qnet("runs", "compare", "tr-0003", "tr-0004", "--force", "-w", root).out


def test_watch_without_a_screen(qnet, root):
    found = qnet("runs", "watch", "-w", root, "--json").json
    assert found.keys() >= {
        "run", "verb", "state", "round", "seed", "started", "seconds", "heartbeat_age", "stages", "step", "done",
        "total", "rate", "seconds_left", "workers", "networks_done", "networks", "failures", "last_failure", "error",
        "headline", "measured", "losses", "resume",
    }  # fmt: skip
    lost = qnet("runs", "watch", "al-0002", "-w", root)
    assert lost.code == 1
    assert "go on with: qnet runs resume al-0002" in lost.out
    done = qnet("runs", "watch", "al-0001", "-w", root)
    assert (done.code, done.out) == (0, "al-0001  DONE  completeness 0.930\n")


def test_a_watcher_tells_what_changed_and_ends_with_the_run(qnet, root, monkeypatch):
    from qnet_tui.cli import runs as runs_module

    monkeypatch.setattr(runs_module, "_LOOK_SECONDS", 0.02)
    with Workspace.open(root) as ws:
        run = begin(ws, number=3)
        runs_store.heartbeat(ws, run, "placing spectra on the map", 5, 10)

    def work():
        with Workspace.open(root) as ws:
            time.sleep(0.3)
            runs_store.heartbeat(ws, run, "training networks", 1, 4)
            time.sleep(0.3)
            end(ws, run, validation={"completeness": 0.91})

    worker = threading.Thread(target=work)
    worker.start()
    answer = qnet("runs", "watch", run, "--plain", "-w", root)
    worker.join()
    lines = answer.out.splitlines()
    assert answer.code == 0
    assert len(lines) == 3
    assert "placing spectra on the map 5/10" in lines[0]
    assert "training networks 1/4" in lines[1]
    assert lines[2] == "al-0003  DONE  completeness 0.910"


def test_rm_and_restore_and_note(qnet, root):
    assert qnet("runs", "note", "al-0002", "on the old nodes", "-w", root, "--json").json["note"] == "on the old nodes"
    assert qnet("runs", "rm", "al-0002", "-w", root, "--json").json["removed"] is True
    assert [one["run"] for one in qnet("runs", "list", "-w", root, "--json").json] == ["al-0001"]
    everything = qnet("runs", "list", "-w", root, "--all")
    assert "LOST (removed)" in everything.out
    assert qnet("runs", "resume", "al-0002", "-w", root).code == 2
    assert qnet("runs", "rm", "--restore", "al-0002", "-w", root, "--json").json["removed"] is False
    assert len(qnet("runs", "list", "-w", root, "--json").json) == 2


def test_what_cannot_be_stopped_or_resumed(qnet, root):
    assert qnet("runs", "stop", "al-0001", "-w", root).code == 2
    answer = qnet("runs", "resume", "al-0001", "-w", root)
    assert answer.code == 2
    assert "is done" in answer.err


def test_status(qnet, root, tmp_path):
    found = qnet("status", "-w", root, "--json").json
    assert found.keys() >= {
        "workspace", "name", "standing", "inspector", "codes", "votes_required", "rounds", "queue", "merging", "runs",
        "next",
    }  # fmt: skip
    assert found["next"].keys() == {"why", "command", "place", "run"}
    assert found["runs"][0]["state"] == "LOST"
    text = qnet("status", "-w", root).out
    assert text.splitlines()[-1].strip() == found["next"]["command"]
    assert qnet("status", "-w", tmp_path).code == 2


class Screens:
    def __init__(self):
        self.opened = []

    def home(self, root):
        self.opened.append(root)
        return 0


def test_without_a_command_home_opens_in_a_workspace_on_a_terminal(root, tmp_path, monkeypatch, capsys):
    def typed(*words):
        screens = Screens()
        with pytest.raises(SystemExit) as end:
            main_module.run(screens, list(words))
        return screens.opened, end.value.code, capsys.readouterr().out

    monkeypatch.chdir(root / "rounds")
    assert typed()[0] == []  # not a terminal
    monkeypatch.setattr(main_module, "_on_terminal", lambda: True)
    assert typed() == ([root], 0, "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QNET_WORKSPACE", raising=False)
    opened, code, out = typed()
    assert (opened, code) == ([], 0)
    assert out.startswith("Usage:")
    assert typed("-w", str(root))[0] == [root]
    assert typed("-w", str(tmp_path))[1] == 2
    assert typed("-w", str(root), "status")[1] == 2
    assert os.environ.get("QNET_WORKSPACE") is None


def test_a_note_is_one_line_of_letters(qnet, root):
    """What a terminal would obey, or what would break the list, is not kept."""
    assert qnet("runs", "note", "al-0001", "red \x1b[31m\nand\ttwo  lines\x07", "-w", root).code == 0
    assert qnet("runs", "list", "-w", root, "--json").json[1]["note"] == "red [31m and two lines"
    assert len(qnet("runs", "list", "-w", root).out.splitlines()) == 3
