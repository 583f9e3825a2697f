"""One small trainer per session: tracing a network costs seconds, training it nothing."""

import pytest

from qnet_tui.quasarnet.settings import TrainingSettings
from qnet_tui.quasarnet.training import ENGINES, AnyTrainer, Trained, trainer_for
from qnet_tui.spectra.grids import log_grid
from tests.quasarnet.small import SMALL, Spectra


@pytest.fixture(scope="session")
def spectra() -> Spectra:
    return Spectra(96, log_grid(), seed=1)


@pytest.fixture(scope="session")
def held_out() -> Spectra:
    return Spectra(40, log_grid(), seed=2)


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def trainer(engine: str) -> AnyTrainer:
    return trainer_for(SMALL, TrainingSettings(epochs=3, learning_rate=1e-2, batch=32, c_threshold=0.5), engine=engine)


@pytest.fixture(scope="session")
def trained(trainer: AnyTrainer, spectra: Spectra, held_out: Spectra) -> Trained:
    return trainer.train(spectra.x, spectra.targets, seed=7, validation=held_out.validation)
