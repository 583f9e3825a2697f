"""Noise that the inverse variance tells truly, sky that is left behind, pixels and arms that are lost."""

import numpy as np
import pytest

from qnet_tui.simulation.airglow import blank_sky_variance, continuum_noise, line_excess
from qnet_tui.simulation.native_grid import CAMERAS, N_PIXELS, WAVE
from qnet_tui.simulation.observation import (
    COSMIC,
    NO_DATA,
    ArmData,
    Conditions,
    coadd,
    draw_conditions,
    expose,
    kept_bits,
    median_snr,
    scale_to_snr,
)

DARK = Conditions(depth=1.0, airglow=1.0, n_exposures=1)


def observe(flux: np.ndarray, seed: int = 0, depth: float = 1.0, lost: int = -1) -> list[ArmData]:
    n = len(flux)
    return expose(
        np.random.default_rng(seed),
        flux.astype(np.float32),
        np.full(n, depth),
        DARK,
        np.full(n, lost, dtype=np.int64),
        np.zeros(n, dtype=np.bool_),
    )


def quiet(camera_number: int) -> np.ndarray:
    """Pixels away from airglow and from the ends of the arms."""
    camera = CAMERAS[camera_number]
    return (line_excess()[camera.pixels] < 0.3) & (continuum_noise(camera) < 0.9)


@pytest.mark.parametrize("level", [0.0, 3.0, 40.0])
def test_the_inverse_variance_calibrates_the_residuals(level: float) -> None:
    flux = np.full((40, N_PIXELS), level)
    for number, arm in enumerate(observe(flux)):
        use = quiet(number)
        chi = ((arm.flux - level) * np.sqrt(arm.ivar))[:, use][arm.ivar[:, use] > 0]
        assert np.mean(np.clip(chi, -6, 6) ** 2) == pytest.approx(1.0, abs=0.12)


def test_bright_sky_lines_leave_more_than_the_stated_noise() -> None:
    arm = observe(np.zeros((200, N_PIXELS)))[2]
    chi = arm.flux * np.sqrt(arm.ivar)
    bright = line_excess()[CAMERAS[2].pixels] > 30
    assert chi[:, bright].std() > 1.15 * chi[:, quiet(2)].std()


def test_noise_follows_sky_and_throughput() -> None:
    sigma = np.sqrt(blank_sky_variance())

    def typical(low: float, high: float) -> float:
        return float(np.median(sigma[(low < WAVE) & (high > WAVE)]))

    # Measured on dark-time DESI coadds of 1,000 s (1e-17 erg/s/cm2/Å per 0.8 Å).
    assert typical(3600, 3700) == pytest.approx(2.45, rel=0.2)
    assert typical(4400, 4700) == pytest.approx(0.48, rel=0.2)
    assert typical(6600, 7000) == pytest.approx(0.22, rel=0.2)
    assert typical(8500, 9000) == pytest.approx(0.17, rel=0.25)
    assert sigma[np.argmin(np.abs(WAVE - 8921.8))] > 5 * typical(9060, 9080)


def test_brighter_objects_are_noisier_and_longer_exposures_are_deeper() -> None:
    faint, bright = (observe(np.full((3, N_PIXELS), level))[1].ivar.max() for level in (0.0, 50.0))
    assert bright < 0.5 * faint
    assert observe(np.zeros((3, N_PIXELS)), depth=4.0)[1].ivar.max() == pytest.approx(4 * faint, rel=0.01)


def test_masked_pixels_have_no_weight_and_a_reason() -> None:
    arms = observe(np.zeros((300, N_PIXELS)))
    for arm in arms:
        assert arm.flux.dtype == arm.ivar.dtype == np.float32
        assert arm.mask.dtype == np.int32
        assert ((arm.ivar == 0) == (arm.mask != 0)).all()
        assert (arm.ivar >= 0).all()
        assert np.isfinite(arm.flux).all()
        assert 0 < (arm.mask & COSMIC != 0).mean() < 0.005


