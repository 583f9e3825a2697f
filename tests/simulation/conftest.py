"""A small simulated survey that the tests of this folder share."""

from pathlib import Path

import pytest

from qnet_tui.simulation.settings import SimulationSettings
from qnet_tui.simulation.survey import Simulated, simulate

SMALL = SimulationSettings(rows=150, seed=11, rows_per_file=60, repeats=0.2, sky=0.05, lost_arm=0.08)


@pytest.fixture(scope="session")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """Three coadds of 60, 60 and 30 rows with their redrock files and tables."""
    return simulate(tmp_path_factory.mktemp("survey"), SMALL)


@pytest.fixture(scope="session")
def coadds(survey: Simulated) -> list[Path]:
    """The coadd files of the survey, in the order of writing."""
    return [path for path in survey.files if path.name.startswith("coadd-")]
