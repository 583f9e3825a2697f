"""Any sequence of what inspectors and a merger do, and of what happens to them, against a plain model.

Three people share five objects that need two votes each. They label what the queue gives them, correct and undo and
redo their answers, star, defer, look and merge; leases run out; the process is killed before its journal was written or
between the journal and the database; the database is lost and rebuilt from journals and rounds. After every step:

1. the votes that hold are exactly those of the model, with every value as it was given;
2. every vote that was ever acknowledged is still there, superseded or undone as the model says;
3. nobody has two votes on an object, and an object has more votes than it needs only from somebody whose lease had run
   out before the answer came, or who answered what was merged;
4. what is merged is what the model says, and every merged label that holds rests on exactly the votes that hold;
5. stars and looks are those of the model;
6. what can be redone is what was undone last first, less what somebody else's work stands on;
7. the queue gives each person the first open object that nobody else holds, deferred ones last, and the counts of the
   progress are those of the model;
8. the log's chain is unbroken, and the journals have exactly what the log has.
"""

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from storage.errors import Refused
from storage.events import events, verify_events
from storage.journal import journal_files, read_entries
from storage.looks import add_looks, looked_at
from storage.merges import MergedLabel, add_merges, merges, reopen_merge
from storage.queue import defer, leases, next_object, progress, release_leases, renew_lease
from storage.rounds import selection
from storage.settings import set_setting
from storage.stars import set_star, stars
from storage.votes import (
    Vote,
    add_inspector,
    commit_vote,
    new_uid,
    recover,
    restore_vote,
    undone_votes,
    votes,
    withdraw_vote,
)
from storage.workspace import Workspace
from tests.storage.conftest import ingest, queue

PEOPLE = ("AA", "BB", "CC")
OBJECTS = 5
REQUIRED = 2
LEASE = 15 * 60.0

person = st.sampled_from(PEOPLE)
which = st.integers(0, OBJECTS - 1)
redshift = st.none() | st.floats(-0.01, 7)
# Most of the time nothing happens to the process.
fate = st.sampled_from(["", "", "", "", "killed before the journal", "killed after the journal"])


class Killed(BaseException):
    """The process ends here."""


