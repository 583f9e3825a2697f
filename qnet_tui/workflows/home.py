"""Where a campaign stands and what to do next, on one page: the home screen and ``qnet status`` show the same.

A :class:`HomeReader` looks again and again; it asks little of the database, however large the survey, and computes
anew only when somebody has written. Nothing is ever written here.
"""

from __future__ import annotations

import getpass
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import storage.queue as queue_store
import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.settings as campaign
from qnet_tui.inspection.pace import usual_seconds
from qnet_tui.workflows.home_next import NextStep, next_step
from qnet_tui.workflows.merge_reading import BoardReader, MergeSettings
from qnet_tui.workflows.run_facts import can_go_on, resume_command
from qnet_tui.workflows.run_watch import RunSnapshot, RunWatcher
from storage.inspectors import inspectors
from storage.reading import open_for_reading
from storage.runs import RunRecord
from storage.standing import Standing, recent_active_seconds, standing
from storage.workspace import Workspace

SHOWN_RUNS = 3


@dataclass(frozen=True)
class HomeRound:
    """One round; round 0 is the imported truth.

    ``votes_made`` of ``votes_needed`` count an object at most as often as votes are required. ``truth`` are the labels
    that its committee learned from. Completeness and purity are those of the committee on the held-out objects.
    """

    round: int
    state: str
    run: str
    networks_done: int
    networks: int
    asked: int
    votes_made: int
    votes_needed: int
    merged: int
    truth: int
    completeness: float | None
    completeness_interval: tuple[float, float] | None
    purity: float | None
    purity_interval: tuple[float, float] | None
    held_out: int | None

    @property
    def voted(self) -> float | None:
        """The share of the votes that are made."""
        return self.votes_made / self.votes_needed if self.votes_needed else None


