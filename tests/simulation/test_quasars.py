"""The physics of simulated quasars: lines at (1 + z) λ, a forest that deepens with z, winds to the blue."""

import numpy as np
import pytest

from qnet_tui.simulation.absorbers import broad_troughs, narrow_systems
from qnet_tui.simulation.forest import effective_depth, forest_transmission, strong_absorbers
from qnet_tui.simulation.native_grid import WAVE
from qnet_tui.simulation.quasar_lines import BROAD, LineStrengths, line_emission, wavelengths_needed
from qnet_tui.simulation.quasars import quasar_spectra

# The peak of C III] is a blend with Si III] at 1892 Å: composites have it at 1906 Å.
LINE = {line.name: line.rest for line in BROAD if line.name != "He II"} | {"C III]": 1906.0}


def plain_strengths(n: int, **change: float) -> LineStrengths:
    values = {
        "fwhm": 3500.0, "blueshift": 0.0, "broad": 1.0, "narrow": 1.0, "narrow_fwhm": 350.0, "spread": 0.0,
        "iron_uv": 0.0, "iron_optical": 0.0, "luminosity": 0.0,
    } | change  # fmt: skip
    return LineStrengths(**{name: np.full(n, value) for name, value in values.items()})


def emission(z: float, n: int = 40, **change: float) -> np.ndarray:
    flat = {rest: np.ones(n) for rest in wavelengths_needed()}
    lines = line_emission(np.random.default_rng(4), np.full(n, z), plain_strengths(n, **change), flat)
    return lines.mean(axis=0)


@pytest.mark.parametrize(
    ("z", "name"),
    [(2.6, "Ly alpha"), (2.2, "C IV"), (1.4, "C III]"), (0.9, "Mg II"), (0.3, "H alpha"), (4.2, "C IV")],
)
def test_broad_lines_peak_at_their_redshifted_wavelength(z: float, name: str) -> None:
    centre = LINE[name] * (1 + z)
    near = np.abs(WAVE - centre) < 0.012 * centre
    peak = WAVE[near][np.argmax(emission(z)[near])]
    # Each line of each quasar is off by 120 km/s rms; the mean of 40 by 20.
    assert abs(peak / centre - 1) * 299792 < 400


def test_forbidden_lines_sit_exactly_at_the_redshift() -> None:
    z = 0.45
    flux = emission(z, broad=0.0)
    for rest in (5008.24, 4960.30, 3869.86):
        near = np.abs(WAVE - rest * (1 + z)) < 12
        centroid = np.average(WAVE[near], weights=flux[near])
        assert centroid == pytest.approx(rest * (1 + z), abs=0.3)
    near = np.abs(WAVE - 5008.24 * (1 + z)) < 12
    other = np.abs(WAVE - 4960.30 * (1 + z)) < 12
    # Fixed by atomic physics to about 3.
    assert flux[near].sum() / flux[other].sum() == pytest.approx(3.0, rel=0.02)


def test_high_ionisation_lines_are_blueshifted_and_balmer_lines_are_not() -> None:
    for name, z, expected in (("C IV", 2.0, -1500), ("H beta", 0.6, 0)):
        centre = LINE[name] * (1 + z)
        near = np.abs(WAVE - centre) < 0.012 * centre
        flux = emission(z, blueshift=1500.0, narrow=0.0)[near]
        shift = (WAVE[near][np.argmax(flux)] / centre - 1) * 299792
        assert shift == pytest.approx(expected, abs=350)


def test_equivalent_widths_fall_with_luminosity() -> None:
    near = np.abs(WAVE - 1549 * 3.2) < 200
    faint, bright = (emission(2.2, luminosity=value)[near].sum() for value in (-1.0, 1.0))
    assert faint / bright > 1.5


def test_the_forest_deepens_with_redshift_as_published() -> None:
    rng = np.random.default_rng(1)
    z = np.repeat([2.6, 3.2, 4.0], 60)
    transmission = forest_transmission(rng, z)
    assert transmission.min() >= 0
    assert transmission.max() <= 1
    means = []
    for value in (2.6, 3.2, 4.0):
        rows = z == value
        # Lyman alpha only: above Lyman beta, away from the quasar's own zone.
        forest = (1045 * (1 + value) < WAVE) & (1170 * (1 + value) > WAVE)
        mean = transmission[rows][:, forest].mean()
        expected = np.exp(-effective_depth(WAVE[forest] / 1215.67 - 1)).mean()
        assert mean == pytest.approx(expected, rel=0.04)
        assert (transmission[rows][:, 1216 * (1 + value) < WAVE] == 1).all()
        means.append(mean)
    assert means[0] > means[1] > means[2]


