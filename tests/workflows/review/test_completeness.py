"""The tab of completeness: counts, intervals, who finds more, bins, and what may be compared."""

import math

import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.evaluation.intervals import wilson
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.review.tabs import open_tab
from tests.workflows.review.constructed import answers, committee, training


@pytest.fixture
def empty(tmp_path):
    initialise(tmp_path / "ws")
    return tmp_path / "ws"


@pytest.fixture
def two(empty):
    """AL 1 finds 2 of 6 quasars with 1 wrong call; AL 2 finds 5 of 6 with none; 4 are found by AL 2 only, 1 by AL 1."""
    training(empty, answers([0.99, 0.96, 0.1, 0.2, 0.3, 0.4], [0.97, 0.2]), truth="AL 1", epochs=[(0, 0, 6), (2, 1, 4)])
    training(
        empty, answers([0.94, 0.99, 0.99, 0.99, 0.96, 0.97], [0.5, 0.2]), truth="AL 2", epochs=[(0, 0, 6), (5, 0, 1)]
    )
    return empty


def test_nothing_to_show_says_how_to_make_it(empty):
    tab = open_tab(empty, "completeness")
    assert not tab.rows
    assert tab.chart is None
    assert "qnet truth split" in tab.empty
    assert "qnet train" in open_tab(empty, "thresholds").empty
    for by in ("z", "magnitude", "snr"):
        assert "qnet train" in open_tab(empty, "completeness", Asked(by=by)).empty


def test_counts_and_intervals_of_every_epoch(two):
    rows = open_tab(two, "completeness").rows
    assert [(r.dataset, r.epoch, r.tp, r.fp, r.fn) for r in rows] == [
        ("tr-0001 AL 1", 0, 0, 0, 6), ("tr-0001 AL 1", 1, 2, 1, 4),
        ("tr-0002 AL 2", 0, 0, 0, 6), ("tr-0002 AL 2", 1, 5, 0, 1),
    ]  # fmt: skip
    last = rows[-1]
    assert (last.completeness, last.purity) == (5 / 6, 1.0)
    assert (last.lo, last.hi) == wilson(5, 6)
    assert math.isnan(rows[0].purity)
    assert rows[0].size == 4679


def test_the_sentence_compares_object_by_object(two):
    tab = open_tab(two, "completeness")
    # 4 quasars only AL 2, 1 only AL 1: 2 * (1 + 5) / 32 = 0.375.
    assert tab.says == (
        "tr-0002 AL 2 finds 0.833 (0.436–0.970) of 6 quasars, tr-0001 AL 1 0.333 (0.097–0.700): "
        "3 more, McNemar p = 0.38."
    )
    turned = open_tab(two, "completeness", Asked(dataset="AL 1:tr-0002"))
    assert turned.says.startswith("tr-0001 AL 1 finds 0.333")
    assert "3 fewer, McNemar p = 0.38" in turned.says


def test_the_chart_has_completeness_and_impurity_of_one_colour(two):
    chart = open_tab(two, "completeness").chart
    assert [(c.name, c.stroke, c.group) for c in chart.curves] == [
        ("tr-0001 AL 1", "solid", 0), ("", "dashed", 0), ("tr-0002 AL 2", "solid", 1), ("", "dashed", 1),
    ]  # fmt: skip
    assert chart.curves[0].y.tolist() == [0.0, 2 / 6]
    assert chart.curves[1].y[1] == pytest.approx(1 / 3)


def test_another_threshold_shows_the_final_networks(two):
    tab = open_tab(two, "completeness", Asked(c_threshold=0.3))
    assert [(r.dataset, r.epoch, r.tp, r.fp, r.fn, r.c_threshold) for r in tab.rows] == [
        ("tr-0001 AL 1", 1, 3, 1, 3, 0.3), ("tr-0002 AL 2", 1, 6, 1, 0, 0.3),
    ]  # fmt: skip
    assert any("--c-threshold 0.95" in note for note in tab.notes)
    assert tab.thresholds == (0.3, 0.5, 0.95, 0.99)


