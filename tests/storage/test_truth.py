import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import Refused
from storage.spectra import objects, read_rows
from storage.truth import (
    TruthLabel,
    add_labels,
    current_truth,
    exclude,
    exclusions,
    history,
    set_roles,
    truth_hash,
)
from storage.workspace import Workspace
from tests.storage.conftest import ingest


def label(object_id: int, spectype: str = "QSO", z: float | None = 2.0, quality: float = 4.0) -> TruthLabel:
    return TruthLabel(object_id, spectype, z, quality)


def test_later_labels_supersede_and_earlier_ones_stay(ws: Workspace) -> None:
    ingest(ws, 4)
    first = add_labels(ws, [label(1), label(2, "STAR", 0.0)], "table:a", "catalogue")
    assert (first.version, first.added, first.replaced) == (1, 2, 0)
    second = add_labels(ws, [label(2, "GALAXY", 0.3), label(3, z=None)], "round:1", "people", round=1)
    assert (second.version, second.added, second.replaced) == (2, 1, 1)
    now = current_truth(ws)
    assert now["object_id"].tolist() == [1, 2, 3]
    assert now["spectype"].tolist() == ["QSO", "GALAXY", "QSO"]
    assert math.isnan(now["z"][2])
    assert now["origin"].tolist() == ["table:a", "round:1", "round:1"]
    assert [(one[0], one[1].spectype, one[-1]) for one in history(ws, 2)] == [(1, "STAR", False), (2, "GALAXY", True)]


def test_a_table_twice_changes_nothing(ws: Workspace) -> None:
    ingest(ws, 2)
    table = [label(1), TruthLabel(2, "STAR", np.float64("nan"), 3, -1, "RC", "c", 3)]
    add_labels(ws, table, "table:a", "people")
    before = truth_hash(ws)
    again = add_labels(ws, table, "table:a", "people")
    assert (again.version, again.added, again.replaced, again.unchanged) == (1, 0, 0, 2)
    assert truth_hash(ws) == before


def test_the_last_label_of_an_object_in_a_table_counts(ws: Workspace) -> None:
    ingest(ws, 1)
    change = add_labels(ws, [label(1, z=1.0), label(1, z=2.0)], "table:a", "people")
    assert change.added == 1
    assert current_truth(ws)["z"].tolist() == [2.0]


def test_a_pipeline_never_supersedes_a_person_or_a_catalogue(ws: Workspace) -> None:
    ingest(ws, 3)
    add_labels(ws, [label(1)], "table:vi", "people")
    add_labels(ws, [label(2)], "table:dr12", "catalogue")
    add_labels(ws, [label(3)], "table:rr", "pipeline")
    change = add_labels(ws, [label(i, "STAR", 0.0) for i in (1, 2, 3)], "table:rr2", "pipeline")
    assert (change.replaced, change.withheld) == (1, 2)
    assert current_truth(ws)["spectype"].tolist() == ["QSO", "QSO", "STAR"]
    assert add_labels(ws, [label(3)], "round:1", "people").replaced == 1


def test_truth_as_it_was_at_a_round(ws: Workspace) -> None:
    ingest(ws, 3)
    add_labels(ws, [label(1, z=1.0), label(2, z=1.0)], "table:a", "people", round=0)
    add_labels(ws, [label(1, z=2.0)], "round:1", "people", round=1)
    add_labels(ws, [label(1, z=3.0), label(3, z=3.0)], "round:3", "people", round=3)
    hashes = []
    for at, expected in (
        (0, {1: 1.0, 2: 1.0}), (1, {1: 2.0, 2: 1.0}), (2, {1: 2.0, 2: 1.0}), (3, {1: 3.0, 2: 1.0, 3: 3.0}),
    ):  # fmt: skip
        found = current_truth(ws, at)
        assert dict(zip(found["object_id"].tolist(), found["z"].tolist(), strict=True)) == expected
        hashes.append(truth_hash(ws, at))
    assert hashes[1] == hashes[2]
    assert len(set(hashes)) == 3
    assert truth_hash(ws) == hashes[3]
    # A late import with a low round does not change what a past round saw.
    add_labels(ws, [label(1, z=9.0)], "table:late", "people", round=0)
    assert [truth_hash(ws, at) for at in range(3)] == hashes[:3]


