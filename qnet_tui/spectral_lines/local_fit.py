"""A redshift from a spectrum, near where a person has put it: templates fitted at every trial redshift around it.

The spectrum is averaged onto a logarithmic grid on which a redshift is a shift by whole samples. At every shift within
5000 km/s of the start the template, its directions (each held near zero by its spread) and a cubic calibration are
fitted by least squares; the curve of chi2 over redshift gives the minimum, refined by a parabola, and its error.
Weights know more than the survey's ivar (``noise_model``): what the best model of a first pass leaves unexplained,
cosmic rays and bad sky as single samples, absorption in quasars as runs of them, is taken down before the second.

Conventions. A quasar's redshift is the systemic one: that of its narrow lines, and of Mg II where these are not seen.
C IV and the other high-ionisation lines stand blueward of it in our composite by what they do on average in DR12Q
(C IV by some 400 km/s), and each line may be off by its own scatter, so C IV alone decides only to that scatter. This
is what redrock's templates and DESI's visual inspection, the truth that QuasarNET trains on, take for the redshift
too. SDSS's older visual redshifts follow the peak of C IV or Mg II; on 67 of DR12Q the difference is in the test
``tests/parity/test_local_fit_real.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qnet_tui.spectral_lines.chi2_curve import Minimum, best_minimum, lowest_chi2
from qnet_tui.spectral_lines.log_spectrum import LogSpectrum, log_spectrum
from qnet_tui.spectral_lines.noise_model import MODEL_ERROR, light_level
from qnet_tui.spectral_lines.rest_grid import DEX, LIGHT_KMS, STEP_KMS
from qnet_tui.spectral_lines.templates import FIT_STEP, Template, own_templates, template_flux
from qnet_tui.spectral_lines.usable_pixels import UsablePixels, usable_pixels

Z_LOWEST, Z_HIGHEST = -0.01, 7.0
SEARCH_KMS = 5000.0
# Beyond these a class is not tried (a galaxy only when nobody has said that it is one).
STAR_Z, GALAXY_Z = 0.02, 1.8
# A fit whose delta_chi2 is below this is one of noise: three in four spectra without a redshift stay below it (faint
# ones nearly all), one in twenty quasars of S/N 0.7 to 3 does.
_WEAKEST = {"QSO": 1.5, "GALAXY": 4.0, "STAR": 4.0}
_FULL_FITS = 2


@dataclass(frozen=True)
class LocalFit:
    """A fitted redshift and its error; ``velocity`` is c (z - z0) / (1 + z0) in km/s from the start z0.

    ``z_error`` is one sigma from the curve of chi2, never below what the grid leaves open. ``delta_chi2`` is by how
    much chi2 rises from here to the next best redshift more than 1000 km/s away within the search; both count what
    templates leave unexplained as noise. ``template`` is the name of the one that fitted best.
    """

    z: float
    z_error: float
    velocity: float
    delta_chi2: float
    template: str


class NoFit(Exception):
    """The spectrum gives no redshift near the start; the message says why in one line."""


def fit_redshift(
    wavelength: ArrayLike,
    flux: ArrayLike,
    ivar: ArrayLike,
    z: float,
    *,
    spectype: str | None = None,
    templates: Sequence[Template] | None = None,
) -> LocalFit:
    """Fit the redshift of a spectrum within 5000 km/s of ``z`` (and -0.01 <= z <= 7).

    ``wavelength`` (Å, vacuum, as observed), ``flux`` (any unit) and ``ivar``, all (n,), are at full resolution with
    arms joined; pixels that are not finite or have no positive ivar do not count. ``spectype`` is the class to fit
    (STAR, GALAXY or QSO), None to try those that may be at ``z``; ``templates`` are our own by default. NoFit when
    there is too little to fit, when chi2 falls towards the end of the search, or when noise would do as well.
    """
    if not (np.isfinite(z) and Z_LOWEST <= z <= Z_HIGHEST):
        raise NoFit(f"no redshift to start from (z between {Z_LOWEST:g} and {Z_HIGHEST:g})")
    try:
        pixels = usable_pixels(wavelength, flux, ivar)
    except ValueError as error:
        raise NoFit(f"{error} do not belong together") from error
    candidates = _candidates(z, spectype, own_templates() if templates is None else templates)
    found: dict[str, tuple[Minimum, Template]] = {}
    for template in _shortlist(pixels, z, candidates):
        minimum = best_minimum(*_search(pixels, z, template, FIT_STEP[template.spectype]))
        kind = template.spectype
        if minimum is not None and (kind not in found or minimum.cost < found[kind][0].cost):
            found[kind] = minimum, template
    if not found:
        raise NoFit("too few pixels with data where a template reaches, or a negative flux")
    best, template = min(found.values(), key=_cost_on(pixels, list(found.values())))
    if best.at_edge:
        raise NoFit(f"no redshift within {SEARCH_KMS:.0f} km/s fits better than those farther away")
    if best.delta_chi2 < _WEAKEST[template.spectype]:
        raise NoFit("nothing in the spectrum fixes a redshift near here")
    return LocalFit(
        z=best.z,
        z_error=best.z_error,
        velocity=LIGHT_KMS * (best.z - z) / (1.0 + z),
        delta_chi2=best.delta_chi2,
        template=best.template,
    )


def _cost_on(
    pixels: UsablePixels, found: list[tuple[Minimum, Template]]
) -> Callable[[tuple[Minimum, Template]], float]:
    """Return what compares the best of several classes: robust chi2 on the pixels that all of them cover."""
    if len(found) == 1:
        return lambda _: 0.0
    flux, ivar = pixels.flux, pixels.ivar
    models = {t.name: template_flux(t, m.z, pixels.wavelength, flux, ivar) for m, t in found}
    covered = np.isfinite(list(models.values())).all(axis=0) & (ivar > 0)
    level = light_level(flux, ivar > 0)[covered]
    variance = 1.0 / ivar[covered] + (MODEL_ERROR * level) ** 2

    def cost(one: tuple[Minimum, Template]) -> float:
        return float(np.sum(np.log1p((flux[covered] - models[one[1].name][covered]) ** 2 / variance / 9.0)))

    return cost


def _search(pixels: UsablePixels, z: float, template: Template, step: int) -> tuple[LogSpectrum, Template, range]:
    """Return a spectrum in samples of ``step`` grid steps, and the shifts of the template that are searched."""
    reach = int(np.ceil(SEARCH_KMS / (STEP_KMS * step)))
    centre = round(float(np.log10(1.0 + z)) / (DEX * step))
    lowest, highest = (round(float(np.log10(1.0 + limit)) / (DEX * step)) for limit in (Z_LOWEST, Z_HIGHEST))
    shifts = range(max(centre - reach, lowest), min(centre + reach, highest) + 1)
    return log_spectrum(pixels, step), template, shifts


def _shortlist(pixels: UsablePixels, z: float, candidates: list[Template]) -> list[Template]:
    """Return the templates worth a full fit: of a class with many (stars), the two that do best on a coarse look."""
    chosen: list[Template] = []
    for kind in sorted({template.spectype for template in candidates}):
        of_kind = [template for template in candidates if template.spectype == kind]
        if len(of_kind) > _FULL_FITS:
            of_kind.sort(key=lambda template: lowest_chi2(*_search(pixels, z, template, 2 * FIT_STEP[kind])))
        chosen += of_kind[:_FULL_FITS]
    return chosen


def _candidates(z: float, spectype: str | None, templates: Sequence[Template]) -> list[Template]:
    if spectype:
        if spectype.upper() == "STAR" and abs(z) > STAR_Z:
            raise NoFit(f"a star has |z| below {STAR_Z:g}")
        of_class = [t for t in templates if t.spectype == spectype.upper()]
        if not of_class:
            raise NoFit(f"no template of the class {spectype}")
        return [t for t in of_class if t.fitted] or of_class
    allowed = {"QSO"} if z > STAR_Z else {"STAR"}
    if z < GALAXY_Z:
        allowed |= {"GALAXY"}
    return [t for t in templates if t.fitted and t.spectype in allowed]
