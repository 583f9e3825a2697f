"""The bench of scoring on tiny networks: what it compares with is right, and what it counts is so."""

from dataclasses import replace

import numpy as np
import pytest

from qnet_tui.quasarnet import precision
from qnet_tui.quasarnet.boxes import confidence_and_redshift
from qnet_tui.quasarnet.inference import Predictor
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.quasarnet.weights import Affine
from qnet_tui.spectra.grids import log_grid
from qnet_tui.workflows import bench_score
from qnet_tui.workflows.bench_calls import count_network
from qnet_tui.workflows.bench_networks import TrainedCommittee, _sample_vectors
from qnet_tui.workflows.bench_reference import answers_float64
from tests.quasarnet.small import SMALL, random_weights


@pytest.fixture(scope="module")
def committee() -> TrainedCommittee:
    """Two networks and 600 rows; the threshold and the split lie where the answers are dense."""
    networks = []
    for seed in (21, 22):
        drawn = random_weights(SMALL, seed)
        networks.append(replace(drawn, boxes=tuple(Affine(10 * b.kernel, 10 * b.bias) for b in drawn.boxes)))
    x = np.random.default_rng(4).normal(size=(600, 443)).astype(np.float32)
    c_qso, zbest = confidence_and_redshift(Predictor(SMALL).predict(networks[0], x), log_grid())
    return TrainedCommittee(
        tuple(networks), "two", x=x, c_threshold=float(np.median(c_qso)), z_split=float(np.median(zbest))
    )


@pytest.mark.parametrize(
    "settings",
    [
        NetworkSettings(layers=4, filters=5, dense=7, n_pixels=443),
        NetworkSettings(layers=6, filters=5, dense=7, n_pixels=458),
    ],
    ids=["4 valid", "6 same"],
)
@pytest.mark.parametrize("rescale", [True, False])
def test_the_reference_answers_as_we_do(settings: NetworkSettings, rescale: bool) -> None:
    weights = random_weights(settings, 31, rescale=rescale)
    x = np.random.default_rng(5).normal(size=(20, settings.n_pixels)).astype(np.float32)
    found = answers_float64(weights, x)
    assert found.dtype == np.float64
    assert np.abs(found - Predictor(settings).predict(weights, x, batch=32)).max() < 1e-6


def test_calls_are_counted_before_and_after_the_recheck(committee: TrainedCommittee) -> None:
    found = count_network(committee.networks[0], committee.blocks(10_000), committee)
    assert found.calls == 600
    assert 0 < found.quasars < 600
    assert found.changed_before > 0
    assert found.changed_after == 0
    assert found.changed_before < found.rechecked < 600
    assert 0 < found.confidence_error < 0.05
    assert 0 < max(found.near_error_margins, found.box_error_margins, found.offset_error_margins) < 1


def test_the_bench_says_speed_and_calls(committee: TrainedCommittee, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "choose", lambda wanted="auto": "bfloat16")
    monkeypatch.setattr(bench_score, "committee_of_sample", lambda quick, progress: committee)
    stages = []
    found = bench_score.measure(
        workspace=None, round_number=None, quick=True, dropped=["OPENBLAS_CORETYPE=Haswell"],
        progress=lambda stage, done, total: stages.append(stage),
    )  # fmt: skip
    lines = {one.name: one for one in found}
    assert len(lines) == len(found)
    assert "OPENBLAS_CORETYPE=Haswell" in lines["traps"].detail
    assert lines["float32 against float64"].met
    assert (lines["float32 / numpy float64"].target, lines["bfloat16 / Keras predict"].target) == (4.3, 2.6)
    assert (lines["float32 / sgemm peak"].target, lines["bfloat16 / sgemm peak"].target) == (0.8, 1.4)
    assert all(one.ratio is None or one.ratio > 0 for one in found)
    changed = lines["calls changed by bfloat16 and its recheck"]
    assert (changed.ours, changed.met, changed.exact) == (0, True, True)
    assert "1,200 calls" in changed.detail
    assert lines["calls changed by bfloat16 alone"].ours > 0
    assert "scoring in turn" in stages
    assert "counting calls" in stages


def test_a_part_of_a_pool_is_taken_evenly(committee: TrainedCommittee) -> None:
    (some,) = committee.blocks(3)
    assert committee.x is not None
    assert np.array_equal(some, committee.x[[0, 299, 599]])


def test_the_sample_has_spectra_and_truth() -> None:
    x, z, is_qso = _sample_vectors()
    assert x.shape == (len(z), 443)
    assert 0.3 < is_qso.mean() < 0.6
    assert z[is_qso].min() > 0
    assert not z[~is_qso].any()
