import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.spectra.grids import Grid, grid_from_wave, grid_named, linear_grid, log_grid

DESI_WAVELENGTH = np.round(np.arange(3600, 9824.8, 0.8), 1)


def test_log_grid_is_the_published_one():
    grid = log_grid()
    assert (grid.n_pixels, grid.spacing, grid.name) == (443, "logarithmic", "log")
    assert grid.wave[0] == pytest.approx(3600, abs=1e-9)
    assert grid.wave[-1] == pytest.approx(9960.98992, abs=1e-5)
    assert grid.upper_edge == pytest.approx(9983.95238, abs=1e-5)
    assert grid.step == pytest.approx(1e-3, rel=1e-12)
    assert grid.wave.dtype == np.float64


def test_linear_grid_is_the_published_one():
    grid = linear_grid()
    assert (grid.n_pixels, grid.spacing, grid.name) == (458, "linear", "linear")
    assert (grid.wave[0], grid.wave[-1]) == (3600.0, 9815.2)
    assert grid.upper_edge == pytest.approx(9828.8)


def test_desi_pixels_on_the_linear_grid_are_seventeen_to_a_bin():
    assert len(DESI_WAVELENGTH) == 7781
    expected = np.repeat(np.arange(458), 17)[:-5]
    np.testing.assert_array_equal(linear_grid().bins_of(DESI_WAVELENGTH), expected)


def test_desi_pixels_fill_all_but_the_last_seven_log_bins():
    bins = log_grid().bins_of(DESI_WAVELENGTH)
    counts = np.bincount(bins, minlength=443)
    assert bins.min() == 0
    assert bins.max() == 435
    assert (counts[:436] > 0).all()
    assert counts.max() == 29


def test_bins_are_by_lower_edges_and_minus_one_outside():
    grid = linear_grid()
    wavelengths = [3599.999, 3600.0, 3613.59, 3613.6, 9828.79, 9828.8, np.nan, np.inf, -5.0, 0.0]
    assert grid.bins_of(wavelengths).tolist() == [-1, 0, 0, 1, 457, -1, -1, -1, -1, -1]
    assert grid.bins_of(wavelengths).dtype == np.int64
    log = log_grid()
    assert log.bins_of([3599.0, 3600.0, log.upper_edge - 1e-6, log.upper_edge + 1e-6]).tolist() == [-1, 0, 442, -1]


def test_middle_of_every_bin_is_in_that_bin():
    for grid in (log_grid(), linear_grid()):
        middles = np.append(grid.wave, grid.upper_edge)
        middles = (middles[1:] + middles[:-1]) / 2
        np.testing.assert_array_equal(grid.bins_of(middles), np.arange(grid.n_pixels))


def test_grids_by_name():
    assert grid_named("log") == log_grid()
    assert grid_named("linear") == linear_grid()
    with pytest.raises(BadInput, match=r"cubic.*use log or linear"):
        grid_named("cubic")


def test_grids_compare_by_their_edges_and_can_be_keys():
    assert log_grid() != linear_grid()
    assert log_grid() != "log"
    assert {log_grid(): 1}[Grid("other name", log_grid().wave, "logarithmic")] == 1


def test_edges_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        log_grid().wave[0] = 1.0


@pytest.mark.parametrize("dtype", [np.float64, np.float32, ">f8"])
def test_published_edges_are_recognised_whatever_their_type(dtype):
    assert grid_from_wave(log_grid().wave.astype(dtype)).name == "log"
    assert grid_from_wave(linear_grid().wave.astype(dtype)).name == "linear"


def test_other_regular_edges_make_a_custom_grid():
    wave = 3500.0 + 10 * np.arange(600)
    grid = grid_from_wave(wave)
    assert (grid.name, grid.spacing, grid.n_pixels) == ("custom", "linear", 600)
    np.testing.assert_array_equal(grid.wave, wave)
    wave[0] = 0  # the grid keeps its own copy
    assert grid.wave[0] == 3500
    dr12 = 10 ** (np.log10(3600) + 2e-3 * np.arange(221))
    assert (grid_from_wave(dr12).spacing, grid_from_wave(dr12).name) == ("logarithmic", "custom")
    legacy = log_grid().wave[:434]
    assert grid_from_wave(legacy).name == "custom"


@pytest.mark.parametrize(
    "wave",
    [
        [],
        [3600.0],
        [3600.0, 3610.0],
        [[3600.0, 3610.0, 3620.0]],
        [3600.0, np.nan, 3620.0],
        [3620.0, 3610.0, 3600.0],
        [3600.0, 3600.0, 3600.0],
        [0.0, 10.0, 20.0],
        [3600.0, 3610.0, 3650.0],
        np.concatenate([np.arange(3600, 4000, 10.0), np.arange(4000, 9800, 40.0)]),
    ],
)
def test_irregular_edges_are_refused(wave):
    with pytest.raises(BadInput, match="grid"):
        grid_from_wave(wave)
