"""The line dialogue: the same queue, the same rules, in text that a script or a screen reader can take."""

import io
import shutil
from pathlib import Path

import pytest

import storage.votes as store
from qnet_tui.workflows.label import LabelOptions
from qnet_tui.workflows.label_plain import run_plain
from storage.workspace import Workspace
from tests.tui.campaign import desi_spectrum, make_workspace


class Keyboard(io.StringIO):
    """Lines that a person types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("campaign") / "ws"
    make_workspace(folder, [desi_spectrum(100 + n, seed=n) for n in range(3)]).close()
    return folder


@pytest.fixture
def root(made_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_once, tmp_path / "ws"))


def say(root: Path, *lines: str, source: type[io.StringIO] = io.StringIO, **options: object) -> tuple[int, str]:
    out = io.StringIO()
    code = run_plain(root, LabelOptions(inspector="ABC", **options), source("".join(f"{x}\n" for x in lines)), out)
    return code, out.getvalue()


def votes(root: Path) -> list[store.Vote]:
    with Workspace.open(root) as ws:
        return store.votes(ws)


def test_a_script_answers_the_queue(root):
    code, text = say(root, "q 2.3042 4 two lines", "g - 0 S", "s 3")
    assert code == 0
    assert [(vote.spectype, vote.z, vote.quality, vote.issues, vote.comment) for vote in votes(root)] == [
        ("QSO", 2.3042, 4, "", "two lines"),
        ("GALAXY", None, 0, "S", ""),
        ("STAR", 0.0, 3, "", ""),
    ]
    assert text.count("saved 10") == 3
    assert text.rstrip().endswith("nothing is left in your queue")


def test_the_item_is_told_in_text(root):
    _, text = say(root, ":q")
    assert "round 1, 1 of 3: 100" in text
    assert "arms B R Z, 0 % masked, S/N 4.9, r 20.6, why: 3-way split, redrock: QSO 2.3042" in text
    assert "sigma: C IV z 2.30" in text
    assert text.isascii()
    assert "C IV" in text.splitlines()[-16:][1] or "C IV" in text.splitlines()[-15]
    assert max(map(len, text.splitlines())) <= 100


def test_a_blind_script_sees_no_answer_of_the_pipeline(root):
    code, text = say(root, "a 4", blind=True)
    assert code == 1
    assert "refused: there is no pipeline answer" in text
    assert "why" not in text
    assert "redrock" not in text
    assert votes(root) == []


def test_lines_that_cannot_be_are_refused_and_change_nothing(root):
    code, text = say(root, "q", "foo", "q 9 3", "plot 5 4", "plot x y", "smooth", "b", "u", "z")
    assert code == 1
    assert text.count("refused: ") == 9
    assert votes(root) == []


def test_what_a_line_left_out_may_come_in_the_next(root):
    code, _ = say(root, "q 2.31", "", "q 4", source=Keyboard)
    assert code == 0
    assert [(vote.z, vote.quality) for vote in votes(root)] == [(2.31, 4)]


def test_looking_before_answering(root):
    _, text = say(root, "z 1.5", "lines", "smooth 8", "plot 4000 5000", "help", "")
    assert "  C IV at 3874 A, emission" in text
    assert "Mg II at 6998 A" in text
    assert text.count("obs+") == 4
    assert "4600" in text
    assert "5000" in text
    assert "example: q 2.31 4 weak C III]" in text
    assert "refused: not yet: class" in text


def test_walking_deferring_and_undoing(root):
    code, text = say(root, "n", "b", "defer", "q 2.3 4", "u", "q 2.3 2")
    assert code == 0
    shown = [line for line in text.splitlines() if line.startswith("round 1, ")]
    assert [line.split()[2] for line in shown] == ["1", "2", "1", "2", "3", "2", "3"]
    assert "draft: QSO z 2.3000 quality 4" in text
    assert [vote.quality for vote in votes(root)] == [2]


def test_an_unfinished_answer_is_a_draft_at_the_next_start(root):
    say(root, "g 0.5", source=Keyboard)
    _, text = say(root, ":q")
    assert "draft: GALAXY z 0.5000 quality None" in text


def test_a_masked_spectrum_is_asked_about_once(tmp_path):
    make_workspace(tmp_path / "ws", [desi_spectrum(5, masked=(4000, 6500))]).close()
    code, text = say(tmp_path / "ws", "q 2.3 4", "")
    assert code == 0
    assert "% of the pixels are masked" in text
    assert votes(tmp_path / "ws")[0].tags == "masked"


def test_an_empty_queue_and_a_broken_spectrum_are_said(root):
    for number in (1, 2, 3):
        (root / "rounds" / "001" / "spectra" / f"{number}.npz").write_bytes(b"")
    code, text = say(root, "q 2.3 4", "defer", ":q")
    assert code == 1
    assert text.count("cannot be read") == 2
    assert "refused: there is no spectrum" in text


def test_at_the_end_a_person_may_still_undo(tmp_path):
    make_workspace(tmp_path / "ws", [desi_spectrum(5)]).close()
    code, text = say(tmp_path / "ws", "q 2.3 4", "q 2.3 4", "u", "n", ":q", source=Keyboard)
    assert code == 0
    assert "refused: nothing is left in your queue" in text
    assert votes(tmp_path / "ws") == []
