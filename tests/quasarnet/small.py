"""Small networks and spectra with known truth, for tests that need real training or real weights."""

import numpy as np

from qnet_tui.quasarnet.boxes import Targets, encode
from qnet_tui.quasarnet.history import ValidationSet
from qnet_tui.quasarnet.network import initial_arrays
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.quasarnet.weights import Weights, weights_from_arrays
from qnet_tui.spectra.grids import Grid, grid_named

SMALL = NetworkSettings(layers=4, filters=6, dense=10, dropout=0.1)


class Spectra:
    """Noise with bright emission lines for quasars: easy to learn, with the truth beside it."""

    def __init__(self, n: int, grid: Grid, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.z = rng.uniform(0.3, 4.0, n)
        self.is_qso = rng.random(n) < 0.5
        self.bal = np.zeros(n, dtype=int)
        x = rng.normal(size=(n, grid.n_pixels))
        for rest in (1215.67, 1548.2049, 1908.734, 2796.3511):
            centre = (1 + self.z) * rest
            bump = 6 * np.exp(-0.5 * ((grid.wave - centre[:, None]) / (0.012 * centre[:, None])) ** 2)
            x += bump * self.is_qso[:, None]
        self.x = ((x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)).astype(np.float32)
        self.targets: Targets = encode(self.z, self.is_qso, self.bal, grid)

    @property
    def validation(self) -> ValidationSet:
        return ValidationSet(self.x, self.targets, self.is_qso)


def random_weights(settings: NetworkSettings, seed: int, rescale: bool = True) -> Weights:
    """Weights with moving means and variances that are not those of a fresh network."""
    rng = np.random.default_rng(seed)
    arrays = initial_arrays(settings, np.random.SeedSequence(seed))
    for name, array in arrays.items():
        if name.endswith("moving_variance"):
            array[:] = rng.uniform(0.2, 3.0, array.shape)
        elif not name.endswith("kernel"):
            array += rng.normal(scale=0.3, size=array.shape).astype(np.float32)
    grid = grid_named("log" if settings.n_pixels == 443 else "linear")
    return weights_from_arrays(settings, grid.wave, arrays, rescale=rescale)
