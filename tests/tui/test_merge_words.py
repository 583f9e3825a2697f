"""The merging screen in words: header, table of votes, advice and hints, row by row."""

from dataclasses import replace

import pytest

from qnet_tui.inspection.merge_keys import MERGE_ACTIONS
from qnet_tui.tui.label_actions import Scene
from qnet_tui.tui.merge_actions import MergeMoment, apply
from qnet_tui.tui.merge_layout import merge_panes_for
from qnet_tui.tui.merge_marks import signs, ticks_of_others
from qnet_tui.tui.merge_table import quality_text, velocity_text
from qnet_tui.tui.merge_words import (
    MergeStatus,
    Said,
    case_rows,
    listed,
    merge_header_rows,
    merge_hint_row,
    nothing_left_lines,
)
from qnet_tui.tui.tones import Tone, plain, width
from qnet_tui.tui.view import View
from qnet_tui.workflows.merge_case import MergeCounts
from storage.merges import MergedLabel
from tests.tui.merge_campaign import CASES, made_case

COUNTS = MergeCounts(conflicts=41, agreed=212, own=0, to_look=21, looked=0, done=97, open=12, stale=0)
STATUS = MergeStatus("XYZ", COUNTS)
SAID = Said("smooth 3 px", None, MERGE_ACTIONS)
SCENE = Scene((3600.0, 9800.0))


@pytest.fixture(scope="module")
def case():
    return made_case()


def moment(case, *actions):
    at = MergeMoment(case.start, View(), 5120.0)
    for name in actions:
        at = apply(name, at, SCENE)
    return at


def table(case, at, rows=8, columns=80, charset="braille", said=SAID):
    return [plain(row) for row in case_rows(case, at, said, rows, columns, charset)]


def header(case, status=STATUS, columns=80):
    return [plain(row) for row in merge_header_rows(case, status, columns, "braille")]


def test_the_header_says_what_is_left_and_what_is_disputed(case):
    first, second = header(case, replace(STATUS, saved="14:02:31"))
    assert first == " merge  conflicts 41  agreed 212 (21 to look at)  done 97        XYZ ✓ 14:02:31 "
    assert second.startswith(" 39627000000000310  class, z and quality differ  arms B R Z  0 % masked  S/N 4.9")
    wide = header(case, replace(STATUS, seconds=40.0), 140)[0]
    assert "round 2  #14 of 50" in wide
    assert "conflicts 41 ≈ 27 min" in wide
    assert "wait for votes 12" in wide


def test_large_numbers_and_stale_truth_still_fit(case):
    counts = replace(COUNTS, conflicts=341, agreed=1212, to_look=121, done=1097)
    assert "done 1097" in header(case, MergeStatus("XYZ", counts, saved="14:02:31"))[0]
    assert "stale truth 3" in header(case, MergeStatus("XYZ", replace(COUNTS, stale=3)))[0]


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"conflicts": ("z",)}, "z differs  "),
        ({"state": "agreed", "to_look": True}, "agreed: look"),
        ({"state": "merged"}, "settled"),
        ({"own": True}, "you voted on it: another settles it"),
    ],
)
def test_the_state_of_the_case_is_said(case, others, words):
    assert words in header(replace(case, **others))[1]


def test_unsaved_work_is_never_hidden_by_an_older_saved(case):
    first = header(case, replace(STATUS, saved="14:02:31", trouble="disk full"))[0]
    assert "NOT SAVED" in first
    assert "✓" not in first
    assert "fitting" in header(case, replace(STATUS, busy="fitting"))[0]


