import warnings
from pathlib import Path

import numpy as np
import pytest

from qnet_tui.spectra.arms import Arm, SpectraFile
from qnet_tui.spectra.grids import grid_from_wave, linear_grid, log_grid
from qnet_tui.spectra.rows import empty_rows
from qnet_tui.spectra.vectors import (
    EXTREME_JUMP,
    FLAT,
    NO_DATA,
    NOT_FINITE,
    REASONS,
    has_extreme_jump,
    make_vectors,
    rebin,
    renormalise,
)

DESI = {"b": (3600.0, 2751), "r": (5760.0, 2326), "z": (7520.0, 2881)}


def desi_arms(n, seed=0, masked=0.05):
    rng = np.random.default_rng(seed)
    arms = []
    for name, (first, n_pixels) in DESI.items():
        ivar = rng.uniform(0.1, 3, (n, n_pixels)).astype(np.float32)
        ivar[rng.random(ivar.shape) < masked] = 0
        flux = rng.normal(1, 2, ivar.shape).astype(np.float32)
        arms.append(Arm(name, np.round(first + 0.8 * np.arange(n_pixels), 1), flux, ivar))
    return arms


def file_of(arms):
    return SpectraFile(Path("x.fits"), "desi", "coadd", "", tuple(arms), empty_rows(len(arms[0].flux)))


def slow_rebin(arms, grid):
    """The definition, pixel by pixel in float64."""
    n = len(arms[0].flux)
    total, weight = np.zeros((n, grid.n_pixels)), np.zeros((n, grid.n_pixels))
    for arm in arms:
        for pixel, wavelength in enumerate(arm.wavelength):
            inside = np.flatnonzero(grid.wave <= wavelength + 1e-9)
            if len(inside) and wavelength < grid.upper_edge:
                ivar = arm.ivar[:, pixel].astype(float)
                total[:, inside[-1]] += arm.flux[:, pixel] * ivar
                weight[:, inside[-1]] += ivar
    return np.divide(total, weight, out=np.zeros_like(total), where=weight > 0), weight


@pytest.mark.parametrize("grid", [log_grid(), linear_grid(), grid_from_wave(np.arange(4000.0, 9000, 25))])
def test_rebin_follows_its_definition(grid):
    arms = desi_arms(3)
    flux, weight = rebin(arms, grid)
    expected_flux, expected_weight = slow_rebin(arms, grid)
    assert flux.dtype == weight.dtype == np.float64
    np.testing.assert_allclose(weight, expected_weight, rtol=1e-12, atol=0)
    np.testing.assert_allclose(flux, expected_flux, rtol=0, atol=2e-6)


def test_rebin_does_not_depend_on_the_blocks_of_rows():
    arms = desi_arms(150)
    whole, whole_weight = rebin(arms, log_grid())
    one = [Arm(a.name, a.wavelength, a.flux[149:], a.ivar[149:]) for a in arms]
    flux, weight = rebin(one, log_grid())
    np.testing.assert_array_equal(whole[149:], flux)
    np.testing.assert_array_equal(whole_weight[149:], weight)


def test_arms_partly_or_wholly_outside_the_grid_lose_those_pixels():
    inside = Arm("r", np.array([3599.0, 3601.0, 3602.0]), np.full((1, 3), 2.0), np.array([[9.0, 1.0, 3.0]]))
    outside = Arm("z", np.array([11000.0, 11001.0]), np.ones((1, 2)), np.ones((1, 2)))
    flux, weight = rebin([inside, outside], log_grid())
    assert weight.sum() == weight[0, 0] == 4
    assert flux[0, 0] == 2


def test_sparse_arms_leave_bins_between_them_empty():
    arm = Arm("b", np.array([3600.0, 5000.0, 9000.0]), np.array([[1.0, 2.0, 3.0]]), np.ones((1, 3)))
    flux, weight = rebin([arm], linear_grid())
    assert np.flatnonzero(weight[0]).tolist() == [0, 102, 397]
    assert flux[0, [0, 102, 397]].tolist() == [1, 2, 3]


def test_no_arms_and_no_rows_give_no_vectors():
    assert rebin([], log_grid())[0].shape == (0, 443)
    empty = Arm("b", np.array([4000.0, 4001.0]), np.zeros((0, 2)), np.zeros((0, 2)))
    vectors = make_vectors(file_of([empty]), log_grid())
    assert vectors.x.shape == (0, 443)
    assert len(vectors.kept) == 0
    assert vectors.dropped == []


def test_vectors_have_weighted_mean_zero_and_rms_one_and_empty_pixels_are_not_zero():
    arms = desi_arms(4)
    flux, weight = rebin(arms, log_grid())
    x = renormalise(flux, weight)
    total = weight.sum(axis=1)
    np.testing.assert_allclose((weight * x).sum(axis=1) / total, 0, atol=1e-12)
    np.testing.assert_allclose((weight * x**2).sum(axis=1) / total, 1, rtol=1e-12)
    mean = (weight * flux).sum(axis=1) / total
    rms = np.sqrt((weight * (flux - mean[:, None]) ** 2).sum(axis=1) / total)
    np.testing.assert_allclose(x[:, 436:], np.repeat((-mean / rms)[:, None], 7, axis=1))


