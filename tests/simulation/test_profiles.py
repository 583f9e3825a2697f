"""Painted lines keep their area, centre and width; photometry and distances agree with known values."""

import numpy as np
import pytest

from qnet_tui.simulation.cosmology import luminosity_distance
from qnet_tui.simulation.native_grid import CAMERAS, N_PIXELS, RESOLUTION_SIGMA, STEP, WAVE
from qnet_tui.simulation.photometry import nanomaggies
from qnet_tui.simulation.profiles import gaussians, observed_sigma


def test_the_native_grid_is_desis() -> None:
    assert N_PIXELS == 7781
    assert [(c.wave[0], c.wave[-1], len(c.wave)) for c in CAMERAS] == [
        (3600.0, 5800.0, 2751),
        (5760.0, 7620.0, 2326),
        (7520.0, 9824.0, 2881),
    ]


@pytest.mark.parametrize("sigma", [0.75, 4.0, 60.0, 350.0])
def test_a_line_has_its_area_centre_and_width(sigma: float) -> None:
    row = np.array([1, 1])
    centre = np.array([6500.3, 6500.3])
    image = gaussians(3, row, centre, np.array([sigma, sigma]), np.array([30.0, 12.0]))
    assert image.dtype == np.float32
    assert not image[0].any()
    assert not image[2].any()
    weight = image[1].astype(np.float64)
    assert weight.sum() * STEP == pytest.approx(42.0, rel=1e-3)
    mean = np.average(WAVE, weights=weight)
    assert mean == pytest.approx(6500.3, abs=0.02)
    assert np.sqrt(np.average((WAVE - mean) ** 2, weights=weight)) == pytest.approx(sigma, rel=0.01)


def test_lines_outside_the_grid_are_lost_and_those_on_the_edge_are_cut() -> None:
    centre = np.array([2000.0, 3600.0, 12000.0])
    image = gaussians(3, np.arange(3), centre, np.full(3, 10.0), np.full(3, 5.0))
    assert not image[0].any()
    assert not image[2].any()
    assert image[1].sum() * STEP == pytest.approx(2.5, rel=0.05)


def test_no_lines_is_an_empty_image() -> None:
    nothing = np.array([], dtype=np.float64)
    assert not gaussians(2, nothing.astype(np.int64), nothing, nothing, nothing).any()


def test_the_spectrograph_widens_narrow_lines_only() -> None:
    width = observed_sigma(np.array([6000.0, 6000.0]), np.array([0.0, 3000.0]))
    assert width[0] == pytest.approx(RESOLUTION_SIGMA)
    assert width[1] == pytest.approx(6000 * 3000 / 299792.458, rel=1e-3)


def test_flat_f_nu_has_the_same_nanomaggies_in_every_band() -> None:
    # r = 22.5 is one nanomaggy: 3.631e-29 erg/s/cm2/Hz.
    flux = (3.631e-29 * 2.99792458e18 / WAVE**2 / 1e-17).astype(np.float32)
    assert nanomaggies(np.stack([flux, 7 * flux])) == pytest.approx(np.array([[1.0] * 3, [7.0] * 3]), rel=1e-4)


def test_luminosity_distances_are_those_of_the_flat_universe() -> None:
    # Ωm = 0.3, H0 = 70, no radiation, in Mpc, by Gauss-Legendre quadrature of 60 points.
    assert luminosity_distance(np.array([0.5, 2.0, 4.0])) == pytest.approx([2832.94, 15539.59, 35851.85], rel=1e-4)
