"""The night sky as a DESI fibre sees it: continuum noise of the three arms, airglow lines, what they leave behind.

The line list (vacuum wavelengths in Å; peak variance over the variance between the lines) was measured by us
from the inverse variance of dark-time DESI coadds: mercury 4359, [O I] 5578/6302/6365, Na D, the OH Meinel
bands and the O2 band at 8650. The noise between the lines is that of an effective exposure of 1,000 s.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.native_grid import CAMERAS, RESOLUTION_SIGMA, STEP, WAVE, Camera

_LINES = (
    (4359.3, 1.46), (5578.4, 33.5), (5891.1, 4.37), (5897.2, 2.69), (6259.3, 1.66), (6288.9, 1.43),
    (6301.7, 6.91), (6308.3, 1.74), (6331.3, 1.69), (6365.4, 2.74), (6500.2, 2.24), (6534.6, 1.78),
    (6555.3, 1.96), (6578.8, 1.54), (6830.5, 2.89), (6835.7, 2.70), (6865.3, 4.76), (6872.0, 1.95),
    (6890.7, 2.28), (6902.4, 1.77), (6914.2, 2.12), (6924.8, 3.44), (6941.0, 1.74), (6950.5, 3.91),
    (6979.9, 2.18), (7242.0, 7.78), (7246.5, 7.81), (7254.8, 2.40), (7277.9, 14.4), (7286.0, 4.10),
    (7297.5, 1.42), (7305.3, 2.67), (7317.9, 10.1), (7330.7, 3.95), (7342.4, 10.9), (7360.3, 3.69),
    (7370.9, 6.82), (7393.6, 2.52), (7403.4, 5.48), (7431.3, 1.52), (7440.1, 2.94), (7475.1, 2.00),
    (7481.0, 2.02), (7485.0, 2.79), (7525.6, 9.48), (7532.6, 2.77), (7559.3, 1.70), (7573.7, 3.46),
    (7625.6, 2.74), (7629.8, 10.8), (7633.3, 4.44), (7637.6, 3.73), (7642.1, 3.13), (7646.6, 2.14),
    (7714.1, 6.56), (7718.4, 8.57), (7727.1, 2.05), (7752.2, 13.3), (7761.7, 3.99), (7782.1, 2.29),
    (7795.6, 9.58), (7810.1, 3.33), (7823.2, 11.5), (7842.9, 2.83), (7854.8, 10.2), (7862.1, 4.51),
    (7872.1, 5.37), (7880.6, 2.52), (7891.5, 5.73), (7915.2, 20.8), (7922.5, 7.47), (7932.9, 4.48),
    (7951.0, 2.83), (7966.4, 14.7), (7980.9, 4.60), (7995.1, 13.8), (8015.9, 3.55), (8027.5, 11.2),
    (8053.5, 2.50), (8064.0, 4.69), (8104.2, 2.21), (8283.1, 8.01), (8290.3, 12.8), (8300.3, 13.0),
    (8312.4, 3.69), (8346.2, 36.7), (8354.7, 12.6), (8366.5, 3.97), (8384.2, 8.13), (8401.1, 32.9),
    (8417.1, 11.8), (8432.2, 34.7), (8454.1, 8.70), (8467.3, 22.4), (8495.2, 5.90), (8506.6, 12.8),
    (8540.4, 2.56), (8550.5, 5.07), (8624.0, 4.92), (8630.5, 4.72), (8634.3, 4.71), (8652.7, 3.79),
    (8657.5, 5.66), (8662.2, 6.08), (8667.1, 5.10), (8672.1, 3.79), (8677.6, 3.10), (8683.1, 2.07),
    (8763.2, 15.1), (8769.7, 24.3), (8780.0, 24.9), (8793.1, 8.80), (8828.9, 72.7), (8838.3, 17.2),
    (8851.7, 5.08), (8869.6, 10.4), (8887.8, 43.7), (8905.1, 17.4), (8921.8, 66.6), (8945.3, 11.0),
    (8960.1, 37.1), (8990.3, 10.4), (9003.3, 23.5), (9040.1, 4.25), (9051.4, 9.76), (9094.6, 2.92),
    (9104.7, 3.53), (9154.1, 2.46), (9162.7, 2.25), (9309.6, 46.7), (9315.5, 66.5), (9326.0, 100.0),
    (9333.1, 2.73), (9340.2, 16.1), (9345.9, 4.79), (9356.3, 2.72), (9360.5, 2.91), (9378.5, 120.0),
    (9384.0, 3.15), (9389.1, 6.83), (9404.2, 11.1), (9421.8, 17.9), (9429.9, 2.67), (9442.3, 120.0),
    (9461.3, 33.8), (9478.9, 71.0), (9483.7, 3.63), (9504.4, 48.5), (9521.5, 35.9), (9538.4, 2.16),
    (9555.0, 16.3), (9569.3, 44.7), (9609.7, 6.55), (9622.9, 12.2), (9670.9, 6.12), (9683.3, 11.4),
    (9692.8, 2.94), (9701.3, 17.3), (9713.9, 7.04), (9722.1, 29.7), (9739.9, 9.14), (9747.6, 2.55),
    (9793.1, 120.0), (9801.8, 39.8), (9809.8, 5.92), (9814.3, 10.9), (9819.3, 5.36),
)  # fmt: skip

# Noise per native pixel between the airglow lines, 1e-17 erg/s/cm2/Å, at wavelengths in Å, for each arm. The
# steep ends are the atmosphere and the blue throughput below 4000 Å and the dichroics between the arms.
_NOISE = {
    "b": (
        (3600, 3.2), (3650, 2.4), (3700, 1.75), (3800, 1.2), (3900, 0.92), (4000, 0.76), (4200, 0.60),
        (4400, 0.52), (4600, 0.45), (4800, 0.40), (5000, 0.37), (5300, 0.35), (5600, 0.36), (5700, 0.40),
        (5760, 0.55), (5800, 0.85),
    ),
    "r": (
        (5760, 1.10), (5780, 0.60), (5800, 0.45), (5850, 0.36), (5950, 0.31), (6200, 0.265), (6500, 0.235),
        (6800, 0.215), (7200, 0.205), (7400, 0.215), (7500, 0.25), (7560, 0.40), (7590, 0.75), (7620, 1.5),
    ),
    "z": (
        (7520, 0.60), (7540, 0.40), (7570, 0.31), (7650, 0.27), (7800, 0.225), (8000, 0.195), (8300, 0.175),
        (8600, 0.165), (9000, 0.160), (9300, 0.165), (9500, 0.20), (9700, 0.235), (9824, 0.27),
    ),
}  # fmt: skip

# Brightness of the sky between the lines in a fibre, 1e-17 erg/s/cm2/Å, as if all the noise were its photons:
# it turns the noise into counts, so that a bright object adds its own photon noise.
_SKY_LEVEL = ((3600, 4.5), (4500, 3.6), (6000, 3.0), (8000, 3.2), (9824, 4.0))

BANDS = ((3600, 5000), (5000, 5800), (5800, 6100), (6100, 6700), (6700, 7150), (7150, 7650), (7650, 8200),
         (8200, 8600), (8600, 9200), (9200, 9824))  # fmt: skip
"""Airglow comes in bands that brighten and fade together; a bad subtraction spoils a whole band (Å)."""


def _frozen(array: NDArray[np.float64]) -> NDArray[np.float64]:
    array.setflags(write=False)
    return array


@cache
def sky_level() -> NDArray[np.float64]:
    """Sky brightness between the lines on the native grid, 1e-17 erg/s/cm2/Å, float64 (7781,)."""
    nodes = np.array(_SKY_LEVEL, dtype=np.float64)
    return _frozen(np.interp(WAVE, nodes[:, 0], nodes[:, 1]))


@cache
def line_excess() -> NDArray[np.float64]:
    """Airglow lines on the native grid in units of the sky between them, float64 (7781,)."""
    excess = np.zeros_like(WAVE)
    for centre, peak in _LINES:
        near = slice(*np.searchsorted(WAVE, (centre - 6.0, centre + 6.0)))
        excess[near] += peak * np.exp(-0.5 * ((WAVE[near] - centre) / RESOLUTION_SIGMA) ** 2)
    return _frozen(excess)


@cache
def continuum_noise(camera: Camera) -> NDArray[np.float64]:
    """Noise per pixel of one arm between the airglow lines for 1,000 s, float64 (pixels of the arm,)."""
    nodes = np.array(_NOISE[camera.name], dtype=np.float64)
    return _frozen(np.exp(np.interp(camera.wave, nodes[:, 0], np.log(nodes[:, 1]))))


@cache
def sky_variance(camera: Camera) -> NDArray[np.float64]:
    """Variance per pixel of one arm under blank sky, lines included, for 1,000 s."""
    return _frozen(continuum_noise(camera) ** 2 * (1.0 + line_excess()[camera.pixels]))


@cache
def photon_variance(camera: Camera) -> NDArray[np.float64]:
    """Variance that one unit of object flux (1e-17 erg/s/cm2/Å) adds in one arm for 1,000 s."""
    return _frozen(continuum_noise(camera) ** 2 / sky_level()[camera.pixels])


@cache
def residual_templates() -> NDArray[np.float64]:
    """What bad sky subtraction leaves, one row per band of lines and its derivative, (2 x bands, 7781).

    A row of the first half is the band's flux (the level is wrong), of the second half its change for a shift
    of one Å (the wavelength or the width is wrong); both in 1e-17 erg/s/cm2/Å.
    """
    flux = line_excess() * sky_level()
    slope = np.gradient(flux, STEP)
    rows = [np.where((low <= WAVE) & (high > WAVE), flux, 0.0) for low, high in BANDS]
    rows += [np.where((low <= WAVE) & (high > WAVE), slope, 0.0) for low, high in BANDS]
    return _frozen(np.array(rows))


@cache
def blank_sky_variance() -> NDArray[np.float64]:
    """Variance of the combined arms on the native grid for 1,000 s (inverse variances add where arms overlap)."""
    weight = np.zeros_like(WAVE)
    for camera in CAMERAS:
        weight[camera.pixels] += 1.0 / sky_variance(camera)
    return _frozen(1.0 / weight)