def test_a_redshift_may_be_asked_for(empty):
    # Of three quasars that are called, one is 0.05 off: 0.05 / 3.3 * 3e5 = 4545 km/s, one by 0.1 (9091 km/s).
    said = answers([0.99] * 3 + [0.1], [0.99], z=[2.3] * 4, zbest=[2.3, 2.35, 2.4, 2.3, 0.9])
    training(empty, said, truth="VI", epochs=[(3, 1, 1)])
    (line,) = open_tab(empty, "completeness", Asked(dv_max=6000.0)).rows
    assert (line.tp, line.fp, line.fn) == (2, 2, 2)
    assert (line.completeness, line.epoch) == (0.5, 0)
    (strict,) = open_tab(empty, "completeness", Asked(dv_max=1000.0)).rows
    assert (strict.tp, strict.fn) == (1, 3)
    assert open_tab(empty, "completeness").rows[0].tp == 3


def test_bins_of_redshift_take_the_true_and_the_predicted(empty):
    # True z 0.8 and 1.2 of two quasars, both called, one at a predicted z of 3.3; a star is called at 3.4.
    said = answers([0.99, 0.99, 0.2], [0.99], z=[0.8, 1.2, 1.3], zbest=[0.8, 3.3, 1.3, 3.4])
    training(empty, said, truth="VI")
    tab = open_tab(empty, "completeness", Asked(by="z"))
    assert [(r.bin_from, r.bin_to, r.tp, r.quasars, r.called, r.fp) for r in tab.rows] == [
        (0.5, 1.0, 1, 1, 1, 0), (1.0, 1.5, 1, 2, 0, 0), (3.0, 3.5, 0, 0, 2, 1),
    ]  # fmt: skip
    middle, last = tab.rows[1:]
    assert (middle.completeness, (middle.lo, middle.hi)) == (0.5, wilson(1, 2))
    assert math.isnan(middle.purity)
    assert last.purity == 0.5
    assert math.isnan(last.completeness)
    with_z = open_tab(empty, "completeness", Asked(by="z", dv_max=6000.0)).rows
    assert [(r.tp, r.fp) for r in with_z] == [(1, 0), (0, 0), (0, 2)]
    assert tab.document[0].keys() >= {"dataset", "epoch", "completeness", "purity", "tp", "fp", "fn", "lo", "hi", "by",
                                      "from", "to"}  # fmt: skip


def test_bins_of_magnitude_and_signal_to_noise(empty):
    said = answers([0.99] * 11 + [0.1] * 12, [0.99], snr=[3.0] * 11 + [0.3] * 12 + [-0.5],
                   mag_r=[20.5] * 11 + [22.0] * 11 + [np.nan] * 2)  # fmt: skip
    training(empty, said, truth="VI")
    by_snr = open_tab(empty, "completeness", Asked(by="snr"))
    assert [(r.bin_from, r.bin_to, r.tp, r.fn, r.fp) for r in by_snr.rows] == [
        (-1.0, 0.0, 0, 0, 1), (0.25, 0.5, 0, 12, 0), (2.0, 4.0, 11, 0, 0),
    ]  # fmt: skip
    assert by_snr.says == (
        "tr-0001 VI misses most at S/N 0.25–0.5: 0.000 (0.000–0.242) of 12 quasars, "
        "elsewhere 1.000 (0.741–1.000) of 11."
    )
    assert by_snr.chart.curves[0].x.tolist() == [-0.5, 0.375, 3.0]
    by_magnitude = open_tab(empty, "completeness", Asked(by="magnitude"))
    assert [(r.bin_from, r.tp, r.fn) for r in by_magnitude.rows] == [(20.0, 11, 0), (22.0, 0, 11)]
    assert any("1 quasar is in no bin, for the r magnitude" in note for note in by_magnitude.notes)


def test_nothing_is_missed(empty):
    training(empty, answers([0.99] * 6, [0.1]), truth="VI")
    tab = open_tab(empty, "completeness", Asked(by="z"))
    assert tab.says == "tr-0001 VI misses none of 6 quasars: 1.000 (0.610–1.000)."


def test_only_the_newest_has_a_band(two):
    old, new = open_tab(two, "completeness", Asked(by="z")).chart.curves
    assert (old.lo, old.hi) == (None, None)
    assert new.lo.shape == new.hi.shape == new.x.shape


