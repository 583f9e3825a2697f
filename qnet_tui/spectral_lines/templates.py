"""What a quasar, a galaxy and the types of stars look like at rest, to be drawn over a spectrum and fitted to it.

A template is a linear model. Its first row is the typical object; every further row is a direction in which single
objects differ from it, with the ``spread`` that such differences have. Scaled to a spectrum, the first row is also
multiplied with a low polynomial, for reddening and flux calibration. A direction is held near zero by its spread, so a
template at the wrong redshift looks wrong instead of bending itself to the noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from qnet_tui.spectral_lines.galaxy_composites import old_galaxy_directions, starforming_galaxy_directions
from qnet_tui.spectral_lines.linear_model import (
    N_POLYNOMIALS,
    coefficient_limits,
    polynomials,
    solve,
    trial_scale,
)
from qnet_tui.spectral_lines.log_spectrum import LogSpectrum, log_spectrum
from qnet_tui.spectral_lines.noise_model import MODEL_ERROR, less_outliers, light_level
from qnet_tui.spectral_lines.quasar_composite import quasar_directions, with_troughs
from qnet_tui.spectral_lines.rest_grid import Direction, FloatArray, rest_wavelengths
from qnet_tui.spectral_lines.star_models import TYPES, star_directions
from qnet_tui.spectral_lines.usable_pixels import usable_pixels

FEWEST_SAMPLES = 10
# Samples of a fit are this many grid steps: a quasar's lines are wide.
FIT_STEP = {"QSO": 2, "GALAXY": 1, "STAR": 1}


@dataclass(frozen=True, eq=False)
class Template:
    """One template: ``spectype`` is STAR, GALAXY or QSO, ``wavelength`` (n,) Å in vacuum at rest, increasing.

    ``basis`` is (k, n) with k >= 1, ``spread`` (k,) the scatter of each row's coefficient relative to the first one's,
    infinite where it is free (the first row always is; all rows of eigenspectra are), and ``bounds`` (2, k) between
    which it stays. One that is not ``fitted`` is for the eye only as long as there are others of its class.
    """

    name: str
    spectype: str
    wavelength: FloatArray
    basis: FloatArray
    spread: FloatArray = field(default_factory=lambda: np.zeros(0))
    bounds: FloatArray = field(default_factory=lambda: np.zeros((2, 0)))
    fitted: bool = True

    def __post_init__(self) -> None:
        if self.spread.size == 0:
            object.__setattr__(self, "spread", np.full(len(self.basis), np.inf))
        if self.bounds.size == 0:
            object.__setattr__(self, "bounds", np.outer([-np.inf, np.inf], np.ones(len(self.basis))))
        k = len(self.basis)
        fits = self.basis.ndim == 2 and self.basis.shape[1:] == self.wavelength.shape
        if not fits or self.spread.shape != (k,) or self.bounds.shape != (2, k):
            raise ValueError(f"template {self.name}: basis {self.basis.shape}, wavelength {self.wavelength.shape}")


@cache
def own_templates() -> tuple[Template, ...]:
    """Return the templates made here, quasars first; made once, from no file."""
    wave = rest_wavelengths()
    quasar = _template("quasar", "QSO", quasar_directions())
    absorbed = replace(quasar, name="BAL quasar", basis=with_troughs(quasar.basis, wave), fitted=False)
    galaxies = (
        _template("old galaxy", "GALAXY", old_galaxy_directions()),
        _template("star-forming galaxy", "GALAXY", starforming_galaxy_directions()),
    )
    return quasar, absorbed, *galaxies, *(_template(name, "STAR", star_directions(name)) for name in TYPES)


def _template(name: str, spectype: str, directions: Sequence[Direction]) -> Template:
    columns = ([getattr(one, part) for one in directions] for part in ("row", "spread", "lowest", "highest"))
    basis, spread, *bounds = (np.array(column, np.float64) for column in columns)
    return Template(name, spectype, rest_wavelengths(), basis, spread, np.array(bounds))


def template_for(spectype: str | None, templates: Sequence[Template]) -> Template:
    """Return the first template of a class, a quasar's when ``spectype`` is None or nobody has one of it."""
    if not templates:
        raise ValueError("no templates")
    wanted = (spectype or "QSO").upper()
    for kind in (wanted, "QSO"):
        for template in templates:
            if template.spectype == kind:
                return template
    return templates[0]


