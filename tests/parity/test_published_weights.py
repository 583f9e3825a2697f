"""Published weights files against what QuasarNP and the original TensorFlow network make of real spectra."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from qnet_tui.quasarnet.boxes import confidence_and_redshift, decode, is_quasar
from qnet_tui.quasarnet.inference import Predictor
from qnet_tui.quasarnet.weights_file import read_weights
from qnet_tui.spectra.grids import log_grid
from tests.parity import independent_reader

pytestmark = pytest.mark.shared

FILES = ("test_weights", "test_weights_6_layer")
COADDS = ("picca-coadd-1-80693", "picca-coadd-2-80693", "picca-coadd-sv3-dark-9144", "quasarnp-test_coadd")
BATCH = 32

# z of a line moves by less than (1 + z)·0.08 when its offset moves by 1.
SAME_Z = 1e-6


@cache
def heads_of(folder: Path, name: str, offsets: str, coadd: str) -> np.ndarray:
    """Our answers (7, n, 26) to the vectors of one reference file."""
    weights = read_weights(folder / f"desi/quasarnp/{name}.h5", offsets=offsets)  # type: ignore[arg-type]
    x = np.load(folder / f"reference/{coadd}.npz")["x_log"].astype(np.float32)
    return predictor_of(folder, name).predict(weights, x, batch=BATCH)


@cache
def predictor_of(folder: Path, name: str) -> Predictor:
    return Predictor(read_weights(folder / f"desi/quasarnp/{name}.h5").settings)


def calls(c_line: np.ndarray, zbest: np.ndarray, threshold: float) -> np.ndarray:
    """0 no quasar, 1 quasar below redshift 2.1, 2 above."""
    return np.where(is_quasar(c_line, threshold), np.where(zbest < 2.1, 1, 2), 0)


def test_what_the_published_files_are(shared_data: Path) -> None:
    old = read_weights(shared_data / "desi/quasarnp/test_weights.h5")
    new = read_weights(shared_data / "desi/quasarnp/test_weights_6_layer.h5")
    assert (old.settings.layers, old.settings.filters, old.settings.dense) == (4, 25, 25)
    assert (new.settings.layers, new.settings.filters, new.settings.dense) == (6, 100, 100)
    assert new.settings.n_parameters == sum(array.size for _, array in new.named_arrays()) == 592_882
    assert old.settings.dropout == new.settings.dropout == 0.2
    assert old.grid.name == new.grid.name == "log"
    assert old.rescale
    assert new.rescale
    assert read_weights(shared_data / "desi/quasarnp/test_weights.h5", offsets="quasarnp").rescale
    assert not read_weights(shared_data / "desi/quasarnp/test_weights_6_layer.h5", offsets="quasarnp").rescale


@pytest.mark.parametrize("coadd", COADDS)
@pytest.mark.parametrize("name", FILES)
def test_answers_lines_and_calls_are_those_of_quasarnp(shared_data: Path, name: str, coadd: str) -> None:
    reference = np.load(shared_data / f"reference/{coadd}.npz")
    heads = heads_of(shared_data, name, "quasarnp", coadd)
    assert np.abs(heads - reference[f"{name}__heads"]).max() < 1e-5
    grid = read_weights(shared_data / f"desi/quasarnp/{name}.h5").grid
    found = decode(heads, grid)
    c_line, z_line, zbest = (reference[f"{name}__{part}"] for part in ("c_line", "z_line", "zbest"))
    assert np.abs(found.c_line - c_line).max() < 1e-5
    assert np.abs(found.z_line - z_line).max() < SAME_Z
    assert np.abs(found.zbest - zbest).max() < SAME_Z
    c_qso, z_committee = confidence_and_redshift(heads, grid)
    assert np.array_equal(z_committee, found.zbest)
    for threshold in (0.4, 0.5, 0.95, 0.99):
        expected = calls(c_line, zbest, threshold)
        assert np.array_equal(calls(found.c_line, found.zbest, threshold), expected)
        assert np.array_equal(c_qso > threshold, expected > 0)


@pytest.mark.parametrize("name", FILES)
def test_the_references_hold_quasars_and_others(shared_data: Path, name: str) -> None:
    counts = np.zeros(3, dtype=int)
    for coadd in COADDS:
        reference = np.load(shared_data / f"reference/{coadd}.npz")
        called = calls(reference[f"{name}__c_line"], reference[f"{name}__zbest"], 0.5)
        counts += np.bincount(called, minlength=3)
    assert counts.sum() == 36
    assert counts.min() > 0


@pytest.mark.parametrize("coadd", COADDS)
@pytest.mark.parametrize("name", FILES)
def test_the_independent_reader_agrees_with_quasarnp(shared_data: Path, name: str, coadd: str) -> None:
    reference = np.load(shared_data / f"reference/{coadd}.npz")
    network = independent_reader.load(shared_data / f"desi/quasarnp/{name}.h5")
    heads = independent_reader.predict(network, reference["x_log"])
    assert np.abs(heads - reference[f"{name}__heads"]).max() < 1e-6
    c_line, z_line, zbest = independent_reader.decode(heads, network.wave)
    assert np.abs(c_line - reference[f"{name}__c_line"]).max() < 1e-6
    assert np.abs(z_line - reference[f"{name}__z_line"]).max() < 1e-6
    assert np.abs(zbest - reference[f"{name}__zbest"]).max() < 1e-6


def test_offsets_as_trained_are_those_of_the_original_network(shared_data: Path) -> None:
    """The 6-layer file: QuasarNP misses its Lambda layers, the network it was saved from did not."""
    original = np.load(shared_data / "desi/quasarnp/qnet_output_6_layer.npy")
    as_trained = heads_of(shared_data, "test_weights_6_layer", "as-trained", "quasarnp-test_coadd")
    as_quasarnp = heads_of(shared_data, "test_weights_6_layer", "quasarnp", "quasarnp-test_coadd")
    assert np.abs(as_trained - original).max() < 2e-6
    assert np.abs(as_quasarnp - original).max() == pytest.approx(0.0957, abs=1e-4)
    assert np.array_equal(as_trained[..., :13], as_quasarnp[..., :13])
    assert as_trained[..., 13:] == pytest.approx(1.2 * as_quasarnp[..., 13:] - 0.1, abs=1e-6)
    grid = read_weights(shared_data / "desi/quasarnp/test_weights_6_layer.h5").grid
    shift = np.abs(decode(as_trained, grid).zbest - decode(as_quasarnp, grid).zbest)
    assert 1e-3 < shift.max() < 0.02


@pytest.mark.parametrize("coadd", COADDS)
def test_the_4_layer_file_reads_the_same_either_way(shared_data: Path, coadd: str) -> None:
    as_trained = heads_of(shared_data, "test_weights", "as-trained", coadd)
    assert np.array_equal(as_trained, heads_of(shared_data, "test_weights", "quasarnp", coadd))


def test_answers_of_the_survey_weights_are_decoded_as_the_original_did(shared_data: Path) -> None:
    """``predict_data.npy``: what weights in production said of 383 spectra, decoded by the first QuasarNET.

    That one continues linearly beyond the ends of the grid, which concerns a single answer of the BAL head.
    """
    folder = shared_data / "desi/quasarnp"
    heads, z_bal = np.load(folder / "predict_data.npy"), np.load(folder / "predict_bal.npy")
    continued = decode(heads, log_grid(), extrapolate=True)
    assert np.abs(continued.c_line - np.load(folder / "predict_lya.npy")).max() < 1e-12
    assert np.abs(continued.z_line_bal - z_bal).max() < 1e-12
    clamped = decode(heads, log_grid())
    differing = np.abs(clamped.z_line_bal - z_bal) > 1e-12
    assert differing.sum() == 1
    assert (1 + clamped.z_line_bal[differing][0]) * 1548.2049 == pytest.approx(log_grid().wave[-1])
