"""``qnet merge`` and ``qnet vi agreement`` as a user types them."""

import getpass
import json
import shutil
from pathlib import Path

import pytest

import storage.votes as store
from qnet_tui.cli.main import run
from qnet_tui.workflows.merge import MergeOptions
from storage.workspace import Workspace
from tests.workflows.merging import AGREED, BY_CLASS, BY_QUALITY, BY_Z, PEOPLE, campaign_of, identity, say


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = campaign_of(tmp_path_factory.mktemp("merging") / "ws", [AGREED, BY_CLASS, BY_Z, BY_QUALITY, AGREED[:1]])
    with Workspace.open(root) as ws:
        store.add_inspector(ws, "MRG", getpass.getuser(), "")
    return root


@pytest.fixture
def root(made_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_once, tmp_path / "ws"))


def test_the_list_says_states_votes_and_proposals_but_not_who(qnet, root):
    cases = qnet("merge", "-w", root, "--list", "--json").json
    assert [(case["object"], case["state"], case["conflicts"]) for case in cases] == [
        (identity(1), "conflict", ["class", "z", "quality"]),
        (identity(2), "conflict", ["z"]),
        (identity(3), "conflict", ["quality"]),
        (identity(0), "agreed", []),
    ]
    assert [vote["name"] for vote in cases[0]["votes"]] == ["A", "B", "C"]
    assert (cases[0]["proposal"]["words"], cases[0]["proposal"]["quality"]) == ("2 of 3", 3.5)
    assert [case["to_look"] for case in cases] == [False, False, False, True]
    text = qnet("merge", "-w", root, "--list").out
    assert "GALAXY* 0.8420* 2*" in text
    assert "3 conflicts, 1 agreed (1 to be looked at), 0 done, 1 wait for votes" in text
    assert not any(code in text + json.dumps(cases) for code in PEOPLE)


def test_one_case_is_shown_with_votes_proposal_and_spectrum(qnet, root):
    text = qnet("merge", "-w", root, "--show", identity(1)).out
    assert "conflict of class, z, quality" in text
    assert "GALAXY *" in text
    assert "2 of 3: QSO 2.30" in text
    assert "lines at z 2.30" in text
    assert text.isascii()
    assert len(text.splitlines()) > 20
    assert not any(code in text for code in PEOPLE)
    shown = qnet("merge", "-w", root, "--show", identity(1), "--names", "--json").json
    assert sorted(vote["name"] for vote in shown["votes"]) == list(PEOPLE)
    assert "DEF: weak C III]" in shown["proposal"]["comment"]
    assert "uid" not in shown["votes"][0]


def test_a_case_is_settled_in_one_line_or_by_what_is_taken(qnet, root):
    said = qnet("merge", "-w", root, "--settle", f"{identity(1)} q 2.3046 2.5 R clear C IV").out
    assert f"merged {identity(1)} QSO 2.3046 quality 2.5 issues R at" in said
    taken = qnet("merge", "-w", root, "--settle", identity(2), "--take", "proposal", "--comment", "sure", "--json").json
    assert (taken["answer"]["z"], taken["answer"]["comment"]) == (2.3, "sure")
    copied = qnet("merge", "-w", root, "--settle", identity(3), "--take", "b", "--names", "--json")
    assert copied.code == 2, "with names shown the votes have names"
    vote = qnet("merge", "-w", root, "--settle", identity(3), "--take", "def", "--names", "--json").json
    assert vote["answer"]["quality"] == 3.0
    states = {case["object"]: case for case in qnet("merge", "-w", root, "--list", "--json").json}
    assert states[identity(3)]["merged"]["names_shown"]
    assert not states[identity(2)]["merged"]["names_shown"]
    assert states[identity(1)]["merged"]["quality"] == 2.5


