from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.pool import Pool, countable, lacks_arm
from qnet_tui.active_learning.selection import (
    MapColumns,
    Selection,
    SelectionSettings,
    eligible,
    one_row_per_object,
    rows_to_score,
    select,
)
from qnet_tui.active_learning.strategies import RowScores
from qnet_tui.errors import BadInput

NO_MAP = SelectionSettings(percentile=None)


def make_pool(object_key: list[int], **columns: object) -> Pool:
    """A pool of good coadd rows, each in a file of its own, except where ``columns`` say otherwise."""
    n = len(object_key)
    keys = np.array(object_key)
    plain: dict[str, object] = {
        "row_id": np.arange(1, n + 1),
        "object_key": keys,
        "targetid": 1000 + keys,
        "target": np.ones(n, dtype=bool),
        "arm_missing": np.zeros(n, dtype=bool),
        "coadd": np.ones(n, dtype=bool),
        "expid": np.full(n, -1),
        "file_order": np.arange(n),
        "hdu_row": np.zeros(n, dtype=np.int64),
        **{f: np.zeros(n, dtype=bool) for f in ("labelled", "queued", "excluded")},
        "where": np.ones(n, dtype=bool),
    }
    return Pool(**{**plain, **{k: np.asarray(v) for k, v in columns.items()}})  # type: ignore[arg-type]


def make_scores(counts: list[list[int]]) -> RowScores:
    c = np.array(counts, dtype=np.int32).reshape(-1, 3)
    h = entropy_bits(c)
    return RowScores(score=h, entropy=h, counts=c)


def of_score(score: list[float]) -> RowScores:
    s = np.array(score, dtype=np.float64)
    return RowScores(score=s, entropy=s, counts=np.tile(np.array([2, 1, 1], np.int32), (len(s), 1)))


def permuted(pool: Pool, scores: RowScores, order: np.ndarray) -> tuple[Pool, RowScores]:
    return (
        Pool(**{f.name: getattr(pool, f.name)[order] for f in fields(pool)}),
        RowScores(scores.score[order], scores.entropy[order], scores.counts[order]),
    )


def ids(selection: Selection) -> list[int]:
    return [p.object_id for p in selection.picks]


def test_filters_in_order_each_row_counted_once() -> None:
    pool = make_pool(
        [0, 2, 3, 4, 5, 6, 7, 8, 9],
        targetid=[1, 2, -3, 4, 5, 6, 7, 8, 9],
        target=[False, False, True, True, True, True, True, True, True],
        arm_missing=[True, True, False, True, False, False, False, False, False],
        where=[True, True, True, True, False, True, True, True, True],
        labelled=[False, False, False, True, False, True, False, False, False],
        queued=[False, False, False, False, False, True, True, False, False],
        excluded=[False, False, False, False, False, False, False, True, False],
    )
    mask, counts = eligible(pool, NO_MAP)
    assert mask.tolist() == [False] * 8 + [True]
    assert list(counts.items()) == [
        ("no identity", 1),
        ("sky or not a target", 2),
        ("outside --where", 1),
        ("missing arm", 1),
        ("already labelled", 1),
        ("already queued", 1),
        ("excluded by a list", 1),
    ]
    assert sum(counts.values()) + mask.sum() == len(pool)


@pytest.mark.parametrize("switch", ["sky", "missing_arm", "labelled", "queued", "excluded"])
def test_each_filter_can_be_switched_off(switch: str) -> None:
    row = {
        "sky": {"target": [False]},
        "missing_arm": {"arm_missing": [True]},
        "labelled": {"labelled": [True]},
        "queued": {"queued": [True]},
        "excluded": {"excluded": [True]},
    }[switch]
    pool = make_pool([1], **row)
    assert not eligible(pool, NO_MAP)[0].any()
    mask, counts = eligible(pool, replace(NO_MAP, **{switch: False}))  # type: ignore[arg-type]
    assert mask.all()
    assert sum(counts.values()) == 0
    assert len(counts) == 6


