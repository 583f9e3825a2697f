"""Answers on the held-out objects: files, hashes, and a network as a committee of one."""

import numpy as np
import pytest

from qnet_tui.errors import QnetError
from qnet_tui.quasarnet.boxes import decode
from qnet_tui.spectra.grids import log_grid
from qnet_tui.workflows.validation_answers import (
    HeldOutAnswers,
    network_validation,
    read_answers,
    validation_hash,
    write_answers,
)
from tests.workflows.review.constructed import answers


def committee(confidence, redshift=None) -> HeldOutAnswers:
    c = np.array(confidence, dtype=np.float32)
    n = len(c)
    unknown = np.full(n, np.nan, np.float32)
    z = np.ones(c.shape) if redshift is None else np.array(redshift, dtype=np.float64)
    return HeldOutAnswers(np.arange(1, n + 1), np.ones(n), np.ones(n, bool), unknown, unknown, c, z)


def test_the_hash_is_of_objects_and_truth_in_any_order():
    one = validation_hash([3, 1, 2], [0.5, np.nan, 2.0], [True, False, True])
    assert len(one) == 16
    assert int(one, 16) >= 0
    assert validation_hash([1, 2, 3], [np.nan, 2.0, 0.5], [False, True, True]) == one
    assert validation_hash(np.array([1, 2, 3], "i4"), [-np.nan, 2.0, 0.5], [0, 1, 1]) == one
    assert validation_hash([1, 2, 4], [np.nan, 2.0, 0.5], [False, True, True]) != one
    assert validation_hash([1, 2, 3], [np.nan, 2.0, 0.51], [False, True, True]) != one
    assert validation_hash([1, 2, 3], [np.nan, 2.0, 0.5], [True, True, True]) != one
    assert validation_hash([1], [0.0], [False]) == validation_hash([1], [-0.0], [False])
    assert validation_hash([], [], []) == validation_hash(np.empty(0), np.empty(0), np.empty(0, bool))


def test_a_network_is_a_committee_of_one():
    said = network_validation(answers([0.99, 0.5], [0.96], zbest=[2.0, 1.0, 0.4]))
    assert said.decides.tolist() == pytest.approx([0.99, 0.5, 0.96])
    assert said.called(0.95).tolist() == [True, False, True]
    assert said.zbest(0.95)[[0, 2]].tolist() == [2.0, 0.4]
    assert np.isnan(said.zbest(0.95)[1])


def test_several_lines_may_be_asked_for():
    made = answers([0.99, 0.97])
    made.c_line[3, 0] = 0.96
    assert network_validation(made, 2).called(0.95).tolist() == [True, False]


@pytest.mark.parametrize("networks", [1, 2, 3, 4, 5])
def test_the_confidence_that_decides_gives_the_majority(networks):
    from qnet_tui.evaluation.classification import committee_majority

    rng = np.random.default_rng(networks)
    c = rng.random((200, networks)).astype(np.float32)
    c[rng.random(c.shape) < 0.1] = np.nan
    for threshold in (0.0, 0.3, 0.95):
        assert (committee(c).called(threshold) == committee_majority(c, threshold)).all()


def test_a_committees_redshift_is_the_median_of_those_that_call():
    said = committee(
        [[0.99, 0.97, 0.2], [0.99, 0.98, 0.96], [0.1, 0.2, 0.3]], [[1.0, 2.0, 9.0], [1.0, 2.0, 9.0], [1] * 3]
    )
    z = said.zbest(0.95)
    assert z[:2].tolist() == [1.5, 2.0]
    assert np.isnan(z[2])
    assert said.called(0.95).tolist() == [True, True, False]


def test_broad_absorption_never_votes(tmp_path):
    # A network whose eighth head is sure of everything, and whose emission lines are sure of nothing.
    heads = np.full((7, 3, 26), 0.02, dtype=np.float32)
    heads[6, :, :13] = 1.0
    lines = decode(heads, log_grid())
    assert (lines.c_line_bal == 1).all()
    made = answers([0.5, 0.5], [0.5])
    made.c_line[:] = lines.c_line
    path = tmp_path / "validation.npz"
    np.savez(path, **vars(made), c_line_bal=lines.c_line_bal)
    assert not network_validation(read_answers(path)).called(0.95).any()
    # Confidences of seven lines are no answers: the seventh could vote.
    np.savez(path, **{**vars(made), "c_line": np.ones((7, 3), np.float32)})
    with pytest.raises(QnetError, match=r"c_line has the shape \(7, 3\), not \(6, 3\)"):
        read_answers(path)


def test_files_come_back_and_damaged_ones_are_named(tmp_path):
    made, path = answers([0.9], [0.2], snr=[1.5, np.nan], mag_r=[21.0, np.nan]), tmp_path / "validation.npz"
    write_answers(path, made)
    again = read_answers(path)
    for name, array in vars(made).items():
        assert np.array_equal(getattr(again, name), array, equal_nan=array.dtype.kind == "f"), name
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(QnetError, match="damaged"):
        read_answers(path)
    with pytest.raises(QnetError, match="are gone"):
        read_answers(tmp_path / "nothing.npz")


def test_objects_are_taken_in_the_order_asked_for():
    said = network_validation(answers([0.1, 0.2, 0.3]))
    some = said.of(np.array([103, 101]))
    assert some.object_id.tolist() == [103, 101]
    assert some.decides.tolist() == pytest.approx([0.3, 0.1])
