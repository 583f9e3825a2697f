"""One merger's walk: conflicts first, the random tenth, the batch, hidden names, and what happens when votes change."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import storage.settings as campaign
import storage.votes as store
from qnet_tui.errors import BadInput
from qnet_tui.inspection.answer import Refused
from qnet_tui.workflows.merge import MergeOptions, MergeSession, accept_agreed
from storage.errors import StorageError
from storage.events import events
from storage.looks import looked_at
from storage.merges import merges
from storage.reconciliation import recover
from storage.truth import current_truth
from storage.workspace import Workspace
from tests.workflows.merging import (
    AGREED,
    BY_CLASS,
    BY_QUALITY,
    BY_Z,
    NO_SIGNAL,
    PEOPLE,
    Clock,
    campaign_of,
    identity,
    say,
)

# Objects 1 to 12 agree, 13 to 15 do not, 16 shows nothing, 17 lacks a vote.
SAID = [*[AGREED] * 12, BY_QUALITY, BY_Z, BY_CLASS, NO_SIGNAL, AGREED[:2]]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return campaign_of(tmp_path_factory.mktemp("merging") / "ws", SAID)


@pytest.fixture
def root(made_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_once, tmp_path / "ws"))


@contextmanager
def merging(root: Path, code: str | None = "MRG", user: str = "max", **options: object) -> Iterator[MergeSession]:
    session = MergeSession.open(root, MergeOptions(inspector=code, **options), now=Clock(), os_user=user)
    try:
        yield session
    finally:
        session.close()


def labels(root: Path, **options: object):
    with Workspace.open(root) as ws:
        return merges(ws, 1, **options)


def truth(root: Path) -> dict[int, tuple[str, float]]:
    with Workspace.open(root) as ws:
        return {int(one["object_id"]): (str(one["spectype"]), float(one["quality"])) for one in current_truth(ws)}


def look_at_the_tenth(session: MergeSession) -> None:
    for case in session.board().cases:
        if case.to_look:
            session.go_to(case.identity)


def test_conflicts_come_first_then_the_tenth_then_the_rest(root):
    with merging(root) as session:
        counts = session.counts()
        assert (counts.conflicts, counts.agreed, counts.to_look, counts.done, counts.open) == (3, 13, 1, 0, 1)
        seen = [session.start()]
        while len(seen) < 16:
            seen.append(session.next())
        assert [case.object_id for case in seen[:3]] == [15, 14, 13]
        assert [case.conflicts[0] for case in seen[:3]] == ["class", "z", "quality"]
        assert seen[3].to_look
        assert not any(case.to_look for case in seen[4:])
        assert [case.rank for case in seen[4:]] == sorted(case.rank for case in seen[4:])
        assert {case.object_id for case in seen} == set(range(1, 17)), "17 lacks a vote: nobody may see the others'"
        assert session.next().object_id == 15


def test_showing_one_of_the_tenth_is_recorded_and_nothing_else_is(root):
    with merging(root) as session:
        session.start()
        (tenth,) = [case for case in session.board().cases if case.to_look]
        assert session.go_to(identity(13)).state == "conflict"
        assert session.counts().looked == 0
        assert session.go_to(tenth.identity).to_look
        assert not session.go_to(tenth.identity).to_look
        assert (session.counts().to_look, session.counts().looked) == (0, 1)
    with Workspace.open(root) as ws:
        assert looked_at(ws, 1) == {tenth.record.object_id}
        assert [(one.by, one.object_id) for one in events(ws) if one.kind == "look"] == [
            ("MRG", tenth.record.object_id)
        ]


def test_the_batch_waits_for_the_look_and_then_takes_all_that_agree(root):
    with merging(root) as session:
        with pytest.raises(BadInput, match="1 of the random tenth of the 13 agreed ones"):
            session.accept_agreed()
        assert labels(root) == []
        look_at_the_tenth(session)
        result = session.accept_agreed()
        assert (result.merged, result.trainable, result.conflicts, result.open, result.unseen) == (13, 12, 3, 1, False)
        again = session.accept_agreed()
        assert (again.merged, again.already) == (0, 13)
    assert all(not label.unseen and label.n_votes == 3 and label.rule == "qnet1" for label in labels(root))
    assert truth(root)[1] == ("QSO", pytest.approx(11 / 3))
    assert truth(root)[16] == ("", 0.0)
    assert 15 not in truth(root)


def test_without_the_look_it_is_recorded_with_every_label(root):
    with merging(root) as session:
        assert session.accept_agreed(unseen=True).unseen
    assert {label.unseen for label in labels(root)} == {True}


def test_settling_agreed_ones_one_by_one_never_asks_for_more_looks(root):
    with merging(root) as session:
        look_at_the_tenth(session)
        for case in session.board().with_state("agreed")[:8]:
            session.settle(session.go_to(case.identity).start)
            assert session.counts().to_look == 0
        assert session.accept_agreed().merged == 5


def test_in_a_campaign_of_one_vote_the_voter_merges_without_a_look(tmp_path):
    root = campaign_of(tmp_path / "ws", [("Q 2.3 4 - BAL",), ("G 0.4 2",)], votes=1)
    result = accept_agreed(root, "abc")
    assert (result.merged, result.trainable, result.unseen) == (2, 1, False)
    assert [label.comment for label in labels(root)] == ["BAL", ""]


def test_who_voted_does_not_merge_unless_the_campaign_lets_them(root):
    with merging(root, "ABC", "abc") as session:
        case = session.start()
        assert case.own
        with pytest.raises(Refused, match="you voted on this one"):
            session.settle(case.start.with_proposal())
        assert session.counts().own == 16
        look_at_the_tenth(session)
        assert session.counts().to_look == 1, "the voter's own look does not count"
        assert session.accept_agreed(unseen=True).left == 13
    with Workspace.open(root) as ws:
        campaign.set_setting(ws, "merger_may_vote", True, "me")
    with merging(root, "ABC", "abc") as session:
        session.settle(session.start().start.with_proposal())
    assert [label.by for label in labels(root)] == ["ABC"]


def test_names_are_hidden_until_asked_for_and_that_is_recorded(root):
    with merging(root) as session:
        case = session.start()
        assert [vote.name for vote in case.votes] == ["A", "B", "C"]
        shown = f"{case.votes} {case.proposal} {case.start}"
        assert not any(code in shown for code in PEOPLE)
        assert case.proposal.comment.count("A: ") == 1
        named = session.show_names()
        assert sorted(vote.name for vote in named.votes) == list(PEOPLE)
        assert [vote.uid for vote in named.votes] == [vote.uid for vote in case.votes]
        session.settle(named.start.with_proposal())
        session.settle(session.next().start.with_proposal())
    assert {label.object_id: label.names_shown for label in labels(root)} == {15: True, 14: False}


def test_a_settled_conflict_is_durable_and_says_what_it_rests_on(root):
    with merging(root) as session:
        case = session.start()
        state = case.start.with_proposal().with_quality_typed("2.5").with_comment("clear C IV")
        with pytest.raises(Refused, match="not yet"):
            session.settle(case.start)
        saved = session.settle(state)
        line = json.loads((root / "journal" / "MRG.jsonl").read_text().splitlines()[-1])
        assert (line["uid"], line["kind"], line["body"]["quality"]) == (saved.uid, "merge", 2.5)
        assert truth(root) == {15: ("QSO", 2.5)}
        assert session.next().object_id == 14
    (label,) = labels(root)
    assert label.vote_uids == tuple(vote.uid for vote in sorted(votes_on(root, 15), key=lambda vote: vote.inspector))
    assert label.comment == "DEF: weak C III]; GHI: Mg II?; MRG: clear C IV"
    assert (label.issues, label.z) == ("R", pytest.approx(2.30465))


def votes_on(root: Path, object_id: int) -> list[store.Vote]:
    with Workspace.open(root) as ws:
        return store.votes(ws, object_id=object_id)


def test_a_vote_that_changes_brings_the_object_back_and_marks_its_truth(root):
    with merging(root) as session:
        session.settle(session.start().start.with_proposal())
        with Workspace.open(root) as ws:
            say(ws, "GHI", 15, "Q 2.3050 4")
        counts = session.counts()
        assert (counts.stale, counts.done, counts.agreed) == (1, 0, 14)
        case = session.go_to(identity(14))
        assert (case.state, case.merged, case.before.n_votes) == ("agreed", None, 3)
        assert case.start.answer.quality == pytest.approx(11 / 3), "the old answer was of other votes"
        session.settle(case.start)
        assert (session.counts().stale, session.counts().done) == (0, 1)
    assert truth(root)[15] == ("QSO", pytest.approx(11 / 3))
    assert [label.reopened for label in labels(root, current=False)] == [True, False]


def test_a_look_at_votes_that_changed_since_is_no_look(root):
    with merging(root) as session:
        look_at_the_tenth(session)
        (tenth,) = [case for case in session.board().cases if case.looked]
        with Workspace.open(root) as ws:
            say(ws, "GHI", tenth.record.object_id, "Q 2.3041 4")
        assert session.counts().to_look == 1


def test_a_vote_that_changes_while_one_looks_is_not_overlooked(root):
    with merging(root) as session:
        case = session.start()
        with Workspace.open(root) as ws:
            say(ws, "GHI", 15, "Q 2.3050 4")
        with pytest.raises(Refused, match="changed meanwhile"):
            session.settle(case.start.with_proposal())
        case = session.go_to(case.title)
        with Workspace.open(root) as ws:
            store.withdraw_vote(ws, case.votes[0].uid, "MRG")
        with pytest.raises(Refused, match="undone meanwhile"):
            session.settle(case.start)
        assert session.next().object_id != 15
    assert labels(root) == []


def test_two_mergers_do_not_overwrite_each_other(root):
    with merging(root) as one, merging(root, "TWO", "tom") as two:
        first, second = one.start(), two.start()
        one.settle(first.start.with_proposal())
        with pytest.raises(Refused, match="MRG settled it meanwhile"):
            two.settle(second.start.with_vote_copied())
        assert two.next().object_id == 14
        seen = two.go_to(first.title)
        assert (seen.state, seen.start.answer.quality) == ("merged", 3.5)
        two.settle(seen.start.with_quality(2.5))
    found = {(label.by, label.quality, label.superseded) for label in labels(root, current=False)}
    assert found == {("MRG", 3.5, True), ("TWO", 2.5, False)}


def test_undo_opens_my_last_label_again_with_its_answer(root):
    with merging(root) as session:
        look_at_the_tenth(session)
        session.settle(session.start().start.with_proposal())
        agreed = session.go_to(identity(0))
        session.settle(agreed.start.with_comment("sure"))
        case = session.undo()
        assert (case.object_id, case.state, case.merged) == (1, "agreed", None)
        assert (case.start.answer.comment, case.before.by) == ("sure", "MRG")
        assert session.accept_agreed().left == 1, "what a merger took back is not for the batch"
        session.settle(case.start.with_quality(1))
        assert session.undo().object_id == 1
    with merging(root, "TWO", "tom") as other, pytest.raises(Refused, match="no merged label of yours"):
        other.undo()


def test_walking_over_conflicts_goes_around_and_back(root):
    with merging(root) as session:
        session.start()
        assert [session.next_conflict().object_id for _ in range(3)] == [14, 13, 15]
        assert [session.previous_conflict().object_id for _ in range(3)] == [13, 14, 15]
        assert session.previous() is None
        session.settle(session.current.start.with_proposal())
        assert session.next().object_id == 14
        assert session.previous().state == "merged"
        assert session.next_conflict().object_id == 14
        assert session.next_conflict().object_id == 13
        session.settle(session.current.start.with_quality(3))
        session.settle(session.next_conflict().start.with_proposal())
        assert session.next_conflict() is None
        assert session.current.object_id == 14


def test_when_all_is_settled_nothing_comes_next(tmp_path):
    root = campaign_of(tmp_path / "ws", [AGREED, BY_Z])
    with merging(root) as session:
        session.settle(session.start().start.with_proposal())
        last = session.next()
        assert session.next().object_id == last.object_id
        session.settle(last.start)
        assert session.next() is None
        assert session.start() is None
        with pytest.raises(Refused, match="nothing to settle"):
            session.settle(last.start)


def test_desi2021_fills_blanks_from_the_pipeline_and_is_recorded(tmp_path):
    # The pipeline says QSO, 2.3042 of each of these spectra.
    root = campaign_of(tmp_path / "ws", [("Q - 0", "Q - 0", "Q - 0"), ("Q - 0", "Q 2.4 1", "Q 2.4 1")])
    with merging(root, rule="desi2021") as session:
        assert [case.conflicts for case in session.board().cases] == [("z",), ()]
        assert session.board().cases[1].proposal.z == pytest.approx(2.3042)
        session.accept_agreed(unseen=True)
    assert [(label.rule, label.spectype) for label in labels(root)] == [("desi2021", "QSO")]
    with merging(root) as session:
        assert [case.state for case in session.board().cases] == ["agreed", "merged"]


def test_votes_of_others_files_that_say_too_little_go_to_the_merger(tmp_path):
    root = campaign_of(tmp_path / "ws", [("S 0.5 4", "S 0.5 4"), ("Q - 2", "Q - 2"), ("- 2.3 3", "- 2.3 3")], votes=2)
    with merging(root) as session:
        found = {case.record.object_id: case.conflicts for case in session.board().cases}
        assert found == {1: ("z",), 2: ("z",), 3: ("class",)}
        assert session.go_to(identity(0)).start.answer.z is None


def test_who_and_where_is_refused_in_one_line(root):
    with pytest.raises(BadInput, match="qnet merge --as ABC"), merging(root, None):
        pass
    with pytest.raises(StorageError, match="belongs to account abc"), merging(root, "ABC"):
        pass
    with pytest.raises(BadInput, match="no round 9"), merging(root, round=9):
        pass
    with pytest.raises(BadInput, match="qnet1 or desi2021"), merging(root, rule="mine"):
        pass
    with merging(root) as session:
        with pytest.raises(Refused, match="not all its votes"):
            session.go_to(identity(16))
        with pytest.raises(Refused, match="no spectrum here"):
            session.go_to("4711")


def test_what_is_read_again_equals_a_fresh_look(root):
    with merging(root) as session:
        look_at_the_tenth(session)
        session.settle(session.go_to(identity(3)).start)
        with Workspace.open(root) as ws:
            say(ws, "ABC", 4, "G 0.3 2")
            say(ws, "GHI", 17, "Q 2.3 4")
        session.settle(session.go_to(identity(14)).start.with_proposal())
        session.undo()
        with merging(root) as fresh:
            assert session.board() == fresh.board()
            assert session.counts() == fresh.counts()


def test_a_rebuilt_database_keeps_labels_looks_and_the_same_tenth(root):
    with merging(root) as session:
        look_at_the_tenth(session)
        session.settle(session.start().start.with_proposal())
        before = [(case.identity, case.state, case.looked, case.to_look) for case in session.board().cases]
    (root / "qnet.db").unlink()
    recover(root)
    with merging(root) as session:
        assert [(case.identity, case.state, case.looked, case.to_look) for case in session.board().cases] == before
