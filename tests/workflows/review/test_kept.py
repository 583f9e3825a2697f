"""Summaries that are kept: made once, made anew for another fingerprint or after damage, and never in the way."""

import numpy as np
import pytest

from qnet_tui.workflows.review.kept import fingerprint_of, kept


class Maker:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return {"n": np.array([self.calls]), "names": np.array(["a", "b"])}


def test_a_summary_is_made_once_for_a_fingerprint(tmp_path):
    make = Maker()
    first = kept(tmp_path, "scores", "one", make)
    again = kept(tmp_path, "scores", "one", make)
    assert make.calls == 1
    assert (first["n"][0], again["n"][0], again["names"].tolist()) == (1, 1, ["a", "b"])
    assert kept(tmp_path, "scores", "two", make)["n"][0] == 2
    assert kept(tmp_path, "others", "two", make)["n"][0] == 3
    # A file stands for the folder that it lies in.
    (tmp_path / "pool.npz").write_bytes(b"")
    assert kept(tmp_path / "pool.npz", "scores", "two", make)["n"][0] == 2


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_summary_is_made_again(tmp_path, damage):
    make = Maker()
    kept(tmp_path, "scores", "one", make)
    path = tmp_path / "review" / "scores.npz"
    path.write_bytes(path.read_bytes()[:-40] if damage is None else damage)
    assert kept(tmp_path, "scores", "one", make)["n"][0] == 2
    assert kept(tmp_path, "scores", "one", make)["n"][0] == 2


def test_where_it_cannot_be_written_it_is_returned_all_the_same(tmp_path):
    make = Maker()
    (tmp_path / "review").write_text("a file in the place of the folder")
    assert kept(tmp_path, "scores", "one", make)["n"][0] == 1
    assert kept(tmp_path, "scores", "one", make)["n"][0] == 2


def test_an_error_of_the_maker_is_passed_on_and_nothing_is_kept(tmp_path):
    def fails():
        raise RuntimeError("no scores")

    with pytest.raises(RuntimeError, match="no scores"):
        kept(tmp_path, "scores", "one", fails)
    assert not (tmp_path / "review").exists()


def test_a_fingerprint_follows_words_and_files(tmp_path):
    path = tmp_path / "pool.npz"
    absent = fingerprint_of("v1", path)
    path.write_bytes(b"12")
    there = fingerprint_of("v1", path)
    path.write_bytes(b"123")
    assert len({absent, there, fingerprint_of("v1", path), fingerprint_of("v2", path)}) == 4
    assert fingerprint_of("v1", path) == fingerprint_of("v1", path)