def test_validation_is_for_ever(ws: Workspace) -> None:
    ingest(ws, 4)
    add_labels(ws, [label(1)], "table:v", "people", role="validation")
    change = add_labels(ws, [label(1, z=2.5), label(2)], "round:1", "people", role="train")
    assert change.kept_validation == 1
    assert current_truth(ws)["role"].tolist() == ["validation", "train"]
    assert set_roles(ws, {1: "train", 2: "validation", 3: "train"}) == 2
    assert objects(ws)["role"].tolist() == ["validation", "validation", "train", ""]
    assert set_roles(ws, {np.int64(2): "train"}) == 0
    add_labels(ws, [label(3)], "table:v", "people", role="validation")
    assert current_truth(ws)["role"].tolist() == ["validation"] * 3


def test_exclusions_are_listed_with_their_reason(ws: Workspace) -> None:
    ingest(ws, 3)
    add_labels(ws, [label(i) for i in (1, 2, 3)], "table:a", "people")
    before = truth_hash(ws)
    assert exclude(ws, [np.int64(2), 3], "a third of the grid is corrupt", "me") == 2
    assert exclude(ws, [3], "again", "you") == 0
    assert current_truth(ws)["object_id"].tolist() == [1]
    assert current_truth(ws, include_excluded=True)["excluded"].tolist() == [False, True, True]
    assert [(one.object_id, one.by) for one in exclusions(ws)] == [(2, "me"), (3, "me")]
    assert truth_hash(ws) != before
    with pytest.raises(Refused, match="reason"):
        exclude(ws, [1], " ", "me")
    with pytest.raises(Refused, match="not here"):
        exclude(ws, [1, 99], "x", "me")
    assert len(exclusions(ws)) == 2


def test_the_hash_is_of_what_is_said_not_of_row_numbers(ws: Workspace, tmp_path: Path) -> None:
    ingest(ws, 3)
    with Workspace.create(tmp_path / "other") as other:
        ingest(other, 3, first=1)
        ingest(other, 1, first=0, name="2")
        ours = [label(1, z=1.0), label(2, z=2.0)]
        theirs = [label(1, z=2.0), label(4, z=1.0)]
        add_labels(ws, ours, "table:a", "people")
        add_labels(other, [label(1, "STAR")], "table:z", "people")
        add_labels(other, theirs, "table:b", "catalogue")
        assert truth_hash(ws) == truth_hash(other)
        set_roles(other, {4: "validation"})
        assert truth_hash(ws) != truth_hash(other)


@pytest.mark.parametrize(
    ("bad", "kind", "role", "says"),
    [
        (label(1), "gossip", "train", "source kind"),
        (label(1), "people", "test", "role"),
        (label(99), "people", "train", "not here"),
        (TruthLabel(1, "QSO", 1.0, 4.0, bal=2), "people", "train", "bal"),
        (label(1, quality=math.nan), "people", "train", "quality"),
        (label(1, z=math.inf), "people", "train", "infinite"),
    ],
)
def test_labels_that_cannot_be_change_nothing(ws: Workspace, bad: TruthLabel, kind: str, role: str, says: str) -> None:
    ingest(ws, 2)
    with pytest.raises(Refused, match=says):
        add_labels(ws, [label(2), bad], "table:a", kind, role=role)
    assert current_truth(ws).size == 0
    assert set(objects(ws)["role"]) == {""}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.create(tmp_path_factory.mktemp("truth") / "ws")
    ingest(workspace, 4)
    assert read_rows(workspace).size == 4
    return workspace


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["people", "pipeline", "catalogue"]),
            st.dictionaries(st.integers(1, 4), st.sampled_from(["STAR", "GALAXY", "QSO"]), max_size=4),
            st.integers(0, 1),
        ),
        max_size=8,
    )
)
def test_the_truth_of_each_round_is_what_a_plain_model_says(
    shared: Workspace, steps: list[tuple[str, dict[int, str], int]]
) -> None:
    shared.db.execute("DELETE FROM truth")
    model: dict[int, tuple[str, str]] = {}
    snapshots = {}
    current_round = 0
    for kind, said, forward in steps:
        current_round += forward
        add_labels(shared, [label(one, spectype) for one, spectype in said.items()], "t", kind, round=current_round)
        for one, spectype in said.items():
            if kind != "pipeline" or model.get(one, ("", "pipeline"))[1] == "pipeline":
                model[one] = (spectype, kind)
        snapshots[current_round] = dict(model)
    for at, expected in snapshots.items():
        found = current_truth(shared, at)
        seen = zip(found["spectype"].tolist(), found["source_kind"].tolist(), strict=True)
        assert dict(zip(found["object_id"].tolist(), seen, strict=True)) == expected