def test_vectors_do_not_change_when_flux_is_scaled_or_shifted():
    arms = desi_arms(2)
    other = [Arm(a.name, a.wavelength, 4 * a.flux + 8, a.ivar / 16) for a in arms]
    x, y = (make_vectors(file_of(a), linear_grid()).x for a in (arms, other))
    np.testing.assert_allclose(x[:, :457], y[:, :457], atol=1e-5)


def test_every_row_is_kept_or_dropped_with_its_reason():
    arms = desi_arms(6)
    for arm in arms:
        arm.ivar[1] = 0
        arm.flux[2] = 1.1
        arm.ivar[3] = 0
    arms[0].ivar[3, 5] = 1  # one bin only
    arms[0].flux[4] = 3e38
    arms[0].ivar[4] = 3e38
    arms[0].flux[4, ::2] = -3e38
    arms[1].ivar[5] = 0  # an arm without data is no reason
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vectors = make_vectors(file_of(arms), log_grid())
    assert vectors.kept.tolist() == [0, 5]
    assert vectors.kept.dtype == np.int64
    assert vectors.dropped == [(1, NO_DATA), (2, FLAT), (3, FLAT), (4, NOT_FINITE)]
    assert vectors.x.shape == (2, 443)
    assert vectors.x.dtype == np.float32
    assert np.isfinite(vectors.x).all()
    assert {reason for _, reason in vectors.dropped} == set(REASONS)


@pytest.mark.parametrize("level", [0.0, 1.1, -3.3e-7, 1e20])
def test_equal_flux_is_flat_at_any_level(level):
    arms = [Arm(a.name, a.wavelength, np.full_like(a.flux, level), a.ivar) for a in desi_arms(2)]
    assert make_vectors(file_of(arms), log_grid()).dropped == [(0, FLAT), (1, FLAT)]


def test_a_bright_spectrum_with_a_faint_line_is_not_flat():
    arms = [Arm(a.name, a.wavelength, np.full_like(a.flux, 1000), a.ivar) for a in desi_arms(1)]
    arms[1].flux[0, 100:130] += 0.01
    vectors = make_vectors(file_of(arms), log_grid())
    assert vectors.kept.tolist() == [0]
    assert vectors.x.max() > 10


def test_data_outside_the_grid_are_no_data():
    arm = Arm("b", np.array([3000.0, 3001.0]), np.array([[1.0, 2.0]]), np.ones((1, 2)))
    assert make_vectors(file_of([arm]), log_grid()).dropped == [(0, NO_DATA)]


def test_weights_of_extreme_ratio_do_not_pass_as_vectors():
    arm = Arm("b", np.array([4000.0, 5000.0, 6000.0]), np.array([[1.0, 2.0, 3e38]]), np.array([[1, 1, 1e-38]]))
    vectors = make_vectors(file_of([arm]), log_grid())
    assert np.isfinite(vectors.x).all()
    assert len(vectors.kept) + len(vectors.dropped) == 1


def test_extreme_jumps_are_found_at_the_limit():
    x = np.zeros((4, 5), dtype=np.float32)
    x[1, 2] = EXTREME_JUMP
    x[2, 4] = -EXTREME_JUMP
    x[3, 0] = np.nextafter(np.float32(EXTREME_JUMP), np.float32(0))
    assert has_extreme_jump(x).tolist() == [False, True, True, False]
    assert has_extreme_jump(x[:0]).shape == (0,)
    assert has_extreme_jump(x).dtype == np.bool_


def test_arms_clean_themselves_and_keep_the_callers_arrays():
    flux = np.array([[1.0, np.nan, np.inf, 4.0, 5.0, 6.0, 1e39]])
    ivar = np.array([[1.0, 1.0, 1.0, np.nan, -1.0, np.inf, 1.0]])
    arm = Arm("b", np.arange(1.0, 8.0), flux, ivar)
    assert arm.flux.tolist() == [[1, 0, 0, 0, 0, 0, 0]]
    assert arm.ivar.tolist() == [[1, 0, 0, 0, 0, 0, 0]]
    assert arm.flux.dtype == arm.ivar.dtype == np.float32
    assert np.isnan(flux[0, 1])
    clean = Arm("b", arm.wavelength, arm.flux, arm.ivar)
    assert clean.flux is arm.flux


@pytest.mark.parametrize("part", ["flux", "ivar", "wavelength", "mask", "axes"])
def test_arms_refuse_shapes_that_do_not_belong_together(part):
    shapes = {"flux": (2, 3), "ivar": (2, 3), "wavelength": (3,), "mask": (2, 3)}
    if part == "axes":
        shapes |= {"flux": (3,), "ivar": (3,)}
    else:
        shapes[part] = (4,) if part == "wavelength" else (2, 4)
    arrays = {name: np.zeros(shape) for name, shape in shapes.items()}
    with pytest.raises(ValueError, match="arm b"):
        Arm("b", arrays["wavelength"], arrays["flux"], arrays["ivar"], arrays["mask"].astype(np.int32))
