"""Labels in, by object: matched, unmatched, rejected, withdrawn, split."""

import numpy as np
import pytest

import storage.truth as truth_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.labelled_rows import all_rows, best_rows, labelled_rows, validation_rows
from qnet_tui.workflows.truth import exclude, find_objects, import_from_spectra, import_truth, split
from storage.workspace import Workspace


def write(path, *lines, header="TARGETID,VI_Z,VI_QUALITY,VI_CLASS"):
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


@pytest.fixture
def some_ids(workspace):
    with Workspace.open(workspace) as ws:
        rows = all_rows(ws)
    return np.unique(rows["targetid"][rows["object_id"] > 0]).tolist()


def test_counts_of_an_import(workspace, some_ids, tmp_path):
    a, b, c = some_ids[:3]
    table = write(tmp_path / "t.csv", f"{a},2.2,4,QSO", f"{b},0.5,1.5,GALAXY", f"{c},-5,4,QSO", "77,1.0,4,QSO")
    result = import_truth(workspace, table)
    assert (result.rows, result.imported, result.unmatched) == (4, 2, 1)
    assert [bad["line"] for bad in result.rejected] == [4]
    assert result.by_class == {"GALAXY": 1, "QSO": 1}
    assert result.kept_not_trained == 1


def test_a_table_without_its_columns_changes_nothing(workspace, tmp_path):
    with Workspace.open(workspace) as ws:
        before = truth_store.truth_hash(ws)
    with pytest.raises(BadInput, match=r"bad\.csv"):
        import_truth(workspace, write(tmp_path / "bad.csv", "1,2", header="A,B"))
    with Workspace.open(workspace) as ws:
        assert truth_store.truth_hash(ws) == before


def test_unknown_roles_and_empty_reasons_are_refused(workspace, some_ids, tmp_path):
    with pytest.raises(BadInput, match="role"):
        import_truth(workspace, write(tmp_path / "t.csv"), role="judge")
    with pytest.raises(BadInput, match="reason"):
        exclude(workspace, [str(some_ids[0])], " ", "me")
    with pytest.raises(BadInput, match="123"):
        exclude(workspace, ["123"], "corrupted", "me")


def test_excluded_labels_do_not_train(workspace):
    with Workspace.open(workspace) as ws:
        rows, labels = all_rows(ws), truth_store.current_truth(ws)
        before = labelled_rows(ws, rows, labels, one_per_object=True)
    victim = str(rows["targetid"][rows["object_id"] == before.object_id[0]][0])
    assert exclude(workspace, [victim], "corrupted", "me") == 1
    with Workspace.open(workspace) as ws:
        after = labelled_rows(ws, rows, truth_store.current_truth(ws), one_per_object=True)
        assert find_objects(ws, [victim])[victim] == before.object_id[0]
    assert set(before.object_id) - set(after.object_id) == {before.object_id[0]}


def test_a_split_is_by_object_and_for_ever(workspace):
    with Workspace.open(workspace) as ws:
        rows = all_rows(ws)
        held = validation_rows(ws, rows, truth_store.current_truth(ws)).object_id
    again = split(workspace, 0.5, 99)
    with Workspace.open(workspace) as ws:
        labels = truth_store.current_truth(ws)
        more = validation_rows(ws, rows, labels).object_id
        training = labelled_rows(ws, rows, labels[labels["role"] == "train"], one_per_object=False)
    assert set(held) <= set(more)
    assert again.validation >= len(more)
    assert not set(training.object_id) & set(more)
    with pytest.raises(BadInput, match="between 0 and 1"):
        split(workspace, 1.5, 1)


def test_low_quality_is_dropped_or_kept_as_negative(workspace):
    with Workspace.open(workspace) as ws:
        rows, labels = all_rows(ws), truth_store.current_truth(ws)
        good = labelled_rows(ws, rows, labels, one_per_object=True)
        all_of_them = labelled_rows(ws, rows, labels, one_per_object=True, keep_bad_as_negative=True)
    bad = set(all_of_them.object_id) - set(good.object_id)
    assert bad
    assert not all_of_them.is_qso[np.isin(all_of_them.object_id, list(bad))].any()


def test_coadds_stand_for_their_objects_else_all_exposures():
    kinds = [(1, 1, "exposure", 9.0), (2, 1, "coadd", 3.0), (3, 1, "coadd", 4.0), (4, 2, "exposure", 1.0),
             (5, 2, "exposure", 2.0), (6, 0, "coadd", 9.0)]  # fmt: skip
    rows = np.array(kinds, dtype=[("id", "i8"), ("object_id", "i8"), ("kind", "U8"), ("snr", "f4")])
    assert rows["id"][best_rows(rows, one_per_object=False)].tolist() == [3, 4, 5]
    assert rows["id"][best_rows(rows, one_per_object=True)].tolist() == [3, 5]


def test_specobj_is_marked_as_the_pipelines_truth(tmp_path, shared_data):
    from qnet_tui.workflows.ingest import ingest
    from qnet_tui.workflows.initialise import initialise

    initialise(tmp_path / "ws")
    ingest(tmp_path / "ws", [str(shared_data / "sdss" / "spectra" / "spec-3655-55240-00*.fits")])
    drq = import_truth(tmp_path / "ws", shared_data / "sdss" / "drq_catalogue_plate3655_zvi.fits.gz")
    result = import_from_spectra(tmp_path / "ws")
    assert drq.imported > 0
    # People's and catalogues' labels stay; the pipeline fills what they leave open.
    assert result.not_superseding == drq.imported
    with Workspace.open(tmp_path / "ws") as ws:
        kinds = truth_store.current_truth(ws)["source_kind"].tolist()
    assert kinds.count("catalogue") == drq.imported
