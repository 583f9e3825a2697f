"""Who is drawn, what people say of it, and what the pipeline answers."""

import numpy as np
import pytest

from qnet_tui.simulation.catalogue import OBJECT_DTYPE, seed_mark
from qnet_tui.simulation.inspectors import inspect
from qnet_tui.simulation.legibility import feature_significance
from qnet_tui.simulation.native_grid import CAMERAS, N_PIXELS, WAVE
from qnet_tui.simulation.observation import ArmData
from qnet_tui.simulation.population import draw_quasar_redshifts, draw_snr, draw_targets, luminosity_of
from qnet_tui.simulation.redrock_answers import SMALL_DELTA_CHI2, RedrockAnswers, answer
from qnet_tui.simulation.settings import ClassMix, SignalToNoiseMix, SimulationSettings


def things(n: int, spectral_class: str, z: float) -> np.ndarray:
    table = np.zeros(n, dtype=OBJECT_DTYPE)
    table["spectral_class"], table["z"], table["subclass"] = spectral_class, z, "QSO"
    return table


def ask(n: int, spectral_class: str, z: float, significance: float, seed: int = 0) -> RedrockAnswers:
    rng = np.random.default_rng(seed)
    return answer(rng, things(n, spectral_class, z), np.full(n, significance), np.full(n, 7900))


def test_the_mix_is_kept() -> None:
    settings = SimulationSettings(mix=ClassMix(quasar=0.4, galaxy=0.3, star=0.2, white_dwarf=0.05, junk=0.05))
    drawn = draw_targets(np.random.default_rng(1), 400, settings)
    shares = {name: float((drawn.spectral_class == name).mean()) for name in ("QSO", "GALAXY", "STAR", "JUNK")}
    assert shares == pytest.approx({"QSO": 0.4, "GALAXY": 0.3, "STAR": 0.25, "JUNK": 0.05}, abs=0.08)
    quasar = drawn.spectral_class == "QSO"
    assert (drawn.z[quasar] >= 0.1).all()
    assert (drawn.z[quasar] <= 4.5).all()
    assert np.isnan(drawn.z[drawn.spectral_class == "JUNK"]).all()
    assert not drawn.bal[~quasar].any()


def test_one_class_alone_can_be_drawn() -> None:
    only = SimulationSettings(mix=ClassMix(0, 0, 0, 1, 0))
    drawn = draw_targets(np.random.default_rng(1), 12, only)
    assert set(drawn.subclass.tolist()) <= {"DA", "DB", "DC"}


def test_signal_to_noise_is_log_normal_between_its_limits() -> None:
    kind = np.array(["quasar"] * 4000 + ["star"] * 4000)
    snr = draw_snr(np.random.default_rng(2), kind, SignalToNoiseMix())
    assert np.median(snr[:4000]) == pytest.approx(1.5, rel=0.08)
    assert np.median(snr[4000:]) == pytest.approx(2.6, rel=0.12)
    assert 0.1 <= snr.min() < 0.15
    assert 17 < snr.max() <= 20


def test_quasar_redshifts_peak_where_surveys_find_them() -> None:
    z = draw_quasar_redshifts(np.random.default_rng(3), 20_000, (0.1, 4.5))
    assert z.min() >= 0.1
    assert z.max() <= 4.5
    counts, _ = np.histogram(z, [0.1, 0.5, 1.5, 2.5, 3.5, 4.5])
    assert counts[1] > counts[0]
    assert counts[2] > counts[3] > counts[4] > 100


def test_bright_and_far_means_luminous() -> None:
    z, snr = np.array([1.0, 1.0, 3.0]), np.array([1.0, 10.0, 1.0])
    luminosity = luminosity_of(z, snr)
    assert luminosity[1] > luminosity[0]
    assert luminosity[2] > luminosity[0]


def test_significance_grows_with_lines_and_weight_and_ignores_continuum() -> None:
    flat = np.ones((3, N_PIXELS), dtype=np.float32)
    flat[1] += 2 * np.exp(-0.5 * ((WAVE - 5000) / 20) ** 2)
    flat[2] = flat[1]
    arms = []
    for camera in CAMERAS:
        ivar = np.ones((3, len(camera.wave)), dtype=np.float32)
        ivar[2] *= 4
        arms.append(ArmData(camera, ivar, ivar, np.zeros(ivar.shape, dtype=np.int32)))
    significance = feature_significance(flat, arms)
    assert significance[0] < 0.1
    assert significance[1] > 5
    assert significance[2] == pytest.approx(2 * significance[1], rel=1e-5)


