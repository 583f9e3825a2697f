"""How the review screen gets its figures: tabs and spectra are read at the desk while the screen lives on.

Whoever asks for another tab while one is computed has the first one given up. What was computed is kept for a while,
so that going back and forth costs nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from textual.timer import Timer

from qnet_tui.inspection.answer import Z_HIGHEST, Z_LOWEST
from qnet_tui.inspection.keys import Action
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.listing import Listing
from qnet_tui.tui.review_choices import Choices
from qnet_tui.tui.review_words import Busy
from qnet_tui.tui.screens.desk_work import FAULTS
from qnet_tui.tui.screens.review_panes import ReviewPanes, Shown, SpectrumOfRow
from qnet_tui.tui.tones import Tone
from qnet_tui.workflows.review.figures import ReviewFigures
from qnet_tui.workflows.review.tab import Asked

# After this many seconds the screen says that it computes, and from then on how far it is.
_PATIENCE_S = 0.3
_KEPT_TABS, _KEPT_SPECTRA = 12, 24


class GivenUp(Exception):
    """Something else was asked for while this was being computed."""


class ReviewWork(ReviewPanes):
    """A review screen whose figures are at a desk."""

    def __init__(
        self,
        desk: Desk[ReviewFigures],
        charset: Charset,
        *,
        first: str,
        asked: Asked,
        actions: tuple[Action, ...],
        back: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin at the tab ``first`` with what was ``asked``."""
        super().__init__(charset, actions, first, Choices.of(first, asked), back=back)
        self.desk, self._clock = desk, clock
        self._kept: OrderedDict[tuple[str, Asked], Shown] = OrderedDict()
        self._spectra: OrderedDict[Path, SpectrumOfRow] = OrderedDict()
        self._computing: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        # What is computed now, and since when; a computation that finds another one here gives up.
        self._ticket: object = None
        self._progress, self._since = Busy(), 0.0
        self._ticking: Timer | None = None
        # Tabs that choose a dataset themselves when none is chosen: they never show all of them at once.
        self._choosing: set[str] = set()

    @property
    def is_busy(self) -> bool:
        """Whether a tab or a spectrum is being read."""
        return any(task is not None and not task.done() for task in (self._computing, self._reading))

    def on_mount(self) -> None:
        """Ask for the first tab."""
        self._ticking = self.set_interval(_PATIENCE_S, self._tick, pause=True)
        self._open()

    # ------------------------------------------------------------------ tabs

    def _open(self, *, again: bool = False) -> None:
        """Show the tab that is chosen: at once when it is kept, else when it is computed."""
        key = (self.lit, self.choices.asked(self.lit))
        self._ticket = ticket = object()
        if again:
            self._kept.clear()
            self._spectra.clear()
        if key in self._kept:
            self._enter(self._kept[key])
            return
        self._progress, self._since = Busy(), self._clock()
        self._computing = asyncio.create_task(self._compute(key, ticket))
        if self._ticking is not None:
            self._ticking.resume()
        self.draw()

    async def _compute(self, key: tuple[str, Asked], ticket: object) -> None:
        name, asked = key

        def tell(stage: str, done: int, total: int) -> None:
            if ticket is not self._ticket:
                raise GivenUp
            self._progress = Busy(stage, done, total)

        def compute(figures: ReviewFigures) -> Shown:
            tell("", 0, 0)
            return Shown.of(figures.tab(name, asked, tell), self.charset)

        try:
            found = await self.desk.ask(compute)
        except GivenUp:
            return
        except Exception as error:
            if ticket is self._ticket:
                self._cannot(error)
            return
        if asked.dataset == "" and found.tab.asked.dataset:
            self._choosing.add(name)
        for each in (key, (name, found.tab.asked)):
            self._keep(each, found)
        if ticket is self._ticket:
            self._enter(found)

    def _enter(self, found: Shown) -> None:
        self._rest()
        self.shown, self.trouble, self.busy, self.spectrum = found, "", None, None
        self._look_at_spectrum()
        self.draw()

    def _cannot(self, error: Exception) -> None:
        """Say in place of the tab why it cannot be shown; a fault of the program's own says that it is one."""
        self._rest()
        own = "" if isinstance(error, FAULTS) else f"a fault of qnet's own, {type(error).__name__}: "
        self.shown, self.busy, self.trouble = None, None, f"{own}{' '.join(str(error).split())}"
        self.draw()

    def _rest(self) -> None:
        if self._ticking is not None:
            self._ticking.pause()

    def _tick(self) -> None:
        """Say what is being computed once it takes its time; the tab before does not stand under another name."""
        if self._computing is None or self._computing.done() or self._clock() - self._since < _PATIENCE_S:
            return
        if self.busy is None:
            self.shown, self.trouble, self.spectrum = None, "", None
        self.busy = self._progress
        self.draw()

    def _keep(self, key: tuple[str, Asked], found: Shown) -> None:
        self._kept[key] = found
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT_TABS:
            self._kept.popitem(last=False)

    def _go(self, name: str) -> None:
        if name != self.lit:
            self.lit = name
            self._open()

    def _choose(self, choices: Choices, nothing: str) -> None:
        """Show what is chosen now, or say that there is ``nothing`` else."""
        shown = (self.choices.asked(self.lit), self.tab.asked if self.tab is not None else None)
        if choices.asked(self.lit) in shown and not self.trouble:
            self.say(nothing, Tone.DIM)
            return
        self.choices = choices
        self._open()

    def _take(self, listing: Listing) -> None:
        """Show the table as it is arranged now, and the spectrum of its row."""
        if self.shown is not None:
            before, self.shown = self.shown, replace(self.shown, listing=listing)
            for key, kept in self._kept.items():
                if kept.tab is before.tab:
                    self._kept[key] = self.shown
            self._look_at_spectrum()
        self.draw()

    # ------------------------------------------------------------------ the spectrum of a row

    def _look_at_spectrum(self) -> None:
        """Show the spectrum of the row under the cursor: at once when it is kept, else when it is read."""
        path = self._path_of_row()
        self.spectrum = self._spectra.get(path) if path is not None else None
        if path is None or self.spectrum is not None or (self._reading is not None and not self._reading.done()):
            return
        self._reading = asyncio.create_task(self._read_spectra())

    async def _read_spectra(self) -> None:
        """Read what the cursor is on until it stays; rows that it only passed are not read."""
        while (path := self._path_of_row()) is not None and path not in self._spectra:
            row = self.listing.row
            self._spectra[path] = await self._spectrum(path, _redshift_of(row), getattr(row, "state", "") == "merged")
            while len(self._spectra) > _KEPT_SPECTRA:
                self._spectra.popitem(last=False)
        self.spectrum = self._spectra.get(path) if path is not None else None
        self.draw()

    async def _spectrum(self, path: Path, z: float | None, settled: bool) -> SpectrumOfRow:
        try:
            shown = await self.desk.ask(lambda figures: figures.spectrum(path, settled=settled))
            return SpectrumOfRow.of(shown, z, self.charset)
        except FAULTS as error:
            return SpectrumOfRow.unreadable(path.stem, str(error))


def _redshift_of(row: object) -> float | None:
    """Return the redshift that a row knows of its object (the truth or what was merged), None without one."""
    z = getattr(row, "z", None)
    return float(z) if isinstance(z, int | float) and Z_LOWEST <= z <= Z_HIGHEST else None