def test_nothing_known_of_the_magnitudes(two):
    tab = open_tab(two, "completeness", Asked(by="magnitude"))
    assert not tab.rows
    assert tab.empty
    assert tab.says == "tr-0002 AL 2: no held-out quasar has a known r magnitude."


def test_other_validation_objects_are_not_compared(two):
    training(two, answers([0.99] * 5, [0.2], first_object=103), truth="AL 3", epochs=[(5, 0, 0)])
    tab = open_tab(two, "completeness")
    assert tab.says == (
        "Not comparable: tr-0003 AL 3 was measured on 6 objects, tr-0002 AL 2 on 8, 6 of them the same, "
        "5 of these with another truth now."
    )
    assert [c.name for c in tab.chart.curves if c.name] == ["tr-0003 AL 3"]
    assert any("not in the chart" in note for note in tab.notes)
    for name in ("completeness", "thresholds"):
        with pytest.raises(BadInput, match="not comparable: tr-0003 AL 3 was measured on 6 objects"):
            open_tab(two, name, Asked(dataset="AL 3:AL 2"))
    forced = open_tab(two, "completeness", Asked(dataset="AL 3:AL 2", force=True))
    # Objects 103 to 106 are quasars to both: AL 3 finds all four, AL 2 too.
    assert "tr-0003 AL 3 finds 1.000 (0.510–1.000) of 4 quasars" in forced.says
    assert "as many, McNemar p = 1.00" in forced.says


def test_no_common_object_cannot_be_forced(two):
    training(two, answers([0.99], first_object=900), truth="AL 3", epochs=[(1, 0, 0)])
    with pytest.raises(BadInput, match="no common object"):
        open_tab(two, "completeness", Asked(dataset="AL 3:AL 2", force=True))


def test_who_is_not_there(two):
    training(two, None, truth="AL 2")
    for dataset, words in (("AL 9", "no dataset is called 'AL 9'"), ("AL 1:AL 2:VI", "3 datasets are named")):
        with pytest.raises(BadInput, match=words):
            open_tab(two, "completeness", Asked(dataset=dataset))
    with pytest.raises(BadInput, match="no committee of a round 4"):
        open_tab(two, "completeness", Asked(round=4))
    with pytest.raises(BadInput, match="not shown by 'colour'"):
        open_tab(two, "completeness", Asked(by="colour"))
    # AL 2 is the newest of that name, which left no answers.
    with pytest.raises(BadInput, match="not comparable: tr-0003 AL 2"):
        open_tab(two, "completeness", Asked(dataset="AL 2:AL 1"))
    assert [r.dataset for r in open_tab(two, "completeness", Asked(dataset="tr-0001")).rows] == ["tr-0001 AL 1"] * 2


def test_a_damaged_file_is_a_note_and_no_end(two):
    (two / "runs" / "tr-0002" / "validation.npz").write_bytes(b"PK")
    tab = open_tab(two, "completeness")
    assert len(tab.rows) == 4
    assert tab.says.startswith("tr-0001 AL 1 finds")
    assert any("tr-0002 AL 2" in note and "damaged" in note for note in tab.notes)


def test_many_without_answers_are_told_in_few_words(two):
    for _ in range(4):
        training(two, None, truth="AL 3", epochs=[(1, 0, 5)])
    notes = open_tab(two, "completeness").notes
    assert [note.split(":")[0] for note in notes if "answers" in note] == [
        "tr-0006 AL 3", "tr-0005 AL 3", "and 2 more left no answers",
    ]  # fmt: skip


def test_no_quasar_is_held_out(empty):
    training(empty, answers([], [0.99, 0.1]), truth="VI")
    (line,) = open_tab(empty, "completeness", Asked(c_threshold=0.5)).rows
    assert math.isnan(line.completeness)
    assert (line.purity, line.fp) == (0.0, 1)
    assert "finds unknown of 0 quasars" in open_tab(empty, "completeness").says
    assert open_tab(empty, "thresholds").says.endswith("wrong in 1 of 1 calls.")