@dataclass(frozen=True)
class HomeQueue:
    """My queue: objects ``left`` for me, of which others look at ``held`` now; ``seconds`` that I take for one."""

    left: int = 0
    held: int = 0
    mine: int = 0
    seconds: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at my pace; None before the third answer."""
        return self.seconds * self.left if self.seconds is not None else None


@dataclass(frozen=True)
class HomeMerging:
    """Objects with all their votes that wait for a merger; ``lacking`` objects wait for votes of anybody."""

    conflicts: int = 0
    agreed: int = 0
    to_look: int = 0
    lacking: int = 0


@dataclass(frozen=True)
class HomeRun:
    """A run at work, or one that stopped before its end; ``seconds_left`` of its step."""

    run: str
    verb: str
    state: str
    where: str
    stage: str
    step: str
    done: int
    total: int
    percent: float | None
    seconds_left: float | None
    networks_done: int
    networks: int | None
    heartbeat_age: float
    resume: str


@dataclass(frozen=True)
class Home:
    """The page; ``inspector`` is the code of this account ("" for none), ``codes`` all that it has."""

    workspace: Path
    name: str
    standing: Standing
    inspector: str
    codes: tuple[str, ...]
    votes_required: int
    rounds: tuple[HomeRound, ...]
    queue: HomeQueue
    merging: HomeMerging
    runs: tuple[HomeRun, ...]
    next: NextStep
    has_runs: bool = False


def status(root: Path, os_user: str | None = None) -> Home:
    """Return the page of the workspace at ``root`` as it is now, for an account (None: the one that asks)."""
    reader = HomeReader.open(root, os_user)
    try:
        return reader.read()
    finally:
        reader.close()


class HomeReader:
    """Reads the page of one workspace for one account: a session for a screen, which asks it from one thread."""

    def __init__(self, ws: Workspace, os_user: str) -> None:
        """Read nothing yet."""
        self._ws, self._os_user = ws, os_user
        self._watcher = RunWatcher(ws)
        self._version: int | None = None
        self._standing: Standing | None = None
        self._board: tuple[Any, BoardReader] | None = None
        self._page: Home | None = None

    @classmethod
    def open(cls, root: Path, os_user: str | None = None) -> HomeReader:
        """Open the workspace at ``root`` for reading; ``os_user`` None is the account that asks."""
        return cls(open_for_reading(root), getpass.getuser() if os_user is None else os_user)

    def close(self) -> None:
        """Close the connection."""
        self._ws.close()

    def read(self) -> Home:
        """Return the page as it is now. Runs are always looked at: a run is lost without anybody writing it."""
        version = self._ws.data_version()
        records = runs_store.runs(self._ws)
        page = self._page if version == self._version and self._page is not None else self._counted(records)
        shown = tuple(self._run(self._watcher.look(record.id), record) for record in _of_interest(self._ws, records))
        page = replace(page, runs=shown, rounds=tuple(_with_state(one, records) for one in page.rounds))
        self._version = version
        self._page = replace(page, next=next_step(page, records))
        return self._page

    def _counted(self, records: list[RunRecord]) -> Home:
        """What the database says of rounds, votes and labels."""
        ws = self._ws
        required = int(campaign.get_setting(ws, "votes_required"))
        good = float(campaign.get_setting(ws, "quality_good"))
        self._standing = standing(ws, self._standing, good)
        codes = tuple(one.code for one in inspectors(ws) if one.os_user == self._os_user)
        code = codes[0] if codes else ""
        summaries = rounds_store.rounds(ws)
        progress = {one.round: queue_store.progress(ws, one.round, code, required) for one in summaries}
        rounds = [
            self._round(one, progress[one.round], next((r for r in records if r.id == one.run_id), None))
            for one in summaries
        ]
        known = {one.round for one in summaries}
        rounds += [
            self._begun(record)
            for record in records
            if record.verb == "run-al" and record.round is not None and record.round not in known
        ]
        rounds.sort(key=lambda one: -one.round)
        labels = self._standing.train + self._standing.validation
        return Home(
            workspace=ws.root,
            name=ws.root.name,
            standing=self._standing,
            inspector=code,
            codes=codes,
            votes_required=required,
            rounds=(*rounds, _truth_round(labels)),
            queue=HomeQueue(
                left=sum(one.mine_left for one in progress.values()),
                held=sum(len(one.held) for one in progress.values()),
                mine=sum(one.mine for one in progress.values()),
                seconds=usual_seconds(recent_active_seconds(ws, code)) if code else None,
            ),
            merging=self._merging([one.round for one in summaries if one.selected]),
            runs=(),
            next=NextStep("", "", "", ""),
            has_runs=bool(records),
        )

    def _round(
        self, summary: rounds_store.RoundSummary, progress: queue_store.Progress, record: RunRecord | None
    ) -> HomeRound:
        result = (record.result if record else None) or {}
        validation = result.get("validation") or {}
        done = summary.selected and summary.merged == summary.selected
        return HomeRound(
            round=summary.round,
            state="merged" if done else "labelling",
            run=record.id if record else "",
            networks_done=int(result.get("networks", 0)),
            networks=int(record.settings.get("networks", 0)) if record else 0,
            asked=summary.selected,
            votes_made=progress.made,
            votes_needed=progress.needed,
            merged=summary.merged,
            truth=int(result.get("training", 0)),
            completeness=validation.get("completeness"),
            completeness_interval=_pair(validation.get("completeness_interval")),
            purity=validation.get("purity"),
            purity_interval=_pair(validation.get("purity_interval")),
            held_out=validation.get("n"),
        )

    def _begun(self, record: RunRecord) -> HomeRound:
        """A round whose run has selected nothing yet."""
        trained = runs_store.finished_networks(self._ws, record.id)
        networks = int(record.settings.get("networks", 0))
        number = int(record.round or 0)
        state = record.stage if record.state == "RUNNING" else record.state.lower()
        return HomeRound(
            number, state, record.id, trained, networks, 0, 0, 0, 0, 0, None, None, None, None, None
        )  # fmt: skip

    def _merging(self, rounds: list[int]) -> HomeMerging:
        if not rounds:
            return HomeMerging()
        settings = MergeSettings.of(self._ws)
        wanted = (settings, tuple(rounds))
        if self._board is None or self._board[0] != wanted:
            self._board = (wanted, BoardReader(self._ws, settings, rounds))
        board = self._board[1].read()
        agreed = board.with_state("agreed")
        return HomeMerging(
            len(board.with_state("conflict")), len(agreed), sum(case.to_look for case in agreed), board.open
        )

    def _run(self, now: RunSnapshot, record: RunRecord) -> HomeRun:
        stage = next((one.name for one in now.stages if one.state in ("now", "stopped")), "")
        return HomeRun(
            run=now.run, verb=now.verb, state=now.state, where=f"job {now.job}" if now.job else now.host, stage=stage,
            step=now.step, done=now.done, total=now.total, percent=now.percent, seconds_left=now.seconds_left,
            networks_done=now.networks_done, networks=now.networks, heartbeat_age=now.heartbeat_age,
            resume=resume_command(self._ws, record),
        )  # fmt: skip


def _of_interest(ws: Workspace, records: list[RunRecord]) -> list[RunRecord]:
    """Runs at work, then those that ended before their time and are the last of their verb; at most three."""
    working = [record for record in records if record.state == "RUNNING"]
    last: dict[str, RunRecord] = {}
    for record in records:
        last.setdefault(record.verb, record)
    broken = [record for record in last.values() if can_go_on(ws, record)]
    return [*working, *broken][:SHOWN_RUNS]


def _with_state(one: HomeRound, records: list[RunRecord]) -> HomeRound:
    """A round that its run has not finished is in the state of its run, which may be lost by now."""
    record = next((record for record in records if record.id == one.run), None)
    if record is None or one.asked or record.state == "DONE":
        return one
    return replace(one, state=record.stage or "begun" if record.state == "RUNNING" else record.state.lower())


def _truth_round(labels: int) -> HomeRound:
    return HomeRound(0, "truth", "", 0, 0, 0, 0, 0, 0, labels, None, None, None, None, None)


def _pair(value: Any) -> tuple[float, float] | None:
    return (float(value[0]), float(value[1])) if isinstance(value, (list, tuple)) and len(value) == 2 else None
