"""Header, answer and hints, row by row."""

from dataclasses import replace

import pytest

from qnet_tui.inspection.item import Facts, ItemState
from qnet_tui.inspection.keys import available
from qnet_tui.tui.label_actions import Moment
from qnet_tui.tui.label_words import Status, answer_rows, header_rows, hint_row, nothing_left_lines
from qnet_tui.tui.screens.help import help_lines
from qnet_tui.tui.tones import Tone, fitted, plain, spread, width
from qnet_tui.tui.view import View
from qnet_tui.workflows.label import Item, Progress

ITEM = Item(
    7, 2, 14, 1000, "39627000000000310", "arms B R Z", "", 0.03, 4.9, 20.4, "3-way split", "redrock", "QSO", 2.3042, 4
)
PROGRESS = Progress(3000, 1560, 962, 38, (), 42.0)


def moment(**answer):
    state = ItemState.start(Facts(), 5120.0)
    return Moment(replace(state, answer=replace(state.answer, **answer)), View())


def header(status, columns=80, charset="braille", item=ITEM):
    return [plain(row) for row in header_rows(item, status, columns, charset)]


def test_the_header_tells_where_one_is_and_that_it_is_saved():
    first, second = header(Status("ABC", False, PROGRESS, saved="14:02:31"))
    assert first == " round 2  #14 of 1000  yours 38 left ≈ 27 min  team 52 %   ABC ✓ saved 14:02:31 "
    assert second.startswith(" 39627000000000310  arms B R Z  3 % masked  S/N 4.9  r 20.4  why: 3-way split")
    wide = header(Status("ABC", False, PROGRESS), 120)[0]
    assert "██████░░░░░ 52 %  1560 of 3000 votes" in wide


def test_unsaved_work_is_never_hidden_by_an_older_saved():
    first, _ = header(Status("ABC", False, PROGRESS, saved="14:02", trouble="busy"))
    assert "NOT SAVED" in first
    assert "✓" not in first
    assert "waiting for the database" in header(Status("ABC", False, None, busy="waiting for the database"))[0]


def test_why_is_not_shown_to_the_blind_and_drafts_are_marked():
    assert "why" not in header(Status("ABC", True, PROGRESS))[1]
    assert "draft" in header(Status("ABC", True, PROGRESS), item=replace(ITEM, draft={}))[1]


@pytest.mark.parametrize("columns", [80, 100, 140])
@pytest.mark.parametrize("charset", ["braille", "ascii"])
def test_every_row_is_as_wide_as_it_must_be(columns, charset):
    status = Status("ABC", False, PROGRESS, saved="14:02:31")
    rows = [
        *header_rows(ITEM, status, columns, charset),
        hint_row(moment(), naming=False, blind=False, columns=columns, charset=charset),
    ]
    rows += [hint_row(moment(z=2.0), naming=True, blind=True, columns=columns, charset=charset)]
    rows += answer_rows(ITEM, moment(comment="x" * 100), status, None, 9, columns, charset)
    assert {width(row) for row in rows} == {columns}
    if charset == "ascii":
        assert all(plain(row).isascii() for row in rows)


def rows_of(at, item=ITEM, blind=False, message=None, rows=7):
    return [plain(row).rstrip() for row in answer_rows(item, at, Status("ABC", blind), message, rows, 44, "braille")]


def test_the_answer_pane_marks_what_is_missing():
    rows = rows_of(moment())
    assert rows[1] == "▸class    star  galaxy  QSO"
    assert rows[2].startswith("▸z        -   cursor 5120 Å")
    assert rows[3] == "▸quality  0  1  2  3  4"
    half = rows_of(moment(spectype="QSO", quality=0))
    assert half[1] == " class    star  galaxy [QSO]"
    assert half[2].startswith(" z ")
    assert half[3] == " quality [0] 1  2  3  4  no signal"
    assert half[-1] == " ⏎ saves this and goes on"


def test_the_pipelines_answer_has_its_row_where_there_is_room_and_no_blinding():
    assert " redrock  QSO 2.3042  zwarn 4" in rows_of(moment(), rows=9)
    assert not [row for row in rows_of(moment(), blind=True, rows=9) if "redrock" in row]
    assert rows_of(moment(z=2.3042, z_source="pipeline"))[2].endswith("redrock")


def test_a_message_takes_the_place_of_the_advice():
    assert rows_of(moment(), message=("no", Tone.WARN))[-1] == " no"
    assert rows_of(moment(spectype="QSO"))[-1] == " ⏎ waits for z and quality"
    assert "space" in rows_of(moment(), item=replace(ITEM, problem="gone"))[-1]
    assert rows_of(moment(), item=None)[1:] == [""] * 6


def test_the_hints_are_what_helps_now_and_end_with_what_always_does():
    def shown(at, columns=80, **options):
        options = {"naming": False, "blind": False, **options}
        return plain(hint_row(at, columns=columns, charset="braille", **options))

    assert "type z" in shown(moment())
    assert "faster" in shown(moment(z=2.0))
    assert "pipeline's" in shown(moment(), columns=120)
    assert "pipeline" not in shown(moment(), columns=200, blind=True)
    assert shown(moment()).rstrip().endswith("⏎ next  ? all keys")
    assert "l Lyα" in shown(moment(), naming=True)


def test_an_empty_queue_says_why():
    assert "3 of the 9 needed" in "\n".join(nothing_left_lines(2, Progress(9, 3, 3, 0, (), None)))
    held = "\n".join(nothing_left_lines(2, Progress(9, 8, 8, 1, (("XYZ", 1.7e9),), None)))
    assert "held by XYZ until" in held
    assert "round 2" in held
    done = nothing_left_lines(None, Progress(9, 9, 3, 0, (), None))
    assert done[0] == "nothing is left for you"
    assert "qnet merge --accept-agreed" in done[-1]


@pytest.mark.parametrize("columns", [2, 3])
@pytest.mark.parametrize("blind", [True, False])
def test_the_help_has_every_action_that_exists_and_fits(columns, blind):
    lines = help_lines(available(blind=blind), "braille", columns)
    text = "\n".join(lines)
    for action in available(blind=blind):
        assert action.words in text, action.words
    assert ("pipeline's class and z" in text) is not blind
    assert max(map(len, lines)) <= 40 * columns
    assert "two or more secure features" in text


def test_rows_are_cut_with_an_ellipsis_and_spread():
    assert plain(fitted([("abcdef", Tone.PLAIN), ("gh", Tone.DIM)], 5)) == "abcd…"
    assert plain(fitted([("ab", Tone.PLAIN)], 4)) == "ab  "
    assert plain(spread([("left", Tone.PLAIN)], [("right", Tone.DIM)], 12)) == "left   right"
    assert plain(spread([("left side", Tone.PLAIN)], [("right", Tone.DIM)], 10)) == "lef… right"
    assert plain(spread([("left", Tone.PLAIN)], [("right", Tone.DIM)], 5)) == "right"
