"""Dust: the Milky Way's in front of everything, and that of a quasar's or a galaxy's own."""

import numpy as np
from numpy.typing import NDArray


def milky_way(wave: NDArray[np.float64], ebv: NDArray[np.float64]) -> NDArray[np.float32]:
    """Transmission of Galactic dust, (rows, pixels), at observed ``wave`` (Å) for reddening ``ebv`` (mag).

    A power law of index -1.2 through A_V = 3.1 E(B-V) at 5500 Å, within 0.1 of the usual curves (R_V = 3.1)
    between 3600 and 9800 Å.
    """
    curve = 3.1 * (wave / 5500.0) ** -1.2
    result: NDArray[np.float32] = np.exp(-0.4 * np.log(10.0) * ebv[:, None] * curve).astype(np.float32)
    return result


def small_cloud(rest: NDArray[np.float32], ebv: NDArray[np.float64]) -> NDArray[np.float32]:
    """Transmission of dust like the Small Magellanic Cloud's at rest wavelengths (rows, pixels), Å.

    A = 1.39 (λ / µm)^-1.2 E(B-V) (Richards et al. 2003, for reddened quasars).
    """
    curve = np.float32(1.39) * (rest * np.float32(1e-4)) ** np.float32(-1.2)
    result: NDArray[np.float32] = np.exp(-0.921034 * ebv[:, None].astype(np.float32) * curve)
    return result.astype(np.float32)


def starburst(rest: NDArray[np.float32], ebv: NDArray[np.float64]) -> NDArray[np.float32]:
    """Transmission of a star-forming galaxy's dust at rest wavelengths (rows, pixels), Å.

    The greyer law of starbursts as a power law: A = 4.05 (λ / 5500 Å)^-0.9 E(B-V) (Calzetti et al. 2000).
    """
    curve = np.float32(4.05) * (rest / np.float32(5500.0)) ** np.float32(-0.9)
    result: NDArray[np.float32] = np.exp(-0.921034 * ebv[:, None].astype(np.float32) * curve)
    return result.astype(np.float32)
