"""A weights file measured on the truth of a workspace, also when it is on the other grid."""

import numpy as np
import pytest

import storage.shards as shards
from qnet_tui.errors import BadInput
from qnet_tui.spectra.grids import grid_named
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.vectors import make_vectors
from qnet_tui.workflows.evaluate_weights import evaluate_weights
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.regrid import vectors_on
from storage.workspace import Workspace


def test_published_weights_on_simulated_truth(workspace, shared_data):
    got = evaluate_weights(workspace, shared_data / "desi" / "quasarnp" / "test_weights.h5", c_threshold=0.5)
    assert got.tp + got.fp + got.fn + got.tn == got.objects > 80
    assert got.completeness > 0.8
    assert got.purity > 0.8
    assert got.completeness_interval[0] < got.completeness < got.completeness_interval[1]
    missed = [f for f in got.failures if f["what"] == "missed quasar"]
    called = [f for f in got.failures if f["what"] == "called a quasar, is none"]
    assert (len(missed), len(called)) == (got.fn, got.fp)
    assert got.off_by["1000"] >= got.off_by["6000"] >= got.off_by["12000"]
    with pytest.raises(BadInput, match="as-trained or quasarnp"):
        evaluate_weights(workspace, shared_data / "desi" / "quasarnp" / "test_weights.h5", offsets="mine")


def test_the_other_grid_is_rebinned_from_the_originals_once(workspace, survey):
    with Workspace.open(workspace) as ws:
        rows = all_rows(ws)
        some = rows[5:40:7]
        x = vectors_on(ws, "linear", some["id"].astype(np.int64))
        before = len(shards.shards(ws))
        again = vectors_on(ws, "linear", some["id"].astype(np.int64)[::-1])
        assert len(shards.shards(ws)) == before
    np.testing.assert_array_equal(again[::-1], x)
    first = sorted(survey.glob("coadd-*.fits"))[0]
    made = make_vectors(read_spectra(first), grid_named("linear"))
    wanted = some["hdu_row"][some["file_id"] == some["file_id"][0]]
    place = {int(r): i for i, r in enumerate(read_spectra(first).rows["hdu_row"][made.kept])}
    np.testing.assert_array_equal(x[: len(wanted)], made.x[[place[int(r)] for r in wanted]])


def test_an_original_that_is_gone_is_named(workspace):
    import storage.spectra as spectra_store

    with Workspace.open(workspace) as ws:
        rows = all_rows(ws)
        path = spectra_store.file_of(ws, int(rows["file_id"][0])).path
        ws.db.execute("UPDATE file SET path = ? WHERE path = ?", [path + ".gone", path])
        with pytest.raises(BadInput, match="gone"):
            vectors_on(ws, "linear", rows["id"][:3].astype(np.int64))
