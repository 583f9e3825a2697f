"""The home and the watch screen, open on pages that a test has made: nothing on them moves with the clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.qnet_app import QnetApp
from qnet_tui.tui.screens.home import HomeScreen
from qnet_tui.tui.screens.lookout import Lookout
from qnet_tui.tui.screens.watch import WatchScreen
from qnet_tui.workflows.home import Home, HomeMerging, HomeQueue, HomeRound, HomeRun
from qnet_tui.workflows.home_next import NextStep
from qnet_tui.workflows.run_watch import Measured, MemberLoss, RunMark, RunSnapshot, StageTime
from storage.standing import Standing

ROUND_2 = HomeRound(
    2, "labelling", "al-0002", 200, 200, 1000, 1560, 3000, 97, 5600, 0.947, (0.934, 0.957), 0.981, (0.97, 0.988), 1204
)
ROUND_1 = HomeRound(
    1, "merged", "al-0001", 200, 200, 1000, 3000, 3000, 1000, 4600, 0.931, (0.916, 0.943), 0.979, (0.968, 0.987), 1204
)
TRUTH = HomeRound(0, "truth", "", 0, 0, 0, 0, 0, 0, 19600, None, None, None, None, None)
RUN = HomeRun(
    "al-0003", "run-al", "RUNNING", "node7", "score", "scoring", 61, 100, 61.0, 3960.0, 200, 200, 3.0, ""
)  # fmt: skip

HOME = Home(
    workspace=Path("/data/guadalupe-qso"),
    name="guadalupe-qso",
    standing=Standing(8000, 3_630_000, 1200, 2_980_000, 18_396, 1_204, "2026-11-20T10:00:00.000000Z"),
    inspector="ABC",
    codes=("ABC",),
    votes_required=3,
    rounds=(ROUND_2, ROUND_1, TRUTH),
    queue=HomeQueue(38, 2, 412, 42.0),
    merging=HomeMerging(41, 212, 21, 650),
    runs=(RUN,),
    next=NextStep("38 spectra wait for you (about 27 min at your pace)", "qnet label", "label", ""),
    has_runs=True,
)
EMPTY = replace(
    HOME, name="new", standing=Standing(0, 0, 0, 0, 0, 0, ""), inspector="", codes=(), queue=HomeQueue(),
    rounds=(replace(TRUTH, truth=0),), merging=HomeMerging(), runs=(), has_runs=False,
    next=NextStep("no spectra are here yet", "qnet ingest PATH...", "", ""),
)  # fmt: skip
LOST_RUN = replace(
    RUN, state="LOST", seconds_left=None, heartbeat_age=200.0, resume="qnet runs resume al-0003"
)  # fmt: skip
LOST = replace(
    HOME, runs=(LOST_RUN,),
    next=NextStep("al-0003 was lost (its process is gone); what it finished is kept", "qnet runs resume al-0003", "",
                  "al-0003"),
)  # fmt: skip

ROUND_AT_WORK = RunSnapshot(
    run="al-0003", verb="run-al", state="RUNNING", round=3, seed=91701, note="on the new nodes",
    command="qnet run-al", host="node7", pid=4242, job="", started="2026-11-22T14:00:00.000000Z", ended="",
    seconds=1260.0, heartbeat_age=3.0,
    stages=(StageTime("plan", "done", 31.0), StageTime("train", "now", 1229.0), StageTime("score", "", None),
            StageTime("select", "", None)),
    step="training networks", done=12, total=40, rate=0.01, seconds_left=2800.0, workers=2, networks_done=12,
    networks=40, failures=1, last_failure="train 7: no memory", error="", headline=None, measured=(),
    losses=tuple(MemberLoss(str(n), 0.2 + 0.01 * ((7 * n) % 5), 90.0) for n in range(12)), resume="",
)  # fmt: skip
EPOCHS = tuple(range(1, 31))
TRAINING_AT_WORK = replace(
    ROUND_AT_WORK, run="tr-0004", verb="train", round=None, note="", step="training", done=30, total=100, rate=2.5,
    seconds_left=28.0, workers=None, networks_done=0, networks=None, failures=0, last_failure="", losses=(),
    stages=(StageTime("train", "now", 12.0),), seconds=12.0,
    measured=(
        Measured("training", "loss", EPOCHS, tuple(3.0 / epoch + 0.1 for epoch in EPOCHS)),
        Measured("validation", "loss", EPOCHS, tuple(3.0 / epoch + 0.3 for epoch in EPOCHS)),
        Measured("validation", "completeness", EPOCHS, tuple(1 - 0.9 / epoch for epoch in EPOCHS)),
        Measured("validation", "purity", EPOCHS, tuple(1 - 0.2 / epoch for epoch in EPOCHS)),
    ),
)  # fmt: skip
LOST_ROUND = replace(
    ROUND_AT_WORK, state="LOST", heartbeat_age=200.0, seconds_left=None, resume="qnet runs resume al-0003",
    stages=(StageTime("plan", "done", 31.0), StageTime("train", "stopped", 1229.0), StageTime("score", "", None),
            StageTime("select", "", None)),
)  # fmt: skip
MARKS = (
    RunMark("tr-0004", "train", "DONE", None),
    RunMark("al-0003", "run-al", "RUNNING", 3),
    RunMark("al-0002", "run-al", "DONE", 2),
)


class PageOfHome:
    """A session that always reads the same page, or fails."""

    def __init__(self, page: Home | Exception) -> None:
        self.page = page

    def read(self) -> Home:
        if isinstance(self.page, Exception):
            raise self.page
        return self.page

    def close(self) -> None:
        pass


class RunsAsMade:
    """A session that sees the runs it was given."""

    def __init__(self, *runs: RunSnapshot) -> None:
        self.runs = {one.run: one for one in runs}
        self.root = Path("/data/guadalupe-qso")

    def look(self, run: str) -> RunSnapshot:
        return self.runs[run]

    def marks(self) -> tuple[RunMark, ...]:
        return MARKS

    def close(self) -> None:
        pass


class OpenLookout:
    """The running app and its screen."""

    def __init__(self, app: QnetApp, pilot: Pilot[int], screen: Any) -> None:
        self.app, self.pilot, self.screen = app, pilot, screen

    def text(self, pane: str) -> str:
        return "\n".join(self.screen.query_one(f"#{pane}").text)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        await self.pilot.pause()

    def whole(self) -> str:
        """Every row of the screen, put together from its panes."""
        if isinstance(self.screen, HomeScreen):
            rows = [*self.screen.query_one("#page").text, *self.screen.query_one("#hint").text]
        else:
            rows = [*self.screen.query_one("#watch-header").text]
            panes = [self.screen.query_one(f"#{name}") for name in ("losses", "shares")]
            charts = [row for pane in panes if pane.display for row in pane.text]
            facts = self.screen.query_one("#run-facts").text
            charts += [""] * (len(facts) - len(charts))
            rows += [f"{words} {chart}" for words, chart in zip(facts, charts, strict=True)]
            rows += self.screen.query_one("#hint").text
        return "\n".join(row.rstrip() for row in rows) + "\n"


@asynccontextmanager
async def opened(
    session: Any, make: Callable[[Desk[Any]], Lookout[Any, Any]], size: tuple[int, int]
) -> AsyncIterator[OpenLookout]:
    desk = Desk(lambda: session)
    try:
        screen = make(desk)
        app = QnetApp(screen)
        async with app.run_test(size=size) as pilot:
            found = OpenLookout(app, pilot, screen)
            await found.until(lambda: screen.seen is not None or bool(screen.trouble))
            yield found
    finally:
        desk.close()


def home(page: Home | Exception, size: tuple[int, int] = (80, 24), charset: Charset = "braille", **how: Any) -> Any:
    """The home screen, open on a page."""
    return opened(PageOfHome(page), lambda desk: HomeScreen(desk, charset, **how), size)


def watch(
    *runs: RunSnapshot, size: tuple[int, int] = (80, 24), charset: Charset = "braille", has_home: bool = True
) -> Any:
    """The watch screen, open on the first of ``runs``."""
    return opened(RunsAsMade(*runs), lambda desk: WatchScreen(desk, charset, runs[0].run, has_home=has_home), size)