def test_redrock_is_right_about_clear_spectra_and_lost_on_noise() -> None:
    clear, noise = ask(2000, "QSO", 2.2, 60.0), ask(2000, "QSO", 2.2, 1.0)
    good = (clear.spectral_class == "QSO") & (np.abs(clear.z - 2.2) < 0.01)
    assert 0.88 < good.mean() < 0.99
    assert 0.01 < (clear.spectral_class == "GALAXY").mean() < 0.06
    assert ((np.abs(noise.z - 2.2) < 0.01) & (noise.spectral_class == "QSO")).mean() < 0.1
    assert (noise.zwarn & SMALL_DELTA_CHI2 > 0).mean() > 0.5
    assert (clear.zwarn == 0).mean() > 0.9
    assert ((clear.deltachi2 < 9) == (clear.zwarn != 0)).all()
    assert np.isfinite(clear.z).all()
    assert np.isfinite(noise.z).all()


def test_redrock_confuses_lines_of_quasars() -> None:
    swapped = ask(4000, "QSO", 2.2, 60.0)
    wrong = (swapped.spectral_class == "QSO") & (np.abs(swapped.z - 2.2) > 0.05)
    lines = np.array([1215.67, 1549.06, 1908.73, 2798.75, 4862.68])
    expected = 3.2 * (lines[:, None] / lines[None, :]).ravel() - 1
    assert wrong.sum() > 20
    assert all(np.abs(expected - z).min() < 0.01 for z in swapped.z[wrong])


def test_redrock_gives_stars_and_nothing_an_answer() -> None:
    stars = ask(200, "STAR", 0.0001, 40.0)
    assert (stars.spectral_class == "STAR").mean() > 0.95
    nothing = ask(300, "JUNK", np.nan, 30.0)
    assert np.isfinite(nothing.z).all()
    assert (nothing.deltachi2 < 80).all()


@pytest.mark.parametrize(("significance", "low", "high"), [(80.0, 3.7, 4.0), (8.0, 2.4, 3.4), (1.0, 0.0, 0.4)])
def test_quality_follows_legibility(significance: float, low: float, high: float) -> None:
    table = things(300, "QSO", 1.7)
    rng = np.random.default_rng(4)
    pipeline = answer(rng, table, np.full(300, significance), np.full(300, 7900))
    said = inspect(rng, table, np.full(300, significance), np.zeros(300, dtype=bool), pipeline)
    assert low <= said.quality.mean() <= high
    sure = said.quality >= 2.5
    assert (said.spectral_class[sure] == "QSO").all()
    assert (np.abs(said.z[sure] - 1.7) < 0.0033 * 2.7 * 2).all()
    assert np.isin(said.spectral_class, ("STAR", "GALAXY", "QSO")).all()
    if high < 1:
        assert (said.spectral_class != "QSO").mean() > 0.2


def test_people_note_what_the_pipeline_got_wrong_and_what_is_broken() -> None:
    table = things(2, "QSO", 2.0)
    table["bal"] = [True, False]
    pipeline = RedrockAnswers(
        spectral_class=np.array(["GALAXY", "QSO"]), subtype=np.array(["", "HIZ"]), z=np.array([0.7, 2.0]),
        zerr=np.full(2, 1e-4), zwarn=np.zeros(2, dtype=np.int64), chi2=np.full(2, 8e3), deltachi2=np.full(2, 50.0),
        npixels=np.full(2, 7900),
    )  # fmt: skip
    said = inspect(np.random.default_rng(5), table, np.full(2, 90.0), np.array([False, True]), pipeline)
    assert said.issues.tolist() == ["RC", "S"]
    assert said.remark.tolist() == ["BAL", ""]


def test_nobody_is_sure_of_junk() -> None:
    table = things(200, "JUNK", np.nan)
    table["subclass"] = "BLEND"
    rng = np.random.default_rng(6)
    pipeline = answer(rng, table, np.full(200, 70.0), np.full(200, 7900))
    said = inspect(rng, table, np.full(200, 70.0), np.zeros(200, dtype=bool), pipeline)
    assert said.quality.max() < 2.0
    assert "two objects, blend" in said.remark
    assert np.isfinite(said.z).all()


def test_surveys_of_different_seeds_share_no_identity() -> None:
    marks = {seed_mark(seed) for seed in range(200)}
    assert len(marks) == 200
    assert all(mark & ((1 << 17) - 1) == 0 and mark >> 22 & 0xFFFFF == 0 for mark in marks)
