"""Realism, judged by a published network that was trained on real quasars and knows nothing of this simulator.

``test_weights.h5`` of QuasarNP (4 layers of 25 filters) must find the simulated quasars that are bright enough,
leave what is no quasar alone, and fail on quasars that are too faint: an easy simulator fails as well.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from qnet_tui.quasarnet.boxes import decode
from qnet_tui.quasarnet.inference import Predictor
from qnet_tui.quasarnet.weights_file import read_weights
from qnet_tui.simulation.settings import SimulationSettings
from qnet_tui.simulation.survey import simulate
from qnet_tui.spectra.grids import log_grid
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.vectors import make_vectors

ROWS = 2000
SEED = 1
CONFIDENCE = 0.5
WEIGHTS = ("desi", "quasarnp", "test_weights.h5")


@dataclass(frozen=True)
class Judged:
    """What the network said of every row: true class, subclass and redshift, S/N per 0.8 Å, confidence, redshift."""

    spectral_class: np.ndarray
    subclass: np.ndarray
    z: np.ndarray
    snr: np.ndarray
    confidence: np.ndarray
    z_network: np.ndarray

    def found(self, rows: np.ndarray) -> float:
        """Share of the rows that the network calls quasars."""
        return float((self.confidence[rows] > CONFIDENCE).mean())

    @property
    def quasar(self) -> np.ndarray:
        return self.spectral_class == "QSO"


def judge(folder: Path, seed: int, weights_path: Path) -> Judged:
    """Simulate with the default mix, read the files back, and let the network judge them."""
    result = simulate(folder, SimulationSettings(rows=ROWS, seed=seed))
    with result.known_file.open(newline="") as stream:
        known = list(csv.DictReader(stream))
    grid = log_grid()
    vectors, snr, rows = [], [], []
    for path in (p for p in result.files if p.name.startswith("coadd-")):
        file = read_spectra(path)
        made = make_vectors(file, grid)
        mine = [row for row in known if row["FILE"] == path.name]
        vectors.append(made.x)
        snr.append(file.rows["snr"][made.kept])
        rows.extend(mine[i] for i in made.kept)
    weights = read_weights(weights_path)
    heads = Predictor(weights.settings).predict(weights, np.concatenate(vectors))
    answer = decode(heads, grid)
    return Judged(
        spectral_class=np.array([row["CLASS"] for row in rows]),
        subclass=np.array([row["SUBCLASS"] for row in rows]),
        z=np.array([float(row["Z"] or "nan") for row in rows]),
        snr=np.concatenate(snr),
        confidence=answer.c_line.max(axis=0),
        z_network=answer.zbest,
    )


def describe(judged: Judged, seed: int) -> str:
    """The S/N distribution and the figures, as printed."""
    quasar, snr = judged.quasar, judged.snr
    spread = ", ".join(f"{p}%: {v:.2f}" for p, v in zip(
        (1, 5, 16, 50, 84, 95, 99), np.percentile(snr[quasar], (1, 5, 16, 50, 84, 95, 99)), strict=True
    ))  # fmt: skip
    lines = [f"\nseed {seed}: S/N per 0.8 Å of {quasar.sum()} quasars: {spread}"]
    for low, high in ((-np.inf, 0.5), (0.5, 1), (1, 2), (2, 4), (4, np.inf)):
        rows = quasar & (snr >= low) & (snr < high)
        lines.append(f"  S/N {low} to {high}: {judged.found(rows):.3f} of {rows.sum()} found")
    for name in ("GALAXY", "STAR", "JUNK", "SKY"):
        rows = judged.spectral_class == name
        lines.append(f"  {name}: {judged.found(rows):.3f} of {rows.sum()} taken for quasars")
    for low, high in ((0.1, 0.6), (0.6, 1.2), (1.2, 1.8), (1.8, 2.5), (2.5, 3.3), (3.3, 4.5)):
        rows = quasar & (snr >= 2) & (judged.z >= low) & (judged.z < high)
        lines.append(f"  z {low} to {high}, S/N >= 2: {judged.found(rows):.3f} of {rows.sum()} found")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def judged(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return judge(tmp_path_factory.mktemp("realism"), SEED, shared_data.joinpath(*WEIGHTS))


def check(judged: Judged) -> None:
    """The three requirements."""
    bright, faint = judged.quasar & (judged.snr >= 2), judged.quasar & (judged.snr < 0.5)
    assert bright.sum() > 250
    assert faint.sum() > 60
    assert judged.found(bright) >= 0.90
    assert judged.found(~judged.quasar) <= 0.05
    assert judged.found(faint) < 0.90


def test_a_network_trained_on_real_quasars_agrees(judged: Judged, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(describe(judged, SEED))
    check(judged)


def test_the_signal_to_noise_distribution_is_a_surveys(judged: Judged) -> None:
    snr = judged.snr[judged.quasar]
    assert 1.0 < np.median(snr) < 2.0
    assert np.percentile(snr, 2) < 0.35
    assert np.percentile(snr, 98) > 7


def test_the_network_finds_them_at_all_redshifts(judged: Judged) -> None:
    bright = judged.quasar & (judged.snr >= 2)
    for low, high in ((0.3, 0.9), (0.9, 1.5), (1.5, 2.1), (2.1, 2.7), (2.7, 4.5)):
        rows = bright & (judged.z >= low) & (judged.z < high)
        assert rows.sum() > 15
        assert judged.found(rows) >= 0.85, (low, high)


def test_the_lines_are_where_the_network_expects_them(judged: Judged) -> None:
    rows = judged.quasar & (judged.snr >= 2) & (judged.confidence > CONFIDENCE)
    velocity = np.abs(judged.z_network - judged.z)[rows] / (1 + judged.z[rows]) * 299792.458
    assert (velocity < 6000).mean() > 0.95
    # One pixel of the network's grid is 691 km/s.
    assert np.median(velocity) < 1000


def test_it_gets_harder_as_the_signal_fades(judged: Judged) -> None:
    edges = ((-np.inf, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, np.inf))
    found = [judged.found(judged.quasar & (judged.snr >= low) & (judged.snr < high)) for low, high in edges]
    assert found == sorted(found)


def test_no_class_of_false_quasars_stands_out(judged: Judged) -> None:
    for name, most in (("GALAXY", 0.06), ("STAR", 0.05), ("SKY", 0.15), ("JUNK", 0.20)):
        assert judged.found(judged.spectral_class == name) <= most, name


@pytest.mark.soak
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_other_seeds_agree(seed: int, shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = judge(tmp_path, seed, shared_data.joinpath(*WEIGHTS))
    with capsys.disabled():
        print(describe(found, seed))
    check(found)
