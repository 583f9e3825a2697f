"""Fixtures of the label screen: a campaign, and the screen open on it."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.pilot import Pilot

from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.qnet_app import QnetApp
from qnet_tui.tui.screens.label import LabelScreen
from qnet_tui.workflows.label import LabelOptions, LabelSession
from tests.tui.campaign import desi_spectrum, make_workspace

FROZEN = datetime(2026, 11, 22, 14, 2, 31, tzinfo=UTC)


class Open:
    """The running app, its screen, and the keys of the person in front of it."""

    def __init__(self, app: QnetApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def screen(self) -> LabelScreen:
        assert isinstance(self.app.first, LabelScreen)
        return self.app.first

    @property
    def answer(self):
        return self.screen.moment.state.answer

    def text(self, pane: str) -> str:
        return "\n".join(self.screen.query_one(f"#{pane}").text)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until ``true`` holds; what happens at the desk happens on another thread."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, self.text("answer")
            await asyncio.sleep(0.01)
        await self.pilot.pause()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A round of three quasars, not blind, one vote needed."""
    folder = tmp_path_factory.mktemp("campaign") / "ws"
    spectra = [desi_spectrum(39627000000000310 + n, 2.3042 - 0.4 * n, seed=n + 1) for n in range(3)]
    make_workspace(folder, spectra).close()
    return folder


@pytest.fixture
def root(made_once: Path, tmp_path: Path) -> Path:
    """A copy of the campaign for one test."""
    return Path(shutil.copytree(made_once, tmp_path / "ws"))


@asynccontextmanager
async def opened(
    root: Path,
    size: tuple[int, int] = (80, 24),
    *,
    charset: Charset = "braille",
    code: str = "ABC",
    **options: object,
) -> AsyncIterator[Open]:
    """Open the label screen, wait for the first spectrum, and close all at the end."""
    chosen = LabelOptions(inspector=code, **options)
    desk = Desk(lambda: LabelSession.open(root, chosen, now=lambda: FROZEN, os_user=code))
    try:
        app = QnetApp(LabelScreen(desk, charset))
        async with app.run_test(size=size) as pilot:
            found = Open(app, pilot)
            await found.until(lambda: found.screen.status.progress is not None)
            yield found
    finally:
        desk.close()
