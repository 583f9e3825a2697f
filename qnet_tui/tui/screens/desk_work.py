"""How the working screens do what takes time: one thing after the other at the desk, while the screen lives on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import ClassVar, Generic, TypeVar

from qnet_tui.errors import QnetError
from qnet_tui.inspection.answer import Refused
from qnet_tui.inspection.keys import Action
from qnet_tui.inspection.pace import ActiveTime
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.desk import Desk, S
from qnet_tui.tui.row_pieces import SavingStatus
from qnet_tui.tui.screens.key_by_key import KeyByKey
from qnet_tui.tui.screens.picture_panes import M
from storage.errors import DatabaseBusy, StorageError

_RETRY_S = 2.0

# What the disk and the database may say no with.
FAULTS = (StorageError, QnetError, OSError)

T = TypeVar("T")
St = TypeVar("St", bound=SavingStatus)


class DeskWork(KeyByKey[M], Generic[M, S]):
    """A screen whose session is at a desk."""

    # A key waits this long for the disk; after that the screen says that it is waiting and stays alive. None: a key
    # waits until it is done.
    patience: ClassVar[float | None] = 0.5

    def __init__(self, desk: Desk[S], charset: Charset, actions: tuple[Action, ...], moment: M) -> None:
        """Begin with nothing to do."""
        super().__init__(charset, actions, moment)
        self.desk = desk
        self._working: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether something is being done at the desk."""
        return self._working is not None and not self._working.done()

    async def _do(self, what: Callable[[], Awaitable[None]], doing: str = "waiting for the database") -> None:
        """Start something and give it a moment; then the screen lives on while it is being done."""
        self._doing = doing
        self._working = asyncio.create_task(self._guarded(what))
        done, _ = await asyncio.wait({self._working}, timeout=self.patience)
        if not done:
            self._note_busy(doing)
            self.draw()

    async def _guarded(self, what: Callable[[], Awaitable[None]]) -> None:
        try:
            await what()
        except (Refused, *FAULTS) as error:
            self.refuse(error)
        finally:
            self._note_busy("")
            self.draw()

    def _note_busy(self, doing: str) -> None:
        """Keep what is being done, where the screen shows it; "" when it is done."""


class SavingWork(DeskWork[M, S], Generic[M, S, St]):
    """A screen that saves answers, says whether they are saved, and counts the time that they take."""

    def __init__(
        self,
        desk: Desk[S],
        charset: Charset,
        actions: tuple[Action, ...],
        moment: M,
        status: St,
        clock: Callable[[], float],
    ) -> None:
        """Draw with ``charset``; ``clock`` gives seconds that only go forward."""
        super().__init__(desk, charset, actions, moment)
        self.status, self._clock, self._active = status, clock, ActiveTime()

    def _touch(self) -> None:
        self._active = self._active.touched(self._clock())

    def _note_busy(self, doing: str) -> None:
        self.status = replace(self.status, busy=doing)

    async def _saved(self, save: Callable[[S], T]) -> T:
        """Save, and return what was saved; a busy database is asked again until it takes it."""
        while True:
            try:
                return await self.desk.ask(save)
            except DatabaseBusy as busy:
                self.status = replace(self.status, trouble=str(busy))
                self.say(f"not saved yet, trying again: {busy}")
                await asyncio.sleep(_RETRY_S)
            except FAULTS as error:
                self.status = replace(self.status, trouble=str(error))
                raise
