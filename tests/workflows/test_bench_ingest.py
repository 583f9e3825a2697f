"""The bench of ingest on a small file: its reference is the field's reading, and its lines say what was measured."""

import math

import numpy as np
import pytest

from qnet_tui.spectra import reference_reading as reference
from qnet_tui.spectra.grids import log_grid
from qnet_tui.spectra.read import read_vectors
from qnet_tui.workflows import bench_ingest as bench


@pytest.fixture(scope="module")
def petal(tmp_path_factory):
    return bench._petal(tmp_path_factory.mktemp("bench"), 60, lambda *_: None)


def test_the_reference_is_quasarnps_reading(shared_data):
    """Its vectors of a real file are those of unmodified QuasarNP."""
    path = shared_data / "desi/quasarnp/test_coadd.fits"
    x, kept = reference.renormalised(*reference.rebinned(reference.read_arms(path), log_grid()))
    with np.load(shared_data / "reference/quasarnp-test_coadd.npz") as expected:
        np.testing.assert_array_equal(kept, expected["kept_log"])
        np.testing.assert_allclose(x, expected["x_log"], rtol=0, atol=2e-6)


def test_plain_and_gzipped_files_hold_the_same(petal):
    vectors = [read_vectors(path, log_grid())[1] for path in petal]
    np.testing.assert_array_equal(vectors[0].x, vectors[1].x)
    assert len(vectors[0].x) > 50


def test_its_lines(petal):
    found = [bench._traps(*petal, ["OPENBLAS_CORETYPE=Haswell"]), *bench._exact(petal[0])]
    found += bench._speed(*petal, 1, lambda *_: None)
    by_name = {one.name: one for one in found}
    assert "OPENBLAS_CORETYPE=Haswell" in by_name["traps"].detail
    assert math.isnan(by_name["traps"].ours)
    assert by_name["rows kept differently"].ours == 0
    # The bench masks whole rows, and float32 vectors differ a little from float64 ones.
    assert 0 < by_name["largest difference"].ours <= bench.LARGEST_DIFFERENCE
    assert by_name["rebin and renormalise"].target == 5
    assert by_name["load"].target == 2
    for one in found[3:]:
        assert one.ratio == pytest.approx(one.ours / one.peer)
        assert one.ours > 0
