"""Any sequence of answers, undoings, merges and crashes of the database against a plain model."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from storage.errors import Refused
from storage.merges import MergedLabel, add_merges, merges
from storage.rounds import selection
from storage.votes import Vote, add_inspector, commit_vote, new_uid, recover, votes, withdraw_vote
from storage.workspace import Workspace
from tests.storage.conftest import ingest, queue

CODES = ("AA", "BB", "CC")
OBJECTS = st.integers(0, 2)


class Campaign(RuleBasedStateMachine):
    """The model: who says what of which object now, and which objects are settled on which votes."""

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp())
        self.ws = Workspace.create(self.place / "ws")
        ingest(self.ws, 3)
        self.objects = [one.object_id for one in queue(self.ws, 3)]
        self.objects = [int(one) for one in self.objects]
        for code in CODES:
            add_inspector(self.ws, code, code)
        self.current: dict[tuple[int, str], Vote] = {}
        self.settled: dict[int, tuple[str, ...]] = {}
        self.all_uids: set[str] = set()

    @rule(which=OBJECTS, code=st.sampled_from(CODES), z=st.floats(0, 7), quality=st.integers(0, 4))
    def answer(self, which: int, code: str, z: float, quality: int) -> None:
        vote = Vote(new_uid(), 1, self.objects[which], code, "QSO", z, quality)
        assert commit_vote(self.ws, vote)
        assert not commit_vote(self.ws, vote)
        self.current[vote.object_id, code] = vote
        self.all_uids.add(vote.uid)
        self.settled.pop(vote.object_id, None)

    @rule(which=OBJECTS, code=st.sampled_from(CODES))
    def undo(self, which: int, code: str) -> None:
        vote = self.current.get((self.objects[which], code))
        if vote is None:
            return
        if vote.uid in self.settled.get(vote.object_id, ()):
            try:
                withdraw_vote(self.ws, vote.uid, code)
            except Refused:
                return
            raise AssertionError("a merged vote was undone")
        withdraw_vote(self.ws, vote.uid, code)
        del self.current[vote.object_id, code]

    @rule(which=OBJECTS)
    def settle(self, which: int) -> None:
        object_id = self.objects[which]
        uids = tuple(vote.uid for (one, _), vote in self.current.items() if one == object_id)
        label = MergedLabel(1, object_id, "QSO", 2.0, 3.0, "", "", len(uids), "qnet1", "CC", vote_uids=uids)
        assert add_merges(self.ws, [label]) == 1
        self.settled[object_id] = uids

    @rule()
    def open_again(self) -> None:
        self.ws.close()
        self.ws = Workspace.open(self.ws.root)

    @rule()
    def lose_the_database(self) -> None:
        self.ws.close()
        self.ws.database.unlink()
        assert recover(self.ws.root).left == ()
        self.ws = Workspace.open(self.ws.root)
        assert [one.object_id for one in selection(self.ws, 1)] == self.objects

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        if hasattr(self, "ws"):
            assert {(one.object_id, one.inspector): one for one in votes(self.ws)} == self.current
            assert {one.object_id: one.vote_uids for one in merges(self.ws)} == self.settled
            assert {one.uid for one in votes(self.ws, current=False)} == self.all_uids

    def teardown(self) -> None:
        if hasattr(self, "ws"):
            self.ws.close()
            shutil.rmtree(self.place)


Campaign.TestCase.settings = settings(
    max_examples=8, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
TestCampaign = Campaign.TestCase
