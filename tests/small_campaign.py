"""A small simulated campaign, made once and copied for each test that changes it."""

import shutil
from pathlib import Path

import pytest

import storage.settings as campaign
from qnet_tui.workflows.demo import seal_some
from qnet_tui.workflows.ingest import ingest
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.presets import RoundSettings, round_settings
from qnet_tui.workflows.simulate import simulate_survey
from qnet_tui.workflows.truth import import_truth, split
from storage.workspace import Workspace

TINY = {"networks": 3, "filters": 6, "epochs": 2, "batch": 32, "select": 8, "block_rows": 40}
"""A committee that trains in seconds: what is tested is the machinery, not the science."""


def tiny_round(**changes: object) -> RoundSettings:
    return round_settings("smoke", **{**TINY, **changes})


@pytest.fixture(scope="session")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated survey of 240 rows with repeats, sky fibres and lost arms."""
    folder = tmp_path_factory.mktemp("survey")
    simulate_survey(folder, 240, 11, rows_per_file=60)
    seal_some(folder / "truth.csv", folder)
    return folder


@pytest.fixture(scope="session")
def ready(survey: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with spectra, truth, a validation set and a campaign of one vote; never change it."""
    root = tmp_path_factory.mktemp("ready") / "ws"
    initialise(root)
    ingest(root, [str(survey)], jobs=1)
    with Workspace.open(root) as ws:
        campaign.set_setting(ws, "votes_required", 1, by="test")
        campaign.set_setting(ws, "blind_model", False, by="test")
    import_truth(root, survey / "truth-labelled.csv")
    split(root, 0.3, 1)
    return root


@pytest.fixture
def workspace(ready: Path, tmp_path: Path) -> Path:
    """A copy of the ready workspace to work in."""
    return Path(shutil.copytree(ready, tmp_path / "ws"))
