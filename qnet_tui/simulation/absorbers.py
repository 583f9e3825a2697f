"""Absorption by metals: broad troughs of a quasar's own wind (BAL) and narrow doublets of gas on the way."""

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.native_grid import SPEED_OF_LIGHT
from qnet_tui.simulation.profiles import gaussians, observed_sigma

# Ions that share a wind: rest wavelength (Å) and depth relative to C IV.
_WIND = ((1031.9, 0.7), (1215.67, 0.35), (1240.8, 0.8), (1397.0, 0.45), (1549.06, 1.0))
_COLD_WIND = ((1857.4, 0.6), (2798.8, 0.5))
# Narrow systems: rest wavelengths (Å) and relative optical depths.
_WARM_SYSTEM = ((1548.20, 1.0), (1550.78, 0.6), (1393.76, 0.5), (1402.77, 0.3))
_COOL_SYSTEM = (
    (2796.35, 1.0), (2803.53, 0.75), (2344.21, 0.3), (2374.46, 0.2), (2382.76, 0.5), (2586.65, 0.35),
    (2600.17, 0.55), (2852.96, 0.2), (1670.79, 0.35), (1526.71, 0.3), (1260.42, 0.35), (1302.17, 0.3),
    (1334.53, 0.35), (1608.45, 0.15),
)  # fmt: skip


def broad_troughs(rng: np.random.Generator, z: NDArray[np.float64], has_bal: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Transmission of winds on the native grid, float32 (n, 7781), one where ``has_bal`` is false.

    One to three troughs per quasar at 1,500 to 22,000 km/s, widths (sigma) of 400 to 2,500 km/s, optical depth
    0.5 to 4; one wind in eight also holds Al III and Mg II (LoBAL).
    """
    n = len(z)
    row: list[int] = []
    centre: list[float] = []
    width: list[float] = []
    peak: list[float] = []
    for i in np.flatnonzero(has_bal):
        ions = _WIND + (_COLD_WIND if rng.random() < 0.125 else ())
        for _ in range(int(rng.integers(1, 4))):
            sigma = float(np.exp(rng.uniform(np.log(400.0), np.log(2500.0))))
            speed = 1.6 * sigma + float(rng.gamma(1.6, 4000.0))
            depth = float(rng.uniform(0.5, 4.0))
            for rest, share in ions:
                row.append(int(i))
                centre.append(rest * (1.0 + z[i]) * (1.0 - min(speed, 22000.0) / SPEED_OF_LIGHT))
                width.append(sigma)
                peak.append(depth * share)
    return _transmission(n, row, centre, width, peak)


def narrow_systems(rng: np.random.Generator, z: NDArray[np.float64]) -> NDArray[np.float32]:
    """Transmission of intervening metal systems on the native grid, float32 (n, 7781).

    About 0.5 warm (C IV, Si IV) and 0.4 cool (Mg II, Fe II) systems per unit redshift on the way to ``z``.
    """
    row: list[int] = []
    centre: list[float] = []
    width: list[float] = []
    peak: list[float] = []
    for i in range(len(z)):
        for table, rate in ((_WARM_SYSTEM, 0.5), (_COOL_SYSTEM, 0.4)):
            for _ in range(int(rng.poisson(rate * z[i]))):
                z_gas = float(rng.random() * z[i])
                sigma = float(rng.uniform(25.0, 90.0))
                depth = float(rng.exponential(1.2))
                for rest, share in table:
                    row.append(i)
                    centre.append(rest * (1.0 + z_gas))
                    width.append(sigma)
                    peak.append(depth * share)
    return _transmission(len(z), row, centre, width, peak)


def _transmission(
    n: int, row: list[int], centre: list[float], sigma_kms: list[float], peak: list[float]
) -> NDArray[np.float32]:
    """exp(-τ) of Gaussian optical depths with the given peaks; the equivalent width survives the resolution."""
    where = np.array(centre, dtype=np.float64)
    kms = np.array(sigma_kms, dtype=np.float64)
    intrinsic = where * kms / SPEED_OF_LIGHT
    area = np.array(peak, dtype=np.float64) * intrinsic * np.sqrt(2.0 * np.pi)
    depth = gaussians(n, np.array(row, dtype=np.int64), where, observed_sigma(where, kms), area)
    result: NDArray[np.float32] = np.exp(-depth)
    return result
