"""What the labelling processes of the durability test do; run as ``python -m tests.storage.labellers ROOT CODE SEED``.

Each acknowledges on its standard output what a call returned from: from there on it must never be lost. The imports
are few, because the process is started hundreds of times.
"""

import random
import sys

from storage.errors import Refused
from storage.merges import MergedLabel, add_merges, merges
from storage.rounds import selection
from storage.stars import set_star, stars
from storage.votes import (
    Vote,
    commit_vote,
    defer,
    new_uid,
    next_object,
    restore_vote,
    undone_votes,
    votes,
    withdraw_vote,
)
from storage.workspace import Workspace

REQUIRED = 3
MERGED_AT_ONCE = 3


class Labeller:
    """One inspector who answers, changes an answer, undoes, redoes, stars, defers and merges, in a random order."""

    def __init__(self, ws: Workspace, code: str, rng: random.Random) -> None:
        self._ws, self._code, self._rng = ws, code, rng
        self._objects = [record.object_id for record in selection(ws, 1)]

    def step(self) -> str:
        """Do one thing; return what is acknowledged of it ("" for nothing)."""
        action = self._rng.choices(
            (self.answer, self.correct, self.undo, self.redo, self.star, self.defer, self.merge),
            weights=(70, 4, 8, 5, 5, 3, 5),
        )[0]
        try:
            return action()
        except Refused:
            # Somebody was faster: merged, answered or took it.
            return ""

    def answer(self) -> str:
        record = next_object(self._ws, 1, self._code, REQUIRED)
        return self.correct() if record is None else self._vote(record.object_id)

    def correct(self) -> str:
        mine = self._mine()
        return self._vote(self._rng.choice(mine).object_id) if mine else ""

    def undo(self) -> str:
        mine = self._mine()
        if not mine:
            return ""
        vote = max(mine, key=lambda one: one.committed_at)
        withdraw_vote(self._ws, vote.uid, self._code)
        return f"withdraw {vote.uid}"

    def redo(self) -> str:
        undone = undone_votes(self._ws, self._code)
        if not undone:
            return ""
        restore_vote(self._ws, undone[0].uid, self._code)
        return f"restore {undone[0].uid}"

    def star(self) -> str:
        object_id = self._rng.choice(self._objects)
        starred = not stars(self._ws, self._code, object_id)
        set_star(self._ws, self._code, object_id, starred, "look" if starred else "")
        return f"{'star' if starred else 'unstar'} {self._code} {object_id}"

    def defer(self) -> str:
        record = next_object(self._ws, 1, self._code, REQUIRED)
        if record is not None:
            defer(self._ws, self._code, record.object_id)
        return ""

    def merge(self) -> str:
        done = {label.object_id for label in merges(self._ws, 1)}
        waiting: dict[int, list[Vote]] = {}
        for vote in votes(self._ws, 1):
            if vote.object_id not in done:
                waiting.setdefault(vote.object_id, []).append(vote)
        full = [given for given in waiting.values() if len(given) >= REQUIRED]
        labels = [
            MergedLabel(
                1, given[0].object_id, "QSO", 2.0, 4.0, "", "", len(given), "qnet1", self._code,
                vote_uids=tuple(vote.uid for vote in given),
            )
            for given in full[:MERGED_AT_ONCE]
        ]  # fmt: skip
        add_merges(self._ws, labels)
        return "".join(f"merge {label.uid}\n" for label in labels).rstrip("\n")

    def _mine(self) -> list[Vote]:
        return [vote for vote in votes(self._ws, 1) if vote.inspector == self._code]

    def _vote(self, object_id: int) -> str:
        z = self._rng.uniform(0.0, 5.0)
        vote = Vote(new_uid(), 1, object_id, self._code, "QSO", z, self._rng.randrange(5), comment="C III] schwach")
        commit_vote(self._ws, vote)
        return f"vote {vote.uid}"


def main(root: str, code: str, seed: str) -> None:
    with Workspace.open(root) as ws:
        labeller = Labeller(ws, code, random.Random(int(seed)))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        while True:
            said = labeller.step()
            if said:
                sys.stdout.write(said + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
