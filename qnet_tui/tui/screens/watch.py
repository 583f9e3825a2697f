"""The watch screen: a run at work, looked at once a second; it never writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from qnet_tui.inspection.keys import Action, worded
from qnet_tui.inspection.watch_keys import WATCH_ACTIONS
from qnet_tui.plotting.canvas import Charset
from qnet_tui.plotting.charts import LineChart
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.hints import message_row, shown_row
from qnet_tui.tui.places import BACK
from qnet_tui.tui.screens.desk_work import FAULTS
from qnet_tui.tui.screens.lookout import Lookout
from qnet_tui.tui.tones import Tone
from qnet_tui.tui.watch_words import fact_rows, header_rows, watch_hint
from qnet_tui.tui.widgets.chart import ChartPane
from qnet_tui.tui.widgets.rows import Rows
from qnet_tui.workflows.run_curves import loss_chart, share_chart
from qnet_tui.workflows.run_watch import RunMark, RunSnapshot, RunWatcher
from qnet_tui.workflows.runs import stop_run

_HEADER_ROWS, _HINT_ROWS = 2, 1
_NARROW, _WIDE = 34, 44  # Columns of the pane of words, below and from 100 columns on.


@dataclass(frozen=True)
class Watched:
    """One look: the run that is watched, and all there are."""

    now: RunSnapshot
    marks: tuple[RunMark, ...]


class WatchScreen(Lookout[RunWatcher, Watched]):
    """One run beside the list of all; ``has_home``: Backspace goes back to the home screen."""

    every: ClassVar[float] = 1.0

    def __init__(
        self,
        desk: Desk[RunWatcher],
        charset: Charset,
        run: str,
        actions: tuple[Action, ...] = WATCH_ACTIONS,
        *,
        has_home: bool = False,
    ) -> None:
        """Begin with the run of that id."""
        super().__init__(desk, charset, actions)
        self.run_id, self.has_home = run, has_home
        # The run that is marked in the list: by its id, for the list grows while one looks at it.
        self.marked = run
        self._charts: tuple[object, LineChart | None, LineChart | None] = (None, None, None)

    def compose(self) -> ComposeResult:
        """Header, words beside one chart or two, and one row of keys."""
        yield Rows(id="watch-header")
        with Horizontal(id="watch-middle"):
            yield Rows(id="run-facts")
            with Vertical(id="curves"):
                yield ChartPane(id="losses", charset=self.charset)
                yield ChartPane(id="shares", charset=self.charset)
        yield Rows(id="hint")

    def look(self, session: RunWatcher) -> Watched:
        """Look at the run and at the list."""
        return Watched(session.look(self.run_id), session.marks())

    def draw(self) -> None:
        """Draw all at the size of the terminal."""
        if not self.query(ChartPane):
            return
        columns, rows = self.app.size
        header = self.query_one("#watch-header", Rows)
        if self.seen is None:
            words = self.trouble or "looking at the run ..."
            header.show([shown_row([(f" {words}", Tone.WARN if self.trouble else Tone.DIM)], columns, self.charset)])
        else:
            header.show(header_rows(self.seen.now, columns, self.charset))
            facts = self.query_one("#run-facts", Rows)
            # Where there is nothing to draw the words have all the width.
            has_charts = self._show_charts(self.seen.now)
            wide = (_NARROW if columns < 100 else _WIDE) if has_charts else columns
            facts.styles.width = wide
            room = max(rows - _HEADER_ROWS - _HINT_ROWS, 1)
            facts.show(fact_rows(self.seen.now, self.seen.marks, self._place(), wide, room, self.charset))
        hint = watch_hint(columns, self.charset, self.actions, has_home=self.has_home)
        told = self.message or ((self.trouble, Tone.WARN) if self.trouble and self.seen is not None else None)
        if told is not None:
            hint = message_row(told, columns, self.charset)
        self.query_one("#hint", Rows).show([hint])

    async def act_here(self, name: str) -> None:
        """Mark a run, watch it, stop it, or go home."""
        if name == "back":
            if self.has_home:
                self.app.exit(BACK)
            else:
                self.say(worded("there is no home screen to go back to: {quit} leaves", self.actions), Tone.DIM)
        elif self.seen is None:
            self.say(self.trouble or "still looking")
        elif name in ("run_next", "run_previous"):
            place = self._place() + (1 if name == "run_next" else -1)
            self.marked = self.seen.marks[min(max(place, 0), len(self.seen.marks) - 1)].run
            self.draw()
        elif name == "open_run":
            self.run_id = self.marked
            self.look_now()
            self.say(f"now watching {self.run_id}", Tone.DIM)
        elif self.seen.now.state != "RUNNING":
            self.say(f"{self.seen.now.run} does not run: there is nothing to stop")
        else:
            self.asking = True
            self.say(f"stop {self.seen.now.run}? y stops it, what is finished is kept; any other key does not")

    async def confirmed(self, *, yes: bool) -> None:
        """Stop the run where the answer is yes; what it has finished is kept."""
        if not yes or self.seen is None:
            self.say("it goes on", Tone.DIM)
            return
        run = self.seen.now.run
        try:
            await self.desk.ask(lambda session: stop_run(session.root, run))
        except FAULTS as error:
            self.say(" ".join(str(error).split()))
            return
        self.say(f"{run} was asked to stop: it ends its tasks in hand first", Tone.GOOD)

    def _place(self) -> int:
        """Return where the marked run stands in the list."""
        marks = self.seen.marks if self.seen is not None else ()
        return next((place for place, one in enumerate(marks) if one.run == self.marked), 0)

    def _show_charts(self, now: RunSnapshot) -> bool:
        """Show what was measured, drawn anew only when there is more of it; return whether there is anything."""
        what = (now.run, now.measured, now.losses)
        if self._charts[0] != what:
            self._charts = (what, loss_chart(now), share_chart(now))
        for name, chart in zip(("#losses", "#shares"), self._charts[1:], strict=True):
            pane = self.query_one(name, ChartPane)
            pane.display = chart is not None
            if pane.chart is not chart:
                pane.show_chart(chart)
        has_charts = any(chart is not None for chart in self._charts[1:])
        self.query_one("#curves").display = has_charts
        return has_charts
