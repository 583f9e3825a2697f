"""Rounds of four labelling processes that are killed at random moments, and what must be true after each.

A process acknowledges what a call returned from. After every round:

- nothing acknowledged is missing from the database, and nothing is there twice: the log has each acknowledged thing
  exactly once, and beyond that at most one thing for each kill (done, but killed before it could say so);
- no object has two votes of one person, or more votes than are required;
- SQLite's integrity check is good and the chain of the log is unbroken;
- the journals have, entry for entry, what the log has;
- the database is deleted; the one that ``recover`` builds from ``journal/`` and ``rounds/`` alone says the same, and
  the next round goes on with it.
"""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from storage.connection import connect, fetch
from storage.events import Event, events, verify_events
from storage.journal import journal_files, read_entries
from storage.merges import merges
from storage.rounds import selection
from storage.settings import all_settings, set_setting
from storage.stars import stars
from storage.votes import inspectors, recover, votes
from storage.workspace import DATABASE, Workspace
from tests.storage.labellers import MERGED_AT_ONCE, REQUIRED

ROOT = Path(__file__).resolve().parents[2]
CODES = ("ABC", "DEF", "GHI", "JKL")
LONGEST_LIFE = 0.25
"""Seconds between the start of the work and the kill, at most."""


@dataclass
class Figures:
    """What all rounds together showed. From ``lost`` to ``recover_differs`` everything must be 0.

    ``unheard``: done, and killed before it could be acknowledged. ``entered_at_open``: what only a journal had.
    ``torn_lines``: cut off in the middle of a journal. ``hot_journals``: rounds that left a transaction to roll back.
    """

    rounds: int = 0
    kills: int = 0
    acknowledged: int = 0
    in_database: int = 0
    lost: int = 0
    duplicates: int = 0
    integrity_bad: int = 0
    twin_differs: int = 0
    recover_differs: int = 0
    unheard: int = 0
    entered_at_open: int = 0
    torn_lines: int = 0
    hot_journals: int = 0
    seconds: float = 0.0

    def bad(self) -> dict[str, int]:
        """Return what should be 0 and is not."""
        names = ("lost", "duplicates", "integrity_bad", "twin_differs", "recover_differs")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    def line(self) -> str:
        """Return all figures in one line."""
        return ", ".join(f"{name} {round(value, 1)}" for name, value in vars(self).items())


class Campaign:
    """One workspace through many rounds."""

    def __init__(self, ws: Workspace, seed: int) -> None:
        """Take over a workspace with a round 1 and the four inspectors; it is closed."""
        set_setting(ws, "merger_may_vote", True, "test")
        ws.close()
        self.root = ws.root
        self.figures = Figures()
        self._rng = random.Random(seed)
        self._acknowledged: Counter[str] = Counter()

    def round(self) -> None:
        """Let four people label until each is killed, open the workspace, compare, lose the database, rebuild it."""
        begun = time.monotonic()
        self._acknowledged.update(self._killed())
        beside = self.root / (DATABASE + "-journal")
        self.figures.hot_journals += beside.exists() and beside.stat().st_size > 0
        with closing(connect(self.root / DATABASE)) as db:
            before = fetch(db, "SELECT count(*) FROM event")[0][0]
        with Workspace.open(self.root) as ws:
            self.figures.entered_at_open += fetch(ws.db, "SELECT count(*) FROM event")[0][0] - before
            self._compare(ws)
            said = everything_said(ws)
        (self.root / DATABASE).unlink()
        if recover(self.root).left or self._rebuilt() != said:
            self.figures.recover_differs += 1
        self.figures.rounds += 1
        self.figures.seconds += time.monotonic() - begun

    def _killed(self) -> list[str]:
        """Return what four labellers acknowledged before each was killed at a random moment.

        In every third round the first to die comes back while the others write, so that what it left is replayed
        beside their writing.
        """
        people = [_started(self.root, code, self._rng.randrange(1 << 30)) for code in CODES]
        for one in people:
            _begin(one)
        began = time.monotonic()
        if self.figures.rounds % 3 == 2:
            time.sleep(self._rng.uniform(0.0, LONGEST_LIFE))
            people[0].kill()
            people.append(_started(self.root, CODES[0], self._rng.randrange(1 << 30)))
            _begin(people[-1])
            began = time.monotonic()
        for moment, one in sorted(((self._rng.uniform(0.0, LONGEST_LIFE), one) for one in people), key=_moment):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            one.kill()
        said = []
        for one in people:
            out, _ = one.communicate()
            assert one.returncode == -signal.SIGKILL, "a labeller ended by itself"
            # A line without an end was cut off by the kill: nobody could read it.
            said += [line for line in out.split("\n")[:-1] if line]
        self.figures.kills += len(people)
        return said

    def _compare(self, ws: Workspace) -> None:
        log = events(ws)
        done = Counter(_as_acknowledged(event) for event in log if event.kind != "inspector")
        figures = self.figures
        figures.acknowledged = self._acknowledged.total()
        figures.in_database = done.total()
        figures.lost += (self._acknowledged - done).total()
        # Beyond what was acknowledged there is at most what a kill cut off from its acknowledgement: one thing each,
        # or all labels of one merge.
        unheard = done - self._acknowledged
        figures.unheard = unheard.total()
        merged = sum(1 for one in unheard if one.startswith("merge"))
        figures.duplicates += max(0, figures.unheard - merged - figures.kills)
        figures.duplicates += max(0, merged - MERGED_AT_ONCE * figures.kills)
        found = votes(ws)
        figures.duplicates += len(log) - len({event.uid for event in log})
        figures.duplicates += len(found) - len({(one.object_id, one.inspector) for one in found})
        figures.duplicates += sum(max(0, n - REQUIRED) for n in Counter(one.object_id for one in found).values())
        figures.integrity_bad += fetch(ws.db, "PRAGMA integrity_check") != [("ok",)] or verify_events(ws) != []
        figures.torn_lines = sum(read_entries(path).bad_lines for path in journal_files(ws.journal_dir))
        twin = {
            line["uid"]: (line["at"], line["kind"], line["by"], line["body"])
            for path in journal_files(ws.journal_dir)
            for line in read_entries(path).entries
        }
        figures.twin_differs += twin != {event.uid: (event.at, event.kind, event.by, event.body) for event in log}

    def _rebuilt(self) -> tuple[object, ...]:
        with Workspace.open(self.root) as ws:
            return everything_said(ws)


def everything_said(ws: Workspace) -> tuple[object, ...]:
    """Return all that people said, also what was undone or replaced."""
    return (
        votes(ws, current=False),
        merges(ws, current=False),
        stars(ws),
        inspectors(ws),
        all_settings(ws),
        [(one.object_id, one.rank) for one in selection(ws, 1)],
        sorted((event.uid, event.at, event.kind, event.by, json.dumps(event.body)) for event in events(ws)),
    )


def _as_acknowledged(event: Event) -> str:
    if event.kind in ("withdraw", "restore"):
        return f"{event.kind} {event.body['vote_uid']}"
    if event.kind in ("star", "unstar"):
        return f"{event.kind} {event.by} {event.object_id}"
    return f"{event.kind} {event.uid}"


def _started(root: Path, code: str, seed: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.storage.labellers", str(root), code, str(seed)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _begin(labeller: "subprocess.Popen[str]") -> None:
    """Wait until it has opened the workspace, and let it work."""
    assert labeller.stdin is not None
    assert labeller.stdout is not None
    assert labeller.stdout.readline() == "ready\n"
    labeller.stdin.write("go\n")
    labeller.stdin.flush()


def _moment(pair: tuple[float, object]) -> float:
    return pair[0]
