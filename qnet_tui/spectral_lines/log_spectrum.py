"""An observed spectrum on the logarithmic grid of the templates, with the noise that a fit must allow for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qnet_tui.spectral_lines.rest_grid import DEX, FloatArray
from qnet_tui.spectral_lines.usable_pixels import UsablePixels


@dataclass(frozen=True, eq=False)
class LogSpectrum:
    """A spectrum in samples of ``step`` grid steps: sample j lies at 10^(DEX x step x (first + j)) Å.

    ``flux`` and ``weight`` (n,) float64; the weight is an inverse variance, 0 where there are no data.
    """

    first: int
    step: int
    flux: FloatArray
    weight: FloatArray

    @property
    def wavelength(self) -> FloatArray:
        """Return the wavelengths of the samples in Å, (n,)."""
        return np.asarray(10.0 ** (DEX * self.step * (self.first + np.arange(self.flux.size))), np.float64)


def log_spectrum(pixels: UsablePixels, step: int) -> LogSpectrum:
    """Average the pixels of a spectrum into samples of ``step`` grid steps, with their ivar.

    Pixels outside 1000 Å to 30,000 Å are left out.
    """
    good = (pixels.ivar > 0) & (pixels.wavelength > 1e3) & (pixels.wavelength < 3e4)
    wave, values, weight = pixels.wavelength[good], pixels.flux[good], pixels.ivar[good]
    if wave.size == 0:
        return LogSpectrum(0, step, np.zeros(0), np.zeros(0))
    sample = np.rint(np.log10(wave) / (DEX * step)).astype(np.int64)
    first = int(sample.min())
    n = int(sample.max()) - first + 1
    total = np.bincount(sample - first, weight, n)
    mean = np.divide(np.bincount(sample - first, weight * values, n), total, out=np.zeros(n), where=total > 0)
    return LogSpectrum(first, step, mean, np.asarray(total, np.float64))