def test_an_object_without_identity_is_never_eligible() -> None:
    off = replace(NO_MAP, sky=False, missing_arm=False, labelled=False, queued=False, excluded=False)
    assert eligible(make_pool([0, 1]), off)[0].tolist() == [False, True]


def test_a_coadd_that_lacks_an_arm_takes_all_rows_of_its_object() -> None:
    pool = make_pool(
        [1, 1, 1, 2, 2, 3, 3, 0, 0],
        coadd=[True, False, False, True, False, False, False, True, False],
        arm_missing=[True, False, False, False, True, True, False, True, False],
    )
    # Object 2: the coadd is whole, one exposure is not; 3: no coadd; 0 is no object at all.
    assert lacks_arm(pool).tolist() == [True, True, True, False, True, True, False, True, False]


def test_rows_that_count_in_the_map() -> None:
    pool = make_pool([1, 0, 3, 4, 0], targetid=[5, 6, 0, -7, 0])
    assert countable(pool).tolist() == [True, True, True, False, False]


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        make_pool([1, 2], expid=[1])


def test_one_row_per_object_rules() -> None:
    key = np.array([7, 7, 7, 5, 5, 5, 3, 3, 2, 2])
    score = np.array([0.1, 0.9, 0.9, 1.0, 1.0, 1.0, 0.5, 0.5, 0.4, 0.4])
    expid = np.array([1, 30, 20, -1, 9, 9, -1, -1, 4, 4])
    file_order = np.array([0, 0, 0, 0, 2, 1, 4, 3, 5, 5])
    hdu_row = np.array([0, 0, 0, 0, 0, 9, 0, 8, 6, 1])
    # 2: lowest row; 3: first file; 5: an EXPID before none, then the file; 7: score, then EXPID.
    assert one_row_per_object(key, score, expid, file_order, hdu_row).tolist() == [9, 7, 5, 2]
    assert one_row_per_object(*(np.empty(0, dtype=np.int64) for _ in range(5))).tolist() == []  # type: ignore[arg-type]


def test_order_is_score_then_targetid_then_object() -> None:
    pool = make_pool([1, 2, 3, 4, 5], targetid=[50, 40, 30, 40, 20])
    chosen = select(pool, of_score([1.0, 0.5, 1.5, 0.5, 0.5]), replace(NO_MAP, select=4), None)
    assert ids(chosen) == [3, 1, 5, 2]
    assert [p.rank for p in chosen.picks] == [1, 2, 3, 4]
    assert (chosen.rows, chosen.unique, chosen.rejected, chosen.unscored) == (5, 5, 0, 0)
    assert (chosen.score_cut, chosen.entropy_cut) == (0.5, 0.5)


def test_columns_of_a_pick() -> None:
    pool = make_pool([4, 9], targetid=[39627000000000310, 0], expid=[12, 11])
    scores = make_scores([[40, 35, 25], [0, 100, 0]])
    cells = MapColumns(np.array([3, 0]), np.array([50, 1, 1, 412]), np.array([False, True, True, False]))
    first, second = select(pool, scores, SelectionSettings(), cells).picks
    assert first.object_id == 4
    assert first.row_id == 1
    assert first.targetid == 39627000000000310
    assert (first.c_not, first.c_qso_lz, first.c_qso_hz, first.n_networks) == (0.40, 0.35, 0.25, 100)
    assert (first.bmu, first.cell_count, first.rejected, first.strategy) == (3, 412, False, "entropy")
    assert first.score == first.entropy == pytest.approx(1.5588, abs=1e-4)
    assert first.why == "3-way split 40/35/25"
    assert (second.why, second.entropy) == ("all LOW-Z", 0.0)
    without = select(pool, scores, NO_MAP, None).picks[0]
    assert (without.bmu, without.cell_count, without.rejected) == (-1, 0, False)