def test_the_batch_asks_for_the_look_which_showing_gives(qnet, root):
    refused = qnet("merge", "-w", root, "--accept-agreed")
    assert refused.code == 2
    assert f"qnet merge --show {identity(0)}" in refused.err
    qnet("merge", "-w", root, "--show", identity(0))
    done = qnet("merge", "-w", root, "--accept-agreed")
    assert "1 objects merged into the truth; 1 of quality >= 2.5 will train" in done.out
    assert "--list" not in done.out
    assert f"{identity(0)} is open again (agreed)" in qnet("merge", "-w", root, "--undo").out


def test_stale_truth_is_named(qnet, root):
    qnet("merge", "-w", root, "--settle", identity(2), "--take", "proposal")
    with Workspace.open(root) as ws:
        say(ws, "ABC", 3, "Q 2.35 4")
    assert f"stale: {identity(2)}" in qnet("merge", "-w", root, "--list").out
    cases = qnet("merge", "-w", root, "--list", "--json").json
    assert [case["object"] for case in cases if case["stale"]] == [identity(2)]
    assert qnet("merge", "-w", root, "--accept-agreed", "--unseen", "--json").json["stale"] == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--list", "--undo"], "one at a time"),
        (["--unseen"], "goes with --accept-agreed"),
        (["--take", "A"], "goes with --settle"),
        (["--settle", f"{identity(1)} q 2.3 4", "--take", "A"], "whole answer"),
        (["--json"], "--json goes with"),
        (["--settle", f"{identity(1)} q 2.3"], "settles nothing"),
        (["--settle", f"{identity(1)} s 2.3 4"], "a star has"),
        (["--settle", f"{identity(3)}", "--take", "proposal"], "no two votes agree"),
        (["--settle", "", "--take", "proposal"], "no spectrum here"),
        (["--show", identity(4)], "not all its votes"),
        (["--show", identity(1), "--charset", "sixel"], "sixel"),
        (["--list", "--rule", "mine"], "qnet1 or desi2021"),
        (["--list", "--round", "7"], "no round 7"),
        (["--list", "--as", "ABC"], "belongs to account"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(qnet, root, arguments, why):
    got = qnet("merge", "-w", root, *arguments)
    assert got.code in (1, 2)
    assert why in " ".join(got.err.replace("│", " ").split())
    assert "Traceback" not in got.err
    assert got.out == ""


def test_alone_it_opens_the_screen(root):
    asked = []

    class Screens:
        def merge(self, where: Path, options: MergeOptions) -> int:
            asked.append((where, options))
            return 3

    with pytest.raises(SystemExit) as end:
        run(Screens(), ["merge", "-w", str(root), "--as", "XYZ", "--round", "1", "--charset", "block"])
    assert end.value.code == 3
    assert asked == [(root, MergeOptions("XYZ", 1, "block", None))]


def test_agreement_as_a_table_and_as_json(qnet, root):
    qnet("merge", "-w", root, "--settle", identity(1), "--take", "proposal")
    said = qnet("vi", "agreement", "-w", root, "--round", "1")
    assert said.code == 0
    for words in ("Fleiss' kappa", "Gwet's AC1", "alpha of quality", "same z", "ABC DEF", "departs from merged"):
        assert words in said.out
    got = qnet("vi", "agreement", "-w", root, "--json").json
    assert (got["objects"], got["votes"]) == (4, 12)
    figures = {one["name"]: one for one in got["overall"]}
    # Three objects of one class, one of two against one: (1 + 1 + 1 + 1/3) / 4.
    assert figures["same class"]["value"] == pytest.approx(10 / 12)
    assert figures["same class"]["n"] == 4
    assert figures["same class"]["low"] < figures["same class"]["value"]
    (departs,) = [one for one in got["inspectors"] if one["inspector"] == "GHI"]
    assert (departs["any"]["value"], departs["any"]["n"], departs["by_class"]["value"]) == (1.0, 1, 1.0)


def test_agreement_without_votes_says_so(qnet, tmp_path):
    root = campaign_of(tmp_path / "ws", [("Q 2.3 4",)])
    assert "no object has two votes yet" in qnet("vi", "agreement", "-w", root).out
    assert qnet("vi", "agreement", "-w", root, "--json").json["overall"][0]["value"] is None
