"""Nothing that was acknowledged is lost: 20 rounds of kills in every run of the suite, 200 by hand.

python -m pytest -m soak -s tests/storage/test_durability.py
"""

from pathlib import Path

import pytest

from storage.votes import add_inspector
from storage.workspace import Workspace
from tests.storage.conftest import ingest, queue
from tests.storage.durability import CODES, Campaign, Figures


def campaign_of(place: Path, objects: int, seed: int) -> Campaign:
    ws = Workspace.create(place / "ws")
    ingest(ws, objects)
    queue(ws, objects)
    for code in CODES:
        add_inspector(ws, code, code.lower())
    return Campaign(ws, seed)


def played(campaign: Campaign, rounds: int) -> Figures:
    for _ in range(rounds):
        campaign.round()
        assert campaign.figures.bad() == {}, campaign.figures.line()
    print(campaign.figures.line())
    return campaign.figures


def test_twenty_rounds_of_kills_lose_nothing(tmp_path: Path) -> None:
    figures = played(campaign_of(tmp_path, 200, seed=3), 20)
    # Otherwise the kills came before or after the work and nothing was shown.
    assert figures.acknowledged >= 20 * len(CODES)
    assert figures.kills >= 20 * len(CODES)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_rounds_of_kills_lose_nothing(tmp_path: Path) -> None:
    figures = played(campaign_of(tmp_path, 3000, seed=20261122), 200)
    assert figures.kills >= 200 * len(CODES)
    assert figures.hot_journals > 0
    assert figures.entered_at_open > 0
