"""Emission lines of quasars: rest wavelengths in vacuum, mean strengths, widths, shifts, and their spread.

Mean equivalent widths follow published composites of SDSS quasars (Vanden Berk et al. 2001, table 2, with the
blends shared out); the spread, the Baldwin effect and the blueshift of high-ionisation lines follow the surveys
of single objects (Shen et al. 2011, Richards et al. 2011).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.native_grid import SPEED_OF_LIGHT
from qnet_tui.simulation.profiles import FWHM_PER_SIGMA, gaussians, observed_sigma


@dataclass(frozen=True)
class BroadLine:
    """A broad line: equivalent width (Å, rest), width relative to the quasar's, blueshift relative to C IV's.

    ``wing`` is the share of the flux in a component 2.6 times as wide; ``baldwin`` the slope of log EW with
    log luminosity.
    """

    name: str
    rest: float
    ew: float
    width: float = 1.0
    shift: float = 0.0
    wing: float = 0.4
    baldwin: float = 0.0


BROAD = (
    BroadLine("Ly gamma", 972.54, 2.0, 1.0, 0.3, 0.4, -0.1),
    BroadLine("C III", 977.02, 3.5, 1.0, 0.5, 0.4, -0.1),
    BroadLine("Ly beta", 1025.72, 3.0, 1.0, 0.3, 0.4, -0.1),
    BroadLine("O VI", 1033.83, 14.0, 1.0, 0.7, 0.4, -0.15),
    BroadLine("Ly alpha", 1215.67, 72.0, 0.85, 0.2, 0.55, -0.12),
    BroadLine("N V", 1240.81, 16.0, 1.0, 0.6, 0.3, 0.0),
    BroadLine("Si II", 1262.6, 3.0, 1.1, 0.2, 0.2, 0.0),
    BroadLine("O I", 1304.4, 3.0, 0.9, 0.1, 0.2, 0.0),
    BroadLine("C II", 1335.3, 1.2, 0.9, 0.1, 0.2, 0.0),
    BroadLine("Si IV", 1396.8, 5.0, 1.05, 0.6, 0.4, -0.05),
    BroadLine("O IV]", 1402.1, 4.5, 1.05, 0.6, 0.4, -0.05),
    BroadLine("N IV]", 1486.5, 0.8, 0.8, 0.3, 0.2, 0.0),
    BroadLine("C IV", 1549.06, 40.0, 0.9, 1.0, 0.5, -0.18),
    BroadLine("He II", 1640.42, 6.5, 1.6, 1.2, 0.4, -0.2),
    BroadLine("O III]", 1663.5, 3.0, 1.1, 0.4, 0.3, -0.1),
    BroadLine("N III]", 1750.3, 1.4, 1.1, 0.3, 0.3, 0.0),
    BroadLine("Al III", 1857.4, 3.2, 1.1, 0.3, 0.2, 0.0),
    BroadLine("Si III]", 1892.0, 5.5, 1.1, 0.4, 0.2, 0.0),
    BroadLine("C III]", 1908.73, 16.0, 1.2, 0.5, 0.4, -0.08),
    BroadLine("C II]", 2326.4, 2.0, 0.9, 0.1, 0.2, 0.0),
    BroadLine("[Ne IV]", 2423.8, 1.5, 0.8, 0.2, 0.2, 0.0),
    BroadLine("Mg II", 2798.8, 32.0, 0.8, 0.0, 0.45, -0.15),
    BroadLine("H epsilon", 3971.2, 2.0, 0.9, 0.0, 0.3, 0.0),
    BroadLine("H delta", 4102.89, 7.0, 0.95, 0.0, 0.3, 0.0),
    BroadLine("H gamma", 4341.68, 18.0, 0.95, 0.0, 0.3, 0.0),
    BroadLine("He II", 4686.99, 3.0, 1.3, 0.3, 0.3, -0.1),
    BroadLine("H beta", 4862.68, 60.0, 0.95, 0.0, 0.4, 0.0),
    BroadLine("He I", 5877.3, 5.0, 1.0, 0.0, 0.3, 0.0),
    BroadLine("H alpha", 6564.61, 230.0, 0.85, 0.0, 0.4, 0.0),
    BroadLine("He I", 7067.1, 3.0, 0.9, 0.0, 0.2, 0.0),
    BroadLine("O I", 8448.7, 9.0, 0.8, 0.0, 0.2, 0.0),
)

NARROW = (
    (3346.79, 0.4), (3426.85, 1.3), (3727.09, 1.1), (3729.88, 1.3), (3869.86, 2.0), (3968.59, 0.7),
    (4341.68, 0.6), (4364.44, 0.6), (4862.68, 1.6), (4960.30, 5.2), (5008.24, 15.6), (6302.05, 0.9),
    (6549.86, 4.0), (6564.61, 8.0), (6585.27, 12.0), (6718.29, 3.0), (6732.68, 2.8), (9533.2, 5.0),
)  # fmt: skip
"""Narrow lines: rest wavelength in vacuum (Å), mean equivalent width (Å, rest)."""

# Iron emission as humps: rest centre (Å), width sigma (Å), height over the continuum at mean strength.
IRON_UV = (
    (1788.0, 12.0, 0.017), (1900.0, 30.0, 0.025), (2080.0, 30.0, 0.068), (2170.0, 40.0, 0.043),
    (2250.0, 35.0, 0.085), (2330.0, 25.0, 0.102), (2380.0, 25.0, 0.136), (2440.0, 30.0, 0.136),
    (2500.0, 35.0, 0.187), (2560.0, 30.0, 0.153), (2610.0, 22.0, 0.17), (2680.0, 28.0, 0.051),
    (2745.0, 22.0, 0.102), (2860.0, 35.0, 0.068), (2940.0, 40.0, 0.085), (3060.0, 60.0, 0.034),
    (3190.0, 50.0, 0.085), (3290.0, 40.0, 0.051), (3500.0, 50.0, 0.025),
)  # fmt: skip
IRON_OPTICAL = (
    (4175.0, 35.0, 0.04), (4240.0, 25.0, 0.03), (4450.0, 35.0, 0.05), (4520.0, 30.0, 0.10),
    (4570.0, 35.0, 0.14), (4630.0, 30.0, 0.12), (4925.2, 12.0, 0.07), (5019.8, 12.0, 0.08),
    (5170.0, 18.0, 0.10), (5200.0, 30.0, 0.08), (5270.0, 35.0, 0.13), (5320.0, 30.0, 0.11),
    (5535.0, 30.0, 0.03), (6250.0, 60.0, 0.03), (6450.0, 60.0, 0.04),
)  # fmt: skip


@dataclass(frozen=True)
class LineStrengths:
    """What one quasar's lines look like; every field float64 with one entry per quasar.

    ``fwhm`` in km/s; ``blueshift`` of C IV in km/s (positive to the blue); ``broad`` and ``narrow`` multiply
    the mean equivalent widths; ``spread`` is the scatter of ln EW from line to line; ``iron_uv`` and
    ``iron_optical`` multiply the humps; ``luminosity`` is log10 relative to a typical quasar (r = 20.5, z = 2).
    """

    fwhm: NDArray[np.float64]
    blueshift: NDArray[np.float64]
    broad: NDArray[np.float64]
    narrow: NDArray[np.float64]
    narrow_fwhm: NDArray[np.float64]
    spread: NDArray[np.float64]
    iron_uv: NDArray[np.float64]
    iron_optical: NDArray[np.float64]
    luminosity: NDArray[np.float64]


def line_emission(
    rng: np.random.Generator,
    z: NDArray[np.float64],
    strengths: LineStrengths,
    continuum_at_rest: dict[float, NDArray[np.float64]],
) -> NDArray[np.float32]:
    """Line flux of quasars on the native grid, float32 (n, 7781), in the units of the continuum.

    ``continuum_at_rest`` gives, for each rest wavelength of :func:`wavelengths_needed`, the continuum's flux
    density per observed Å (n,). A line's observed area is EW (1 + z) times it.
    """
    n = len(z)
    rows: list[NDArray[np.int64]] = []
    centres: list[NDArray[np.float64]] = []
    sigmas: list[NDArray[np.float64]] = []
    areas: list[NDArray[np.float64]] = []
    index = np.arange(n)

    def add(centre: NDArray[np.float64], sigma_kms: NDArray[np.float64], area: NDArray[np.float64]) -> None:
        rows.append(index)
        centres.append(centre)
        sigmas.append(observed_sigma(centre, sigma_kms))
        areas.append(area)

    stretch = 1.0 + z
    sigma = strengths.fwhm / FWHM_PER_SIGMA
    for line in BROAD:
        scatter = np.exp(strengths.spread * rng.standard_normal(n) - 0.5 * strengths.spread**2)
        ew = line.ew * strengths.broad * scatter * 10.0 ** (line.baldwin * strengths.luminosity)
        area = ew * stretch * continuum_at_rest[line.rest]
        speed = line.shift * strengths.blueshift + rng.normal(0.0, 120.0, n)
        centre = line.rest * stretch * (1.0 - speed / SPEED_OF_LIGHT)
        add(centre, sigma * line.width, area * (1.0 - line.wing))
        wing_centre = centre * (1.0 - 0.5 * line.shift * strengths.blueshift / SPEED_OF_LIGHT)
        add(wing_centre, 2.6 * sigma * line.width, area * line.wing)
    narrow_sigma = strengths.narrow_fwhm / FWHM_PER_SIGMA
    for rest, mean in NARROW:
        area = mean * strengths.narrow * stretch * continuum_at_rest[rest]
        add(rest * stretch, narrow_sigma, area)
    for table, strength in ((IRON_UV, strengths.iron_uv), (IRON_OPTICAL, strengths.iron_optical)):
        for rest, width, height in table:
            broadening = np.hypot(width / rest * SPEED_OF_LIGHT, 0.5 * sigma)
            scatter = np.exp(rng.normal(0.0, 0.15, n))
            area = height * strength * scatter * continuum_at_rest[rest] * width * np.sqrt(2 * np.pi) * stretch
            add(rest * stretch, broadening, area)
    return gaussians(n, np.concatenate(rows), np.concatenate(centres), np.concatenate(sigmas), np.concatenate(areas))


def wavelengths_needed() -> tuple[float, ...]:
    """Rest wavelengths (Å) at which :func:`line_emission` wants to know the continuum."""
    rests = [line.rest for line in BROAD] + [rest for rest, _ in NARROW]
    rests += [rest for rest, _, _ in IRON_UV + IRON_OPTICAL]
    return tuple(sorted(set(rests)))