def test_what_training_leaves_is_what_its_epochs_counted(trained):
    rows = open_tab(trained, "completeness", Asked(dataset="tr-0002")).rows
    assert [r.epoch for r in rows] == [0, 1, 2, 3]
    assert all(r.tp + r.fn == rows[0].tp + rows[0].fn for r in rows)
    at = open_tab(trained, "thresholds", Asked(dataset="tr-0002"))
    kept = next(r for r in at.rows if r.working)
    best = open_tab(trained, "completeness", Asked(dataset="tr-0002", by="z")).rows[0].epoch
    assert (kept.tp, kept.fp, kept.fn) == next((r.tp, r.fp, r.fn) for r in rows if r.epoch == best)
    # Both trainings and both datasets of the run share their validation objects, whatever truth they learnt from.
    every = open_tab(trained, "completeness").rows
    assert len({r.validation for r in every}) == 1
    assert {r.dataset for r in every} == {"tr-0001 VI", "tr-0002 round 1 (random)", "ds-0003 VI",
                                          "ds-0003 round 1 (random)"}  # fmt: skip
    assert {r.dataset: r.size for r in every}["tr-0001 VI"] < rows[0].size


def test_committees_are_read_like_networks(empty):
    # Three networks: of four quasars two have a majority, of two others none.
    votes = [
        answers([0.99, 0.99, 0.2, 0.99], [0.1, 0.99], zbest=[0.8, 1.2, 1.7, 2.3, 0.3, 0.3]),
        answers([0.99, 0.99, 0.2, 0.1], [0.1, 0.2], zbest=[0.8, 1.2, 1.7, 2.3, 0.3, 0.3]),
        answers([0.2, 0.99, 0.99, 0.1], [0.1, 0.2], zbest=[0.8, 1.7, 1.7, 2.3, 0.3, 0.3]),
    ]
    committee(empty, votes)
    (line,) = open_tab(empty, "completeness").rows
    assert (line.dataset, line.epoch, line.tp, line.fp, line.fn) == ("committee 1", None, 2, 0, 2)
    at = {r.c_threshold: (r.tp, r.fp, r.fn) for r in open_tab(empty, "thresholds").rows}
    assert at[0.95] == (2, 0, 2)
    # Above 0.1 two of three say so of the second and third quasar and of the star that one was sure of.
    assert at[0.1] == (3, 1, 1)
    by_z = open_tab(empty, "completeness", Asked(by="z", dv_max=6000.0)).rows
    assert [(r.bin_from, r.tp, r.fn) for r in by_z if r.quasars] == [(0.5, 1, 0), (1.0, 1, 0), (1.5, 0, 1), (2.0, 0, 1)]
    chart = open_tab(empty, "completeness").chart
    assert (chart.x_label, chart.curves[0].x.tolist(), chart.curves[0].y.tolist()) == ("round", [1.0], [0.5])


def test_networks_are_compared_with_networks(empty):
    training(empty, answers([0.99, 0.1], [0.1]), truth="AL 1", epochs=[(1, 0, 1)])
    training(empty, answers([0.99, 0.99], [0.1]), truth="AL 2", epochs=[(2, 0, 0)])
    committee(empty, [answers([0.1, 0.1], [0.1])] * 3)
    tab = open_tab(empty, "completeness")
    # The newest is a committee and the only one of its kind.
    assert tab.says == "committee 1 finds 0.000 (0.000–0.658) of 2 quasars."
    assert tab.chart.horizontals == ((0.0, "committee 1"),)
    assert [r.dataset for r in open_tab(empty, "completeness", Asked(round=1)).rows] == ["committee 1"]
    paired = open_tab(empty, "completeness", Asked(dataset="committee 1:AL 2")).says
    assert "2 fewer, McNemar p = 0.50" in paired


def test_scores_that_are_gone_leave_what_the_run_recorded(empty):
    committee(empty, [answers([0.99, 0.1], [0.1])] * 3)
    next((empty / "rounds").glob("*/scores/net-0001/validation.npy")).unlink()
    tab = open_tab(empty, "completeness")
    assert [(r.tp, r.fn) for r in tab.rows] == [(1, 1)]
    assert "scores are gone" in open_tab(empty, "thresholds").empty