def test_a_row_in_a_rejected_cell_goes_its_object_may_stay() -> None:
    pool = make_pool([1, 1, 2, 3])
    cells = MapColumns(np.array([0, 1, 0, 1]), np.array([1, 9]), np.array([True, False]))
    scores = of_score([1.5, 0.2, 1.4, 0.3])
    chosen = select(pool, scores, SelectionSettings(), cells)
    assert [(p.object_id, p.row_id) for p in chosen.picks] == [(3, 4), (1, 2)]
    assert (chosen.rejected, chosen.unique) == (2, 2)


def test_outliers_follow_flagged_and_are_objects_with_rejected_rows_only() -> None:
    pool = make_pool([1, 1, 2, 3, 4, 5], labelled=[False] * 5 + [True])
    cells = MapColumns(np.array([0, 1, 0, 1, 0, 0]), np.array([3, 9]), np.array([True, False]))
    scores = of_score([1.5, 0.2, 0.7, 0.3, 1.1, 1.2])
    chosen = select(pool, scores, SelectionSettings(select=1, outliers=5), cells)
    assert [(p.object_id, p.rejected, p.rank) for p in chosen.picks] == [
        (3, False, 1),
        (4, True, 2),
        (2, True, 3),
    ]
    assert chosen.picks[1].why == "3-way split 50/25/25; rare spectrum"
    assert chosen.entropy_cut == 0.3
    assert len(select(pool, scores, SelectionSettings(outliers=1), cells).picks) == 3


def test_rows_that_the_committee_has_to_see() -> None:
    pool = make_pool([1, 2, 3], queued=[False, True, False])
    cells = MapColumns(np.array([0, 0, 1]), np.array([9, 1]), np.array([False, True]))
    assert rows_to_score(pool, SelectionSettings(), cells).tolist() == [True, False, False]
    assert rows_to_score(pool, SelectionSettings(outliers=3), cells).tolist() == [True, False, True]
    assert rows_to_score(pool, NO_MAP, None).tolist() == [True, False, True]


def test_rows_without_a_score_are_counted_not_chosen() -> None:
    pool = make_pool([1, 2, 3, 4], queued=[False, False, False, True])
    cells = MapColumns(np.array([0, 0, 1, 0]), np.array([9, 1]), np.array([False, True]))
    nan = float("nan")
    chosen = select(pool, of_score([nan, 0.0, nan, nan]), SelectionSettings(), cells)
    assert ids(chosen) == [2]
    assert (chosen.unscored, chosen.rejected) == (1, 1)


def test_nothing_to_choose_from() -> None:
    empty = select(make_pool([]), of_score([]), NO_MAP, None)
    assert empty.picks == ()
    assert empty.entropy_cut is None
    assert select(make_pool([1]), of_score([1.0]), replace(NO_MAP, select=0), None).picks == ()


def test_settings_and_shapes_are_checked() -> None:
    for bad in (
        {"strategy": "best"},
        {"select": -1},
        {"outliers": -1},
        {"percentile": 120.0},
        {"percentile": None, "outliers": 3},
    ):
        with pytest.raises(BadInput):
            SelectionSettings(**bad)  # type: ignore[arg-type]
    pool = make_pool([1, 2])
    with pytest.raises(BadInput, match="percentile needs a map"):
        select(pool, of_score([1, 1]), SelectionSettings(), None)
    with pytest.raises(ValueError, match="3 scores for 2 rows"):
        select(pool, of_score([1, 1, 1]), NO_MAP, None)
    for bmu in ([0], [0, -1]):
        cells = MapColumns(np.array(bmu), np.array([1]), np.array([False]))
        with pytest.raises(ValueError, match="cells for 2 rows"):
            select(pool, of_score([1, 1]), SelectionSettings(), cells)