def test_the_forest_fluctuates_and_higher_lyman_lines_add_to_it() -> None:
    transmission = forest_transmission(np.random.default_rng(2), np.full(80, 3.6))
    alpha = (WAVE > 1040 * 4.6) & (WAVE < 1150 * 4.6)
    beta = (WAVE > 980 * 4.6) & (WAVE < 1020 * 4.6)
    assert 0.2 < transmission[:, alpha].std() < 0.45
    assert transmission[:, beta].mean() < transmission[:, alpha].mean()


def test_no_forest_below_the_atmosphere() -> None:
    assert (forest_transmission(np.random.default_rng(0), np.array([0.5, 1.9])) == 1).all()
    assert forest_transmission(np.random.default_rng(0), np.array([])).shape == (0, 7781)


def test_limit_systems_blacken_the_lyman_continuum_and_damped_ones_the_line() -> None:
    transmission, log_n = strong_absorbers(np.random.default_rng(5), np.full(120, 4.2))
    assert (log_n > 17.2).mean() > 0.8
    deep = log_n > 20.8
    assert 0.1 < deep.mean() < 0.8
    # Below the limit of the highest system almost nothing is left for most sightlines.
    assert np.median(transmission[:, WAVE < 3700].mean(axis=1)) < 0.3
    width = (transmission[deep][:, WAVE > 4800] < 0.5).sum(axis=1) * 0.8
    assert np.median(width) > 20  # Å: a damped line is as wide as that
    none, zero = strong_absorbers(np.random.default_rng(5), np.array([1.2]))
    assert (none == 1).all()
    assert zero[0] == 0


def test_winds_absorb_to_the_blue_of_civ_only_in_bal_quasars() -> None:
    z = np.full(60, 2.3)
    has = np.arange(60) < 30
    transmission = broad_troughs(np.random.default_rng(6), z, has)
    assert (transmission[30:] == 1).all()
    civ = 1549.06 * 3.3
    blue = (civ * (1 - 24000 / 299792) < WAVE) & (civ > WAVE)
    red = (civ * 1.02 < WAVE) & (WAVE < 1680 * 3.3)
    assert (transmission[:30][:, blue].min(axis=1) < 0.75).mean() > 0.9
    assert transmission[:30][:, red].min() > 0.99


def test_intervening_doublets_are_narrow() -> None:
    transmission = narrow_systems(np.random.default_rng(7), np.full(50, 2.0))
    absorbed = (transmission < 0.9).sum(axis=1) * 0.8
    assert 0 < absorbed.mean() < 200


def test_kinds_of_quasars_differ_as_their_names_say() -> None:
    rng = np.random.default_rng(8)
    z = np.full(400, 2.2)
    drawn = quasar_spectra(rng, z, np.zeros(400))
    assert drawn.flux.dtype == np.float32
    assert np.isfinite(drawn.flux).all()
    assert (drawn.flux >= 0).all()
    assert set(np.unique(drawn.kind)) == {"QSO", "BAL", "WEAK", "NARROW", "RED"}
    assert (drawn.bal == (drawn.kind == "BAL")).all()
    assert 0.08 < drawn.bal.mean() < 0.20
    civ = np.abs(WAVE - 1549 * 3.2) < 60
    beside = np.abs(WAVE - 1460 * 3.2) < 60
    height = drawn.flux[:, civ].mean(axis=1) / drawn.flux[:, beside].mean(axis=1)
    assert np.median(height[drawn.kind == "WEAK"]) < 0.7 * np.median(height[drawn.kind == "QSO"])
    colour = drawn.flux[:, (WAVE > 4200) & (WAVE < 4800)].mean(axis=1) / drawn.flux[:, WAVE > 8800].mean(axis=1)
    assert np.median(colour[drawn.kind == "RED"]) < 0.7 * np.median(colour[drawn.kind == "QSO"])


def test_faint_quasars_nearby_show_their_host() -> None:
    z = np.full(60, 0.35)
    faint = quasar_spectra(np.random.default_rng(9), z, np.full(60, -2.0)).flux
    bright = quasar_spectra(np.random.default_rng(9), z, np.full(60, 0.5)).flux
    at_break = (WAVE > 4100 * 1.35) & (WAVE < 4250 * 1.35), (WAVE > 3750 * 1.35) & (WAVE < 3900 * 1.35)
    jumps = [np.median(f[:, at_break[0]].mean(axis=1) / f[:, at_break[1]].mean(axis=1)) for f in (faint, bright)]
    assert jumps[0] > jumps[1] + 0.05