def test_the_table_marks_what_differs_by_a_sign_and_by_its_colour(case):
    rows = table(case, moment(case))
    assert [row.rstrip() for row in rows[1:8]] == [
        " ▸ A       QSO       2.3042            0  4       ·",
        "   B       QSO       2.3051          +82  3       ·       weak C III]",
        "   C       GALAXY *  0.8420 *    -132666  2 *     R       Mg II?",
        "   redrock QSO       2.3042            0  ·       ·",
        " a 2 of 3  QSO       2.30465         +41  3.50    R",
        "   answer  ?         ?                 ·  ?       R",
        " ⏎ waits for class, z and quality: a takes 2 of 3, y copies A, or say it",
    ]
    third = case_rows(case, moment(case), SAID, 8, 80, "braille")[3]
    assert [text.strip() for text, tone in third if tone is Tone.WARN] == ["GALAXY *", "0.8420 *", "2 *"]


def test_the_sign_of_the_lines_stands_where_they_are_drawn(case):
    rows = table(case, moment(case, "vote_next"))
    assert [row[:4] for row in rows[1:4]] == ["   A", " ▸ B", "   C"]
    rows = table(case, moment(case, "vote_next", "take_proposal"))
    assert [row[:4] for row in rows[1:4]] == ["   A", "   B", "   C"]
    assert rows[6].startswith(" ▸ answer  QSO       2.30465")
    assert rows[7].startswith(" ⏎ settles this and goes on")
    assert rows[7].endswith("smooth 3 px ")


def test_without_an_offer_the_row_says_so_and_a_is_not_hinted():
    case = made_case(CASES[1])
    rows = table(case, moment(case))
    assert rows[5].startswith("   offer ")
    assert "no two agree" in rows[5]
    assert "a takes" not in rows[7]
    hint = plain(merge_hint_row(case, moment(case), MERGE_ACTIONS, 80, "braille"))
    assert " a " not in hint
    assert "z redshift" in hint


def test_the_pipeline_stands_among_the_votes_and_its_absence_is_said(case):
    warned = replace(case, item=replace(case.item, pipeline_zwarn=4))
    assert table(warned, moment(case))[4].rstrip().endswith("zwarn 4")
    silent = replace(case, item=replace(case.item, pipeline_name="", pipeline_class="", pipeline_z=None))
    row = table(silent, moment(case))[4]
    assert row.startswith("   pipeline ·")
    assert "no answer of it here" in row


def test_what_was_settled_takes_the_place_of_the_offer(case):
    label = MergedLabel(2, 7, "QSO", 2.3047, 3.5, "R", "", 3, "qnet1", "XYZ")
    rows = table(replace(case, state="merged", merged=label), moment(case))
    assert rows[5].startswith("   settled QSO       2.3047          +45  3.50    R       by XYZ")


def test_of_many_votes_those_about_the_lit_one_are_shown():
    case = made_case([("QSO", 2.0 + 0.1 * at, 3, "", "") for at in range(6)])
    assert merge_panes_for(80, 24, 6).spectrum_rows >= 12
    rows = merge_panes_for(80, 24, 6).lower_rows
    shown = table(case, moment(case, *["vote_next"] * 5), rows)
    assert len(shown) == rows
    assert any(row.startswith(" ▸ F") for row in shown)
    assert "answer" in shown[-2]


def test_a_comment_too_long_for_its_column_can_be_read_whole(case):
    long = "one line only, and it may be Mg II of the galaxy in front: see the absorption at 4200"
    said = made_case((CASES[0][0], (*CASES[0][1][:4], long), CASES[0][2]))
    assert not any(long in row for row in table(said, moment(said)))
    assert table(said, moment(said, "vote_next"), columns=100)[7].startswith(f" B: {long}")
    text = " ".join(" ".join(table(said, moment(said), rows=11)).split())
    assert f"B: {long}" in text


def test_a_wide_table_says_where_redshifts_come_from(case):
    assert "z from" not in table(case, moment(case))[0]
    votes = (replace(case.votes[0], z_error=0.0004, z_source="fit"), replace(case.votes[1], blind_model=False))
    mixed = replace(case, votes=(*votes, case.votes[2]))
    rows = table(mixed, moment(case), columns=104)
    assert "z from" in rows[0]
    assert "fit ±0.0004 blind" in rows[1]
    assert "blind" not in rows[2]


