"""Fixtures of the label screen: a campaign, and the screen open on it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.screens.label import LabelScreen
from qnet_tui.workflows.label import LabelOptions, LabelSession
from qnet_tui.workflows.user_keys import UserKeys
from tests.tui.campaign import desi_spectrum, make_workspace
from tests.tui.open_screen import OpenScreen, at_desk

FROZEN = datetime(2026, 11, 22, 14, 2, 31, tzinfo=UTC)


class Open(OpenScreen[LabelScreen]):
    """The label screen."""


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
    user: UserKeys | None = None,
    fast: bool = False,
    **options: object,
) -> AsyncIterator[Open]:
    """Open the label screen, wait for the first spectrum, and close all at the end."""
    chosen = LabelOptions(inspector=code, **options)
    async with at_desk(
        Open,
        lambda: LabelSession.open(root, chosen, now=lambda: FROZEN, os_user=code),
        lambda desk: LabelScreen(desk, charset, user=user, fast_commit=fast),
        size,
    ) as found:
        await found.until(lambda: found.screen.status.progress is not None)
        yield found