class Inspection(RuleBasedStateMachine):
    """The model: what everybody says now, and what the database does not need to be asked for."""

    @initialize(people=st.lists(person, min_size=3, max_size=12))
    def begin(self, people: list[str]) -> None:
        self.stack = ExitStack()
        self.now = 1_000_000.0
        clock = SimpleNamespace(time=lambda: self.now)
        for module in ("storage.queue", "storage.undo"):
            self.stack.enter_context(patch(f"{module}.time", clock))
        self.place = Path(tempfile.mkdtemp())
        self.ws = Workspace.create(self.place / "ws")
        ingest(self.ws, OBJECTS)
        self.objects = [int(one.object_id) for one in queue(self.ws, OBJECTS)]
        for code in PEOPLE:
            add_inspector(self.ws, code, code)
        set_setting(self.ws, "votes_required", REQUIRED, "test")
        self.given: list[Vote] = []
        self.superseded: set[str] = set()
        self.undone: list[str] = []
        self.settled: dict[int, MergedLabel] = {}
        self.starred: dict[tuple[int, str], str] = {}
        self.seen: dict[int, list[set[str]]] = {}
        self.lease: dict[str, tuple[int, float]] = {}
        self.deferred: list[tuple[str, int]] = []
        self.late: set[int] = set()
        self.label(people, 2.0, "")

    # What the model says.

    def holding(self, object_id: int | None = None) -> list[Vote]:
        gone = self.superseded | set(self.undone)
        return [one for one in self.given if one.uid not in gone and object_id in (None, one.object_id)]

    def uids(self, object_id: int) -> set[str]:
        return {one.uid for one in self.holding(object_id)}

    def holder(self, object_id: int) -> str | None:
        return next((code for code, (one, until) in self.lease.items() if one == object_id and until > self.now), None)

    def waiting_for(self, code: str) -> list[int]:
        """The objects open for a person, in the order of the queue, those in other hands too."""
        is_open = [
            object_id
            for object_id in self.objects
            if object_id not in self.settled
            and len(self.holding(object_id)) < REQUIRED
            and all(one.inspector != code for one in self.holding(object_id))
        ]
        late = [object_id for one, object_id in self.deferred if one == code]
        return sorted(is_open, key=lambda one: (one in late, late.index(one) if one in late else 0, one))

    def can_redo(self, uid: str) -> bool:
        vote = next(one for one in self.given if one.uid == uid)
        said = [one for one in self.given if (one.object_id, one.inspector) == (vote.object_id, vote.inspector)]
        lacking = REQUIRED - len(self.holding(vote.object_id))
        holder = self.holder(vote.object_id)
        return (
            said[-1].uid == uid
            and vote.object_id not in self.settled
            and lacking > 0
            and (holder in (None, vote.inspector) or lacking > 1)
        )

    def redoable(self, code: str) -> list[str]:
        mine = {one.uid for one in self.given if one.inspector == code}
        return [uid for uid in reversed(self.undone) if uid in mine and self.can_redo(uid)]

    # What happens to the process.

    def open_again(self) -> None:
        self.ws.close()
        self.ws = Workspace.open(self.ws.root)

    def happened(self, fate: str, action: object, *arguments: object) -> bool:
        """Do it, or be killed in the middle of it and open again; say whether it counts as done."""
        if not fate:
            action(*arguments)  # type: ignore[operator]
            return True
        place = "append_entries" if "before" in fate else "enter"
        with patch(f"storage.ledger.{place}", side_effect=Killed), pytest.raises(Killed):
            action(*arguments)  # type: ignore[operator]
        self.open_again()
        return "after" in fate

    @rule()
    def loses_the_database(self) -> None:
        self.ws.close()
        self.ws.database.unlink()
        report = recover(self.ws.root)
        assert (report.fresh, report.left) == (True, ())
        self.ws = Workspace.open(self.ws.root)
        # Who was looking at what, and what was put off, is nobody's word and not in the journals.
        self.lease, self.deferred = {}, []

    @rule(minutes=st.sampled_from([0, 1, 10, 16]), code=person, what=st.sampled_from(["key", "quit", "killed"]))
    def time_passes(self, minutes: int, code: str, what: str) -> None:
        self.now += 60.0 * minutes
        holds = code in self.lease and self.lease[code][1] > self.now
        if what == "killed":
            self.open_again()
        elif what == "quit":
            release_leases(self.ws, code)
            self.lease.pop(code, None)
        else:
            assert renew_lease(self.ws, code) == holds
            if holds:
                self.lease[code] = (self.lease[code][0], self.now + LEASE)

    # What people do.

    @rule(code=person)
    def asks_for_the_next(self, code: str) -> None:
        free = [one for one in self.waiting_for(code) if self.holder(one) in (None, code)]
        record = next_object(self.ws, 1, code, REQUIRED)
        assert (record.object_id if record else None) == (free[0] if free else None)
        self.lease.pop(code, None)
        if free:
            self.lease[code] = (free[0], self.now + LEASE)

    @rule(people=st.lists(person, min_size=1, max_size=6), z=redshift, fate=fate)
    def label(self, people: list[str], z: float | None, fate: str) -> None:
        for code in people:
            self.asks_for_the_next(code)
            if code in self.lease:
                self.votes_on(self.lease[code][0], code, z, 3, fate)

    @precondition(lambda self: self.lease)
    @rule(data=st.data(), z=redshift, quality=st.integers(0, 4), fate=fate)
    def answers(self, data: st.DataObject, z: float | None, quality: int, fate: str) -> None:
        code = data.draw(st.sampled_from(sorted(self.lease)))
        object_id, until = self.lease[code]
        if until <= self.now:
            self.late.add(object_id)
        self.votes_on(object_id, code, z, quality, fate)

    @precondition(lambda self: self.holding())
    @rule(data=st.data(), z=redshift, fate=fate)
    def corrects(self, data: st.DataObject, z: float | None, fate: str) -> None:
        vote = data.draw(st.sampled_from(self.holding()))
        self.votes_on(vote.object_id, vote.inspector, z, 4, fate)

    @precondition(lambda self: self.settled)
    @rule(data=st.data(), code=person, fate=fate)
    def answers_what_is_merged(self, data: st.DataObject, code: str, fate: str) -> None:
        object_id = data.draw(st.sampled_from(sorted(self.settled)))
        self.late.add(object_id)
        self.votes_on(object_id, code, 1.0, 4, fate)

    def votes_on(self, object_id: int, code: str, z: float | None, quality: int, fate: str) -> None:
        vote = Vote(new_uid(), 1, object_id, code, "QSO", z, quality, comment="ß", z_error=None if z is None else 0.001)
        if not self.happened(fate, commit_vote, self.ws, vote):
            return
        assert not commit_vote(self.ws, vote)
        self.superseded |= {one.uid for one in self.holding(object_id) if one.inspector == code}
        self.given.append(vote)
        self.settled.pop(object_id, None)
        self.work_ends(object_id, code)

    def work_ends(self, object_id: int, code: str) -> None:
        self.deferred = [one for one in self.deferred if one != (code, object_id)]
        if code in self.lease and self.lease[code][0] == object_id:
            del self.lease[code]

    @precondition(lambda self: self.holding())
    @rule(data=st.data(), times=st.integers(1, 3), again=st.booleans(), fate=fate)
    def undoes(self, data: st.DataObject, times: int, again: bool, fate: str) -> None:
        code = data.draw(st.sampled_from(self.holding())).inspector
        for _ in range(min(times, sum(one.inspector == code for one in self.holding()))):
            self.undo(code, fate)
        if again and self.undone:
            self.redoes(code, times, "")

    def undo(self, code: str, fate: str) -> None:
        mine = [one for one in self.holding() if one.inspector == code]
        if mine[-1].object_id in self.settled:
            with pytest.raises(Refused, match="merged this vote"):
                withdraw_vote(self.ws, mine[-1].uid, code)
        elif self.happened(fate, withdraw_vote, self.ws, mine[-1].uid, code):
            self.undone.append(mine[-1].uid)

    @precondition(lambda self: self.undone)
    @rule(code=person, times=st.integers(1, 3), fate=fate)
    def redoes(self, code: str, times: int, fate: str) -> None:
        for uid in self.undone:
            vote = next(one for one in self.given if one.uid == uid)
            if not self.can_redo(uid):
                with pytest.raises(Refused):
                    restore_vote(self.ws, uid, vote.inspector)
        for uid in self.redoable(code)[:times]:
            if self.can_redo(uid) and self.happened(fate, restore_vote, self.ws, uid, code):
                self.undone.remove(uid)
                self.work_ends(next(one for one in self.given if one.uid == uid).object_id, code)

    @rule(code=person, which=which, starred=st.booleans(), note=st.sampled_from(["", "BAL?"]), fate=fate)
    def stars(self, code: str, which: int, starred: bool, note: str, fate: str) -> None:
        place, note = (self.objects[which], code), note if starred else ""
        if self.starred.get(place) == (note if starred else None):
            assert not set_star(self.ws, code, place[0], starred, note)
        elif self.happened(fate, set_star, self.ws, code, place[0], starred, note):
            self.starred.pop(place, None)
            if starred:
                self.starred[place] = note

    @rule(code=person)
    def defers(self, code: str) -> None:
        self.asks_for_the_next(code)
        if code not in self.lease:
            return
        object_id, _ = self.lease.pop(code)
        defer(self.ws, code, object_id)
        self.deferred = [*(one for one in self.deferred if one != (code, object_id)), (code, object_id)]

    @precondition(lambda self: self.holding())
    @rule(code=person, fate=fate)
    def merges_all_that_has_votes(self, code: str, fate: str) -> None:
        for object_id in sorted({one.object_id for one in self.holding()}):
            self.merge(object_id, code, fate)

    def merge(self, object_id: int, code: str, fate: str) -> None:
        given = self.holding(object_id)
        uids = tuple(one.uid for one in given)
        label = MergedLabel(1, object_id, "QSO", 2.0, 3.0, "", "", len(uids), "qnet1", code, vote_uids=uids)
        if any(one.inspector == code for one in given):
            with pytest.raises(Refused, match="may not settle it"):
                add_merges(self.ws, [label])
            return
        for wrong in (uids[1:], (*uids, "another")):
            with pytest.raises(Refused, match="changed meanwhile"):
                add_merges(self.ws, [replace(label, vote_uids=wrong, uid=new_uid())])
        if self.happened(fate, add_merges, self.ws, [label]):
            assert add_merges(self.ws, [label]) == 0
            self.settled[object_id] = label

    @precondition(lambda self: self.settled)
    @rule(data=st.data(), code=person, fate=fate)
    def takes_a_merge_back(self, data: st.DataObject, code: str, fate: str) -> None:
        label = self.settled[data.draw(st.sampled_from(sorted(self.settled)))]
        if self.happened(fate, reopen_merge, self.ws, label.uid, code):
            del self.settled[label.object_id]

    @rule(code=person, which=which)
    def looks(self, code: str, which: int) -> None:
        object_id = self.objects[which]
        add_looks(self.ws, code, 1, [object_id])
        self.seen.setdefault(object_id, []).append(self.uids(object_id))

    # What must be true.

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        if not hasattr(self, "ws"):
            return
        found = votes(self.ws, current=False)
        expected = [
            replace(one, superseded=one.uid in self.superseded, withdrawn=one.uid in self.undone) for one in self.given
        ]
        assert sorted(found, key=str) == sorted(expected, key=str)
        now = votes(self.ws)
        assert len(now) == len(self.holding()) == len({(one.object_id, one.inspector) for one in now})
        for object_id in self.objects:
            assert len(self.holding(object_id)) <= REQUIRED or object_id in self.late
        assert {
            one.object_id: replace(one, superseded=False, reopened=False) for one in merges(self.ws)
        } == self.settled
        for label in merges(self.ws):
            assert set(label.vote_uids) == self.uids(label.object_id)
        assert {(one.object_id, one.inspector): one.note for one in stars(self.ws)} == self.starred
        for code in PEOPLE:
            assert [one.uid for one in undone_votes(self.ws, code)] == self.redoable(code)

    @invariant()
    def the_queue_is_that_of_the_model(self) -> None:
        if not hasattr(self, "ws"):
            return
        assert [one.object_id for one in selection(self.ws, 1)] == self.objects
        assert {(one.inspector, one.object_id, one.expires) for one in leases(self.ws)} == {
            (code, object_id, until) for code, (object_id, until) in self.lease.items() if until > self.now
        }
        counts = {one: min(len(self.holding(one)), REQUIRED) for one in self.objects}
        for code in PEOPLE:
            seen = progress(self.ws, 1, code, REQUIRED)
            assert seen.made == sum(counts.values())
            assert seen.needed == sum(counts[one] if one in self.settled else REQUIRED for one in self.objects)
            assert seen.mine == sum(one.inspector == code for one in self.holding())
            assert seen.mine_left == len(self.waiting_for(code))

    @invariant()
    def log_and_journals_are_whole_and_the_same(self) -> None:
        if not hasattr(self, "ws"):
            return
        assert verify_events(self.ws) == []
        twin = {
            line["uid"]: (line["kind"], line["by"], line["body"])
            for path in journal_files(self.ws.journal_dir)
            for line in read_entries(path).entries
        }
        assert {one.uid: (one.kind, one.by, one.body) for one in events(self.ws)} == twin
        looked = looked_at(self.ws, 1)
        for object_id, looks in self.seen.items():
            # Only the last look of each person is kept; the last of all always counts while the votes are the same.
            assert (object_id in looked) or looks[-1] != self.uids(object_id)
            assert (object_id not in looked) or self.uids(object_id) in looks

    def teardown(self) -> None:
        if hasattr(self, "ws"):
            self.ws.close()
            self.stack.close()
            shutil.rmtree(self.place)


class TestInspection(Inspection.TestCase):  # type: ignore[name-defined,misc]
    settings = settings(max_examples=15, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.soak
@pytest.mark.timeout(7200)
class TestLongInspection(Inspection.TestCase):  # type: ignore[name-defined,misc]
    settings = settings(
        max_examples=500, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
    )
