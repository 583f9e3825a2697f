"""The line dialogue: the same queue, the same rules, in text that a script or a screen reader can take."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import storage.settings as campaign
import storage.votes as store
from qnet_tui.spectra.rrdetails import PipelineFit
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


def test_a_fit_is_offered_and_taken_by_the_next_line_only(root):
    code, text = say(root, "yes", "fit", "lines", "yes", "z 2.29", "fit", "yes", "q 4", ":q", source=Keyboard)
    assert code == 0
    assert text.count("refused: there is no fit to take") == 2
    assert "fit: z 2.2900 -> 2.3" in text
    assert "km/s" in text
    (vote,) = votes(root)
    assert (vote.z_source, vote.z_error > 0) == ("fit", True)
    assert vote.z == pytest.approx(2.3042, abs=0.01)


def test_a_fit_needs_a_redshift_and_says_how_one_is_given_here(root):
    _, text = say(root, "fit", blind=True)
    assert "refused: a fit starts at a trial redshift: z Z types it, x LETTER names the line" in text


def test_the_pipelines_fits_are_listed_and_one_is_taken(tmp_path):
    fits = (PipelineFit(0, "QSO", "", 2.3042, 1e-4, 0, 1e4, 13.0), PipelineFit(1, "GALAXY", "", 0.842, 1e-4, 4, 1e4, 2))
    make_workspace(tmp_path / "ws", [replace(desi_spectrum(5), fits=fits)]).close()
    _, hidden = say(tmp_path / "ws", "fits", "fits 2", blind=True)
    assert hidden.count("refused") == 2
    assert "0.842" not in hidden
    code, text = say(tmp_path / "ws", "fits", "fits 3", "fits 2", "a 3")
    assert code == 1
    assert "> 1  QSO    z 2.3042  delta chi2 13" in text
    assert "  2  GALAXY z 0.8420  delta chi2 2  zwarn 4" in text
    assert "refused: the pipeline has 2 fits" in text
    assert [(vote.spectype, vote.z, vote.z_source) for vote in votes(tmp_path / "ws")] == [
        ("GALAXY", 0.842, "pipeline")
    ]


def test_a_line_is_named_at_the_strongest_peak_or_where_one_says(root):
    _, text = say(root, "x c", "x m 7841", "x w", "x c 99999", blind=True)
    shown = [line for line in text.splitlines() if line.startswith("z ")]
    assert [line[:6] for line in shown] == ["z 1.60", "z 1.80"]
    assert "refused: 'w': which line? c C IV" in text
    assert "outside -0.01 to 7" in text


def test_templates_and_arms_in_the_plot(root):
    plain_plot = say(root, "plot")[1].split("redrock: QSO")[1]
    code, text = say(root, "models", "model", "arms", "model old galaxy", "model nonsense", "model")
    assert code == 1
    assert "quasar, BAL quasar, old galaxy" in text
    assert "refused: there is no model nonsense" in text
    assert "~" in text
    assert "~" not in plain_plot
    assert text.isascii()


def test_stars_comments_finding_and_places(root):
    code, text = say(root, "; b", "; b", "*", "/102", "/1020304", "*", "*", ":2", ":9", ":w", source=Keyboard)
    assert code == 0
    assert "comment: Broad absorption line quasar (BAL)" in text
    assert "says so already" in text
    assert text.count("starred for discussion") == 2
    assert "the star is taken back" in text
    shown = [line.split()[2] for line in text.splitlines() if line.startswith("round 1, ")]
    assert shown == ["1", "3", "2"]
    assert "refused: no 1020304 here" in text
    assert "the draft is kept" in text


def test_redo_saves_it_again(root):
    code, text = say(root, "q 2.3 4", "u", "redo", "redo", source=Keyboard)
    assert code == 0
    assert "saved 100 again at" in text
    assert "refused: there is nothing to redo: u reopens an answer first" in text
    assert [vote.quality for vote in votes(root)] == [4]


def test_after_the_commit_the_dialogue_tells_what_the_screen_tells(tmp_path):
    with make_workspace(tmp_path / "ws", [desi_spectrum(5)], votes=3, blind=True) as ws:
        campaign.set_setting(ws, "show_after_commit", True, "ABC")
    _, text = say(tmp_path / "ws", "q 2.3 4")
    before, after = text.split("saved 5 QSO")
    assert "redrock" not in before
    assert ", vote 1 of 3" in after
    assert "redrock QSO 2.3042; 3-way split" in after


def test_the_help_names_every_command(root):
    _, text = say(root, "help")
    for word in (
        "fit, yes",
        "fits [N]",
        "; LETTER",
        "x LETTER",
        "model [NAME]",
        "redo",
        "/ID, :12",
        "*  ",
        "arms",
        ":w",
    ):
        assert word in text
    assert "b BAL, d DLA" in text
