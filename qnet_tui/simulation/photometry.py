"""Broad-band fluxes of a spectrum, in nanomaggies, through trapezoids like the imaging surveys' g, r and z."""

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.native_grid import WAVE

# Wavelength (Å) and relative response; z ends where the spectrograph does.
_BANDS = {
    "G": ((3950, 0.0), (4200, 0.8), (4500, 1.0), (5200, 1.0), (5400, 0.8), (5520, 0.0)),
    "R": ((5600, 0.0), (5750, 0.9), (5900, 1.0), (6900, 1.0), (7050, 0.8), (7200, 0.0)),
    "Z": ((8350, 0.0), (8600, 0.9), (8800, 1.0), (9600, 1.0), (9824, 0.9)),
}
BANDS = tuple(_BANDS)

# 3.631e-29 erg/s/cm2/Hz is a nanomaggy; c in Å/s; spectra are in 1e-17 erg/s/cm2/Å.
_NANOMAGGY = 3.631e-29
_C = 2.99792458e18


def nanomaggies(flux: NDArray[np.float32]) -> NDArray[np.float64]:
    """AB fluxes of spectra (n, 7781) in 1e-17 erg/s/cm2/Å: nanomaggies in g, r and z, float64 (n, 3).

    Photon-weighted: f_ν = ∫ f_λ λ T dλ / ∫ (c / λ) T dλ.
    """
    bands = []
    for nodes in _BANDS.values():
        table = np.array(nodes, dtype=np.float64)
        response = np.interp(WAVE, table[:, 0], table[:, 1], left=0.0, right=0.0)
        weight = (response * WAVE).astype(np.float32)
        bands.append(1e-17 * (flux @ weight).astype(np.float64) / np.sum(response * _C / WAVE) / _NANOMAGGY)
    return np.stack(bands, axis=1)