rows = st.tuples(
    st.integers(0, 6),  # object
    st.sampled_from([[4, 0, 0], [2, 2, 0], [2, 0, 2], [2, 1, 1], [0, 0, 0]]),  # calls
    st.integers(-1, 2),  # expid
    st.integers(0, 3),  # file
    st.booleans(),  # an arm is missing
    st.booleans(),  # a coadd
    st.integers(0, 3),  # cell
)


@settings(max_examples=150, deadline=None)
@given(st.lists(rows, max_size=25), st.integers(0, 8), st.integers(0, 3), st.randoms(use_true_random=False))
def test_selection_invariants(
    drawn: list[tuple[int, list[int], int, int, bool, bool, int]], k: int, outliers: int, random: object
) -> None:
    pool = make_pool(
        [r[0] for r in drawn],
        targetid=np.array([100 - (r[0] % 3) for r in drawn], dtype=np.int64),
        expid=np.array([r[2] for r in drawn], dtype=np.int64),
        file_order=np.array([r[3] for r in drawn], dtype=np.int64),
        hdu_row=np.arange(len(drawn)),
        arm_missing=np.array([r[4] for r in drawn], dtype=bool),
        coadd=np.array([r[5] for r in drawn], dtype=bool),
    )
    scores = make_scores([r[1] for r in drawn])
    bmu = np.array([r[6] for r in drawn], dtype=np.int64)
    counts = np.bincount(bmu, minlength=4)
    rejected = np.array([True, False, False, True])
    how = SelectionSettings(select=k, outliers=outliers)
    chosen = select(pool, scores, how, MapColumns(bmu, counts, rejected))

    # The order of the rows does not matter.
    order = np.arange(len(drawn))
    random.shuffle(order)  # type: ignore[attr-defined]
    again = select(*permuted(pool, scores, order), how, MapColumns(bmu[order], counts, rejected))
    assert again == chosen

    # By the definition, one object after the other.
    mask, _ = eligible(pool, how)
    best: dict[int, tuple[float, bool, int, int, int, int]] = {}
    for i in np.flatnonzero(mask & ~np.isnan(scores.score) & ~rejected[bmu]):
        expid = int(pool.expid[i])
        rule = (-scores.score[i], expid < 0, expid, int(pool.file_order[i]), int(i), int(i))
        key = int(pool.object_key[i])
        best[key] = min(best.get(key, rule), rule)
    ranked = sorted(best, key=lambda o: (best[o][0], 100 - o % 3, o))[:k]
    regular = [p for p in chosen.picks if not p.rejected]
    assert [p.object_id for p in regular] == ranked
    assert [p.row_id for p in regular] == [best[o][5] + 1 for o in ranked]
    assert chosen.unique == len(best)

    assert len(ids(chosen)) == len(set(ids(chosen)))
    assert [p.rank for p in chosen.picks] == list(range(1, len(chosen.picks) + 1))
    others = [p for p in chosen.picks if p.rejected]
    assert len(others) <= outliers
    assert all(p.object_id not in best and p.bmu in (0, 3) for p in others)
    assert [p.score for p in others] == sorted((p.score for p in others), reverse=True)


def test_a_large_pool_is_chosen_from_in_seconds() -> None:
    n = 200_000
    rng = np.random.default_rng(0)
    keys = rng.integers(1, 150_000, n)
    pool = make_pool(keys.tolist(), expid=rng.integers(0, 5, n), coadd=np.zeros(n, dtype=bool))
    counts = rng.multinomial(20, [0.98, 0.01, 0.01], size=n)
    counts[:500] = rng.multinomial(20, [0.4, 0.3, 0.3], size=500)
    chosen = select(pool, make_scores(counts.tolist()), NO_MAP, None)
    assert len(chosen.picks) == 1000
    assert len(set(ids(chosen))) == 1000
    assert chosen.unique == len(np.unique(keys))
    assert chosen.picks[0].entropy > 1.5
