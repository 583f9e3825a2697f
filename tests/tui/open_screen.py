"""A working screen that is open in a test, and the keys of the person in front of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from textual.pilot import Pilot

from qnet_tui.tui.desk import Desk
from qnet_tui.tui.qnet_app import QnetApp
from qnet_tui.tui.screens.picture_panes import PicturePanes

Sc = TypeVar("Sc", bound=PicturePanes[Any])
Opened = TypeVar("Opened", bound="OpenScreen[Any]")


class OpenScreen(Generic[Sc]):
    """The running app, its screen, and what stands in its panes."""

    def __init__(self, app: QnetApp, pilot: Pilot[int], screen: Sc) -> None:
        self.app, self.pilot, self.screen = app, pilot, screen

    @property
    def answer(self):
        return self.screen.moment.state.answer

    def text(self, pane: str) -> str:
        return "\n".join(self.screen.query_one(f"#{pane}").text)

    @property
    def said(self) -> str:
        """The pane of words and the last row: a message stands in one of them."""
        return f"{self.text(self.screen.words_pane)}\n{self.text('hint')}"

    def whole(self) -> str:
        """Every row of the screen, put together from its panes."""
        zooms = [f"zoom{place}" for place in range(self.screen.most_zooms)]
        panes = [self.screen.words_pane, *(zoom for zoom in zooms if self.screen.query_one(f"#{zoom}").display)]
        lower = zip(*(self.screen.query_one(f"#{pane}").text for pane in panes), strict=True)
        rows = [*self.screen.query_one("#header").text, *self.screen.query_one("#spectrum").text]
        rows += [" ".join(parts) for parts in lower] + self.screen.query_one("#hint").text
        return "\n".join(row.rstrip() for row in rows) + "\n"

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until ``true`` holds; what happens at the desk happens on another thread."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, self.said
            await asyncio.sleep(0.01)
        await self.pilot.pause()

    async def settled(self) -> None:
        """Wait until nothing is being done at the desk."""
        await self.until(lambda: not self.screen.is_busy)


@asynccontextmanager
async def at_desk(
    kind: type[Opened], open_session: Callable[[], Any], make_screen: Callable[[Desk[Any]], Any], size: tuple[int, int]
) -> AsyncIterator[Opened]:
    """Open a session and the screen on it as ``kind``, and close all at the end."""
    desk = Desk(open_session)
    try:
        screen = make_screen(desk)
        app = QnetApp(screen)
        async with app.run_test(size=size) as pilot:
            yield kind(app, pilot, screen)
    finally:
        desk.close()
