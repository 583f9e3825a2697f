"""Dropout from a bank of masks: drawn once per network, of which every layer and step takes another stretch.

Drawing a fresh mask for every activation costs a sixth of a training step. Here a network draws one long row of zeros
and ones from its seed, half as long again as the largest layer's mask; each layer of each step reads a stretch that
begins at a random multiple of 16. How good that is: every unit is kept with the same probability and independently of
the other units of its layer and step, exactly as with fresh masks. What is not independent: two steps may begin at the
same place (one pair of steps in some 180,000 for the network of 6 layers and 100 filters in batches of 256), and then
share a mask, over other spectra, since these are shuffled; and the masks of the layers of a step overlap in the bank,
so that a unit of one layer falls together with a fixed other unit, of another spectrum and position, of another layer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.quasarnet.settings import NetworkSettings

GRAIN = 16
"""Values in a row of the bank: 64 bytes of float32, so that a stretch needs no copy."""
_LONGER = 1.5
_MINIMUM = 1 << 20
_STEPS = 1 << 16


@dataclass(frozen=True)
class MaskBank:
    """Sizes of the bank of one shape of network and one batch size."""

    settings: NetworkSettings
    batch: int

    @property
    def _largest(self) -> int:
        return self.batch * self.settings.lengths[0] * self.settings.filters

    @property
    def rows(self) -> int:
        """Number of rows of ``GRAIN`` values."""
        return int(max(self._largest * _LONGER, self._largest + _MINIMUM)) // GRAIN + 1

    def draw(self, generator: np.random.Generator) -> NDArray[np.bool_]:
        """The bank (rows, GRAIN): True where a unit is kept (its probability is exact to 1/65536)."""
        dropped = round(self.settings.dropout * _STEPS)
        return generator.integers(0, _STEPS, (self.rows, GRAIN), dtype=np.uint16) >= dropped

    def starts(self, generator: np.random.Generator, steps: int) -> NDArray[np.int32]:
        """Row at which each layer's stretch begins in each step: (steps, layers)."""
        taken = np.array([-(-self.batch * n * self.settings.filters // GRAIN) for n in self.settings.lengths])
        high = np.broadcast_to(self.rows - taken + 1, (steps, self.settings.layers))
        return generator.integers(0, high).astype(np.int32)
