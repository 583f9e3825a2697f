"""``qnet review`` as scripts use it: text, CSV and JSON of a table, and one line for every mistake."""

import csv
import io

import pytest

from qnet_tui.workflows.initialise import initialise
from tests.workflows.review.constructed import answers, training


@pytest.fixture
def root(tmp_path):
    initialise(tmp_path / "ws")
    training(tmp_path / "ws", answers([0.99, 0.1], [0.97]), truth="AL 1", epochs=[(0, 0, 2), (1, 1, 1)])
    training(tmp_path / "ws", answers([0.99, 0.98], [0.2]), truth="AL 2", epochs=[(0, 0, 2), (2, 0, 0)])
    return tmp_path / "ws"


def test_text_csv_and_json_are_the_same_rows(qnet, root):
    as_json = qnet("review", "completeness", "-w", root, "--json").json
    assert [r["tp"] for r in as_json] == [0, 1, 0, 2]
    assert as_json[0]["purity"] is None
    rows = list(csv.DictReader(io.StringIO(qnet("review", "completeness", "-w", root, "--csv").out)))
    assert [int(r["tp"]) for r in rows] == [0, 1, 0, 2]
    text = qnet("review", "completeness", "-w", root).out
    assert "1 more, McNemar p = 1.00" in text
    assert len([line for line in text.splitlines() if line.startswith("tr-000")]) == 5  # Four rows and the sentence.


def test_bins_have_the_words_of_the_document_in_csv_too(qnet, root):
    wanted = {"dataset", "epoch", "by", "from", "to", "completeness", "purity", "tp", "fp", "fn", "lo", "hi"}
    assert qnet("review", "completeness", "--by", "z", "-w", root, "--json").json[0].keys() >= wanted
    header = qnet("review", "completeness", "--by", "z", "-w", root, "--csv").out.splitlines()[0]
    assert set(header.split(",")) >= wanted


def test_an_empty_table_says_what_makes_it(qnet, tmp_path):
    initialise(tmp_path / "ws")
    said = qnet("review", "datasets", "-w", tmp_path / "ws")
    assert (said.code, said.out) == (0, "no datasets were trained: qnet review datasets --run\n")
    assert qnet("review", "datasets", "-w", tmp_path / "ws", "--json").json == []
    in_csv = qnet("review", "datasets", "-w", tmp_path / "ws", "--csv")
    assert (in_csv.code, in_csv.out) == (0, "")
    assert "qnet review datasets --run" in in_csv.err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["completeness", "--csv", "--json"], "--csv and --json are two formats"),
        (["nothing"], "no table is called 'nothing'"),
        (["completeness", "--run"], "--run belongs to datasets"),
        (["datasets", "--epochs", 3], "--epochs belongs to --run"),
        (["datasets", "--resume", "ds-0001"], "--resume belongs to --run"),
        (["completeness", "some.h5"], "files are compared by weights and repeats only"),
        (["weights", "--against", "old.h5"], "--against needs the new file"),
        (["completeness", "--dataset", "AL 7"], "no dataset is called 'AL 7'; choose tr-0001 AL 1, tr-0002 AL 2"),
        (["completeness", "--by", "colour"], "choose epoch, z, magnitude, snr"),
        (["datasets", "--run"], "no truth is held out to measure on"),
        (["datasets", "--run", "--resume", "tr-0001"], "tr-0001 is a run of train"),
    ],
)
def test_mistakes_are_one_line(qnet, root, words, line):
    said = qnet("review", *words, "-w", root)
    assert said.code == 2
    assert said.out == ""
    assert line in said.err
    assert len(said.err.strip().splitlines()) == 1