def test_long_masked_runs_come_where_asked() -> None:
    stretch = np.arange(60) < 30
    arms = expose(
        np.random.default_rng(3),
        np.zeros((60, N_PIXELS), dtype=np.float32),
        np.ones(60),
        DARK,
        np.full(60, -1, dtype=np.int64),
        stretch,
    )
    masked = sum((arm.mask & ~COSMIC != 0).sum(axis=1) for arm in arms)
    assert (masked[30:] == 0).all()
    assert (masked[:30] > 20).mean() > 0.7


def test_a_lost_arm_is_empty_and_the_others_are_not() -> None:
    arms = observe(np.ones((4, N_PIXELS)), lost=1)
    assert (arms[1].ivar == 0).all()
    assert (arms[1].flux == 0).all()
    assert (arms[1].mask & NO_DATA != 0).all()
    assert (arms[0].ivar > 0).mean() > 0.99
    assert (median_snr(arms) > 0).all()


def test_nothing_recorded_has_no_signal() -> None:
    camera = CAMERAS[0]
    nothing = np.zeros((2, len(camera.wave)), dtype=np.float32)
    assert (median_snr([ArmData(camera, nothing, nothing, nothing.astype(np.int32))]) == 0).all()


def test_the_wanted_signal_to_noise_is_reached() -> None:
    rng = np.random.default_rng(5)
    shape = np.stack([(WAVE / 6000) ** slope for slope in (-2.0, 0.0, 1.5)] * 2).astype(np.float32)
    target = np.array([0.3, 1.0, 3.0, 6.0, 10.0, 18.0])
    flux = scale_to_snr(shape, target, np.full(6, 0.8), 1.2)
    many = np.repeat(flux, 30, axis=0)
    conditions = Conditions(0.8, 1.2, 1)
    none = np.full(180, -1, dtype=np.int64)
    arms = expose(rng, many, np.full(180, 0.8), conditions, none, np.zeros(180, dtype=np.bool_))
    assert median_snr(arms).reshape(6, 30).mean(axis=1) == pytest.approx(target, rel=0.07)


def test_a_coadd_is_the_weighted_mean_of_its_exposures() -> None:
    flux = np.full((10, N_PIXELS), 2.0)
    exposures = [observe(flux, seed=s, depth=0.5) for s in range(4)]
    merged = coadd(exposures)
    for number, arm in enumerate(merged):
        parts = np.stack([e[number].ivar for e in exposures]).sum(axis=0)
        assert arm.ivar == pytest.approx(parts, rel=2e-3)
        assert ((arm.ivar == 0) == (arm.mask != 0)).all()
        use = quiet(number)
        chi = ((arm.flux - 2.0) * np.sqrt(arm.ivar))[:, use]
        assert np.mean(np.clip(chi, -6, 6) ** 2) == pytest.approx(1.0, abs=0.2)
    # A pixel hit in one exposure of four is saved by the other three.
    hit = np.mean([(a.mask != 0).mean() for e in exposures for a in e])
    assert np.mean([(a.mask != 0).mean() for a in merged]) < 0.1 * hit


def test_a_pixel_that_every_exposure_lost_stays_masked() -> None:
    exposures = [observe(np.ones((2, N_PIXELS)), seed=s, lost=0) for s in range(3)]
    merged = coadd(exposures)
    assert (merged[0].mask & NO_DATA != 0).all()
    assert (merged[0].ivar == 0).all()


def test_rounding_is_small_and_leaves_zeros() -> None:
    values = np.array([0.0, 1.0, -3.14159, 2.5e-5, 1234.567], dtype=np.float32)
    rounded = kept_bits(values, 12)
    assert rounded == pytest.approx(values, rel=2.0**-13)
    assert rounded[0] == 0
    assert np.all(rounded.view(np.uint32) & 0x7FF == 0)


def test_conditions_split_the_depth_over_the_exposures() -> None:
    for exposures in (0, 5):
        conditions = draw_conditions(np.random.default_rng(1), exposures)
        assert 0.6 <= conditions.depth * conditions.n_exposures <= 1.6
        assert conditions.n_exposures == exposures or (exposures == 0 and 1 <= conditions.n_exposures <= 4)