@pytest.mark.parametrize("columns", [80, 104, 140])
@pytest.mark.parametrize("charset", ["braille", "ascii"])
def test_every_row_is_as_wide_as_it_must_be(case, columns, charset):
    rows = [*merge_header_rows(case, STATUS, columns, charset), *merge_header_rows(None, STATUS, columns, charset)]
    for at in (moment(case), moment(case, "take_proposal")):
        rows += case_rows(case, at, SAID, 9, columns, charset)
        rows += [merge_hint_row(case, at, MERGE_ACTIONS, columns, charset)]
    rows += [merge_hint_row(None, moment(case), MERGE_ACTIONS, columns, charset)]
    assert {width(row) for row in rows} == {columns}
    if charset == "ascii":
        assert all(plain(row).isascii() for row in rows)


def test_hints_name_what_is_missing_and_the_live_keys(case):
    hint = plain(merge_hint_row(case, moment(case), MERGE_ACTIONS, 120, "braille"))
    assert " j k vote  y copy  a 2 of 3  s g q class  z redshift  0-4 Q quality  n next conflict" in hint
    assert hint.endswith(" ⏎ settle  ? all keys ")
    done = plain(merge_hint_row(case, moment(case, "take_proposal"), MERGE_ACTIONS, 80, "braille"))
    assert "n next conflict  c comment" in done
    own = tuple(replace(action, keys=("Y",)) if action.name == "copy_vote" else action for action in MERGE_ACTIONS)
    assert "Y copy" in plain(merge_hint_row(case, moment(case), own, 80, "braille"))


def test_when_nothing_is_left_the_screen_says_why():
    lines = nothing_left_lines(2, replace(COUNTS, stale=3), MERGE_ACTIONS)
    assert lines[0] == "nothing is left to settle in round 2"
    assert "97 done, 12 wait for more votes" in lines
    assert any("train again" in line for line in lines)
    assert ":q quits" in lines[-1]


def test_small_words():
    assert [listed(words) for words in (("z",), ("class", "z"), ("class", "z", "quality"))] == [
        "z", "class and z", "class, z and quality",
    ]  # fmt: skip
    assert [quality_text(value) for value in (None, 3.0, 3.5, 8 / 3)] == ["·", "3", "3.50", "2.67"]
    assert [velocity_text(value) for value in (None, 0.2, -82.4, 1234567.0)] == ["·", "0", "-82", "+1235k"]


def test_ticks_stand_for_the_votes_whose_lines_are_not_drawn(case):
    at = moment(case)
    marks = ticks_of_others(case.votes, at)
    assert {mark.sign for mark in marks} == {"C"}  # B is 82 km/s from A
    assert min(mark.wavelength for mark in marks) == pytest.approx(1215.67 * 1.842)
    there = moment(case, "vote_next", "vote_next")
    both = ticks_of_others(case.votes, there)
    assert {(mark.sign, mark.style) for mark in both} == {("A", "tick"), ("B", "low tick")}
    off = replace(there, view=View(lines="off"))
    assert ticks_of_others(case.votes, off) == ()


def test_signs_tell_votes_apart_also_by_codes(case):
    assert signs(made_case(named=True).votes) == ("A", "D", "G")
    same = [replace(vote, name=name) for vote, name in zip(case.votes, ("ABC", "ADE", "XYZ"), strict=True)]
    assert signs(same) == ("1", "2", "3")


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (100, 30), (120, 35), (200, 50), (300, 90)])
@pytest.mark.parametrize("votes", [1, 3, 9])
def test_the_spectrum_has_half_of_the_rows_and_all_fits(columns, rows, votes):
    panes = merge_panes_for(columns, rows, votes)
    assert 2 * panes.spectrum_rows >= rows
    assert panes.spectrum_rows + panes.lower_rows + 3 == rows
    assert panes.text_columns >= 80
    assert panes.text_columns + panes.zooms * (panes.zoom_columns + 1) <= columns
    assert panes.zooms == 0 or panes.zoom_columns >= 35