def template_flux(
    template: Template, z: float, wavelength: FloatArray, flux: FloatArray, ivar: FloatArray
) -> FloatArray:
    """Return the template at redshift ``z``, scaled to a spectrum by weighted least squares.

    ``wavelength`` (n,) Å as observed, ``flux`` and ``ivar`` (n,). The result is (n,), in the units of ``flux``, NaN
    where the template gives nothing; all NaN when fewer than 10 samples with data lie there. It takes some 4 ms for
    8000 pixels and a quasar.
    """
    pixels = usable_pixels(wavelength, flux, ivar)
    drawn = np.full(pixels.wavelength.shape, np.nan)
    if not (z > -1.0 and (pixels.ivar > 0).any()):
        return drawn
    # The scale is found on samples of the grid, a third of the pixels, and drawn on every pixel.
    samples = log_spectrum(pixels, FIT_STEP[template.spectype])
    seen = (samples.weight > 0) & _covers(template, samples.wavelength / (1.0 + z))
    if np.count_nonzero(seen) < FEWEST_SAMPLES:
        return drawn
    wave = samples.wavelength[seen]
    ends = float(wave[0]), float(wave[-1])
    rows, some = _at(template, wave / (1.0 + z))
    columns = np.concatenate([polynomials(wave, *ends) * rows[:1], rows[1:]])
    coefficients = _scaled(template, columns, some, samples, seen)
    inside = _covers(template, pixels.wavelength / (1.0 + z))
    observed = pixels.wavelength[inside]
    calibration = np.einsum("k,kn", coefficients[:N_POLYNOMIALS], polynomials(observed, *ends))
    others = np.einsum("k,kn", coefficients[N_POLYNOMIALS:], template.basis[some][1:])
    typical, added = (np.interp(observed / (1.0 + z), template.wavelength, row) for row in (template.basis[0], others))
    drawn[inside] = (calibration * typical + added) * pixels.scale
    return drawn


def _scaled(
    template: Template, columns: FloatArray, some: NDArray[np.bool_], samples: LogSpectrum, seen: NDArray[np.bool_]
) -> FloatArray:
    """Return the coefficients (k,) of columns (k, m) that fit the samples ``seen`` best."""
    flux, weight = samples.flux[seen], samples.weight[seen]
    # Calibration and templates are good to a few per cent; a bright spectrum must not bend the template for less.
    level = light_level(samples.flux, samples.weight > 0)[seen]
    trust = 1.0 / (1.0 / weight + (MODEL_ERROR * level) ** 2)
    limits = coefficient_limits(template.spread, template.bounds, some) * trial_scale(columns[0], flux, trust)
    coefficients = solve(columns, flux, trust, limits).coefficients
    if template.spectype != "QSO":
        return coefficients
    # Light that is absorbed on the way to us is no part of the quasar: it is drawn as it was before.
    trust = less_outliers(flux, np.einsum("k,kn", coefficients, columns), trust, True)
    return solve(columns, flux, trust, limits).coefficients


def _covers(template: Template, rest: FloatArray) -> NDArray[np.bool_]:
    return np.asarray((rest >= template.wavelength[0]) & (rest <= template.wavelength[-1]), np.bool_)


def _at(template: Template, rest: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the rows of a template at rest wavelengths inside its range, (k, m), and which rows they are.

    Lines that lie elsewhere are left out; the first row always comes.
    """
    grid = template.wavelength
    right = np.clip(np.searchsorted(grid, rest, side="right"), 1, grid.size - 1)
    left = right - 1
    share = (rest - grid[left]) / (grid[right] - grid[left])
    reached = slice(int(left.min()), int(right.max()) + 1)
    some = np.abs(template.basis[:, reached]).max(axis=1) > 1e-3 * np.abs(template.basis).max(axis=1)
    some[0] = True
    rows = template.basis[some]
    below = rows[:, left]
    return below + share * (rows[:, right] - below), some
