"""The physics of what is no quasar: breaks, lines at their place, bands, jumps; junk has no lines at all."""

import numpy as np
import pytest

from qnet_tui.simulation.dust import milky_way, small_cloud, starburst
from qnet_tui.simulation.galaxies import KINDS, Galaxies, galaxy_spectra
from qnet_tui.simulation.junk import junk_spectra
from qnet_tui.simulation.native_grid import WAVE
from qnet_tui.simulation.stars import Stars, star_spectra, white_dwarf_spectra


@pytest.fixture(scope="module")
def galaxies() -> Galaxies:
    return galaxy_spectra(np.random.default_rng(1), 500)


@pytest.fixture(scope="module")
def stars() -> Stars:
    return star_spectra(np.random.default_rng(2), 300)


def band(flux: np.ndarray, z: float, low: float, high: float) -> float:
    return float(flux[(low * (1 + z) < WAVE) & (high * (1 + z) > WAVE)].mean())


def test_all_kinds_and_redshifts_occur(galaxies: Galaxies) -> None:
    assert set(np.unique(galaxies.kind)) == set(KINDS)
    assert galaxies.z.min() > 0
    assert galaxies.z.max() <= 1.6
    assert (galaxies.flux > 0).all()


def test_passive_galaxies_break_at_4000(galaxies: Galaxies) -> None:
    breaks = {"PASSIVE": [], "BLUE": []}
    for kind, found in breaks.items():
        for i in np.flatnonzero((galaxies.kind == kind) & (galaxies.z < 1.2)):
            # D4000 with the narrow bands of Balogh et al. 1999.
            z = galaxies.z[i]
            found.append(band(galaxies.flux[i], z, 4000, 4100) / band(galaxies.flux[i], z, 3850, 3950))
    assert 1.5 < np.median(breaks["PASSIVE"]) < 2.2
    assert 0.9 < np.median(breaks["BLUE"]) < 1.35


def test_emission_lines_sit_at_the_redshift(galaxies: Galaxies) -> None:
    checked = 0
    for i in np.flatnonzero((galaxies.kind == "BLUE") & (galaxies.z < 0.9)):
        for rest in (5008.24, 4862.68):
            centre = rest * (1 + galaxies.z[i])
            near = np.abs(WAVE - centre) < 8
            peak = WAVE[near][np.argmax(galaxies.flux[i, near])]
            assert abs(peak - centre) <= 0.8
            checked += 1
    assert checked > 50


def test_oxygen_doublet_is_there_to_the_highest_redshifts(galaxies: Galaxies) -> None:
    high = np.flatnonzero((galaxies.z > 1.1) & np.isin(galaxies.kind, ("BLUE", "STARFORMING")))
    assert len(high) > 10
    for i in high:
        centre = 3728.5 * (1 + galaxies.z[i])
        if centre < WAVE[-1] - 60:
            line = galaxies.flux[i, np.abs(WAVE - centre) < 6].max()
            assert line > 1.5 * np.median(galaxies.flux[i, np.abs(WAVE - centre) < 60])


def test_seyferts_have_strong_oxygen(galaxies: Galaxies) -> None:
    for i in np.flatnonzero((galaxies.kind == "SEYFERT2") & (galaxies.z < 0.8)):
        z = galaxies.z[i]
        oxygen, hydrogen = (
            galaxies.flux[i, np.abs(WAVE - rest * (1 + z)) < 15].max() - band(galaxies.flux[i], z, 4900, 4940)
            for rest in (5008.24, 4862.68)
        )
        assert oxygen > 3 * hydrogen


def test_stars_have_the_features_of_their_type(stars: Stars) -> None:
    assert set(stars.kind.tolist()) == set("AFGKM")
    jump, titanium, calcium, colour = {}, {}, {}, {}
    for kind in "AFGKM":
        flux = stars.flux[stars.kind == kind]
        mean = {
            name: flux[:, (low < WAVE) & (high > WAVE)].mean(axis=1)
            for name, low, high in (
                ("blue", 3610, 3660), ("red", 3990, 4060), ("before", 7010, 7045), ("band", 7058, 7110),
                ("k", 3929, 3941), ("beside", 4010, 4060), ("far", 8900, 9200),
            )
        }  # fmt: skip
        jump[kind] = np.median(mean["red"] / mean["blue"])
        titanium[kind] = np.median(mean["band"] / mean["before"])
        calcium[kind] = np.median(mean["k"] / mean["beside"])
        colour[kind] = np.median(mean["red"] / mean["far"])
    assert jump["A"] > 1.35
    assert titanium["M"] < 0.75 < 0.97 < titanium["G"]
    assert calcium["K"] < calcium["F"] < calcium["A"]
    assert colour["A"] > colour["F"] > colour["G"] > colour["K"] > colour["M"]


def test_stars_move_like_stars(stars: Stars) -> None:
    assert np.abs(stars.z).max() < 0.003
    i = int(np.flatnonzero(stars.kind == "A")[0])
    near = np.abs(WAVE - 6564.61) < 12
    lowest = WAVE[near][np.argmin(stars.flux[i, near])]
    assert lowest == pytest.approx(6564.61 * (1 + stars.z[i]), abs=0.9)


def test_white_dwarfs_are_blue_and_have_their_lines() -> None:
    dwarfs = white_dwarf_spectra(np.random.default_rng(3), 120)
    h_beta, shoulder = np.abs(WAVE - 4864) < 10, np.abs(WAVE - 5100) < 20
    helium, beside = np.abs(WAVE - 4473) < 6, np.abs(WAVE - 4560) < 15
    for kind, deep, lines in (("DA", h_beta, shoulder), ("DB", helium, beside)):
        ratio = dwarfs.flux[:, deep].mean(axis=1) / dwarfs.flux[:, lines].mean(axis=1)
        assert np.median(ratio[dwarfs.kind == kind]) < 0.92
    plain = dwarfs.flux[dwarfs.kind == "DC"]
    assert np.abs(np.diff(plain, 2, axis=1) / plain[:, 1:-1]).max() < 1e-4


def test_junk_is_smooth_where_it_should_be_and_steps_where_it_should() -> None:
    junk = junk_spectra(np.random.default_rng(4), 80)
    assert set(np.unique(junk.kind)) == {"EMPTY", "FLAT", "STEPS", "BLEND", "SCATTERED"}
    slope = np.abs(np.diff(junk.flux, axis=1)) / junk.flux[:, :-1]
    assert slope[np.isin(junk.kind, ("EMPTY", "FLAT"))].max() < 1e-3
    assert np.median(slope[junk.kind == "STEPS"].max(axis=1)) > 0.03


def test_dust_reddens_and_its_laws_differ() -> None:
    ebv = np.array([0.1])
    rest = WAVE[None, :].astype(np.float32)
    for law in (milky_way(WAVE, ebv), small_cloud(rest, ebv), starburst(rest, ebv)):
        assert (np.diff(law[0]) > 0).all()
        assert (law < 1).all()
    # A_V = 3.1 E(B-V), and A_B - A_V = E(B-V).
    magnitudes = -2.5 * np.log10(milky_way(np.array([4400.0, 5500.0]), ebv)[0])
    assert magnitudes[1] == pytest.approx(0.31, abs=0.001)
    assert magnitudes[0] - magnitudes[1] == pytest.approx(0.1, abs=0.02)
