"""A template laid over the spectrum on the screen: which one, at which redshift, smoothed as the flux beside it is.

The overlay is scaled anew for every redshift that is tried, so it works on the spectrum in bins of a few pixels: the
scale of a template does not need ten thousand pixels, and a held key must not wait for them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qnet_tui.plotting.model_raster import Model
from qnet_tui.plotting.smoothing import smooth
from qnet_tui.plotting.spectrum_data import SpectrumData
from qnet_tui.spectral_lines.templates import Template, template_flux, template_for

FloatArray = NDArray[np.float64]

# Bins of the spectrum for the scale: at 7600 pixels of 0.8 Å they are 2.4 Å wide, narrower than any line.
_MOST_BINS = 3000
# A redshift that was just left is come back to (left, right): that many models are kept.
_KEPT = 8


class TemplateOverlay:
    """The models of one spectrum, made when asked for."""

    def __init__(self, data: SpectrumData, templates: Sequence[Template]) -> None:
        """Bin the spectrum; ``templates`` may be empty, then there is no model."""
        self.templates = tuple(templates)
        self._share = max(-(-data.wavelength.size // _MOST_BINS), 1)
        self._wavelength, self._flux, self._ivar = _binned(data, self._share)
        self._models: dict[tuple[str, float, float], Model] = {}

    def chosen(self, name: str, spectype: str | None) -> Template | None:
        """Return the template called ``name``, or when that is "" the first of the class; None without templates."""
        if not self.templates:
            return None
        named = (template for template in self.templates if template.name == name)
        return next(named, None) or template_for(spectype, self.templates)

    def model(self, template: Template, z: float, sigma: float) -> Model:
        """Return ``template`` at ``z`` scaled to the spectrum and smoothed with ``sigma`` pixels, as the flux is."""
        key = (template.name, z, sigma)
        found = self._models.get(key)
        if found is None:
            flux = template_flux(template, z, self._wavelength, self._flux, self._ivar)
            if sigma > 0:
                # Pixels without data have no weight in the flux that is shown; the model goes on over them.
                weight = np.where(self._ivar > 0, self._ivar, _faint(self._ivar))
                flux = smooth(self._wavelength, flux, weight, sigma / self._share).flux
            found = Model(self._wavelength, flux)
            while len(self._models) >= _KEPT:
                self._models.pop(next(iter(self._models)))
            self._models[key] = found
        return found


def _faint(ivar: FloatArray) -> float:
    """Return a weight far below every real one."""
    positive = ivar[ivar > 0]
    return 1e-6 * float(positive.min()) if positive.size else 1.0


def _binned(data: SpectrumData, share: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return wavelength, flux and ivar of bins of ``share`` pixels that follow each other; no bin spans a hole."""
    wave, flux, ivar = data.wavelength, data.flux, data.ivar
    if share == 1 or wave.size < 2:
        return wave, flux, ivar
    steps = np.diff(wave)
    run = np.concatenate([[0], np.cumsum(steps > 3.0 * float(np.median(steps)))])
    begins = np.flatnonzero(np.diff(run, prepend=-1))
    place = np.arange(wave.size) - begins[run]
    starts = np.flatnonzero(place % share == 0)
    weight = np.add.reduceat(ivar, starts)
    total = np.add.reduceat(ivar * flux, starts)
    count = np.diff(np.append(starts, wave.size))
    mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    return np.add.reduceat(wave, starts) / count, mean, weight
