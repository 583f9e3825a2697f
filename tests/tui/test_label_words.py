"""Header, answer and hints, row by row."""

from dataclasses import replace

import pytest

from qnet_tui.inspection.item import Facts, ItemState
from qnet_tui.inspection.keymap import with_user_keys
from qnet_tui.inspection.keys import available
from qnet_tui.spectra.rrdetails import PipelineFit
from qnet_tui.spectral_lines.local_fit import LocalFit
from qnet_tui.tui.hints import hint_row, letters_row, message_row, offer_row
from qnet_tui.tui.label_actions import Moment
from qnet_tui.tui.label_words import Said, Status, answer_rows, header_rows, nothing_left_lines
from qnet_tui.tui.screens.help import help_lines
from qnet_tui.tui.tones import Tone, fitted, plain, spread, width
from qnet_tui.tui.view import View
from qnet_tui.workflows.label import Item, Progress
from qnet_tui.workflows.label_item import blinded

ITEM = Item(
    7, 2, 14, 1000, "39627000000000310", "arms B R Z", "", 0.03, 4.9, 20.4, "3-way split", "redrock", "QSO", 2.3042, 4
)
OFFER = LocalFit(2.3051, 0.0004, 82.0, 152.0, "quasar")
PROGRESS = Progress(3000, 1560, 962, 38, (), 42.0)


ALL = available(blind=False)
BLIND = blinded(ITEM)


def moment(facts=None, **answer):
    state = ItemState.start(facts or Facts(), 5120.0)
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
    starred = replace(ITEM, starred=True)
    room = (columns, charset)
    rows = [*header_rows(starred, status, *room), hint_row(moment(), ALL, *room), hint_row(moment(z=2.0), ALL, *room)]
    rows += [letters_row(asked, *room, ALL) for asked in ("name_line", "standard_comment")]
    rows += [offer_row(OFFER, 2.3, *room, ALL), message_row(("⏎ " * 200, Tone.WARN), *room)]
    rows += answer_rows(ITEM, moment(comment="x" * 100, z=2.0, z_error=0.01), Said("view", None, ALL), 9, *room)
    assert {width(row) for row in rows} == {columns}
    if charset == "ascii":
        assert all(plain(row).isascii() for row in rows)


def rows_of(at, item=ITEM, message=None, rows=7):
    return [plain(row).rstrip() for row in answer_rows(item, at, Said("view", message, ALL), rows, 44, "braille")]


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
    assert " redrock  QSO 2.3042 zwarn 4" in rows_of(moment(), rows=9)
    assert not [row for row in rows_of(moment(), item=BLIND, rows=9) if "redrock" in row]
    at = moment(ITEM.facts, z=2.3042, z_source="pipeline")
    assert rows_of(at)[2].endswith("redrock: QSO")
    assert rows_of(at)[-1] == " a takes redrock QSO 2.3042 zwarn 4"


def fits_of(*pairs):
    return tuple(PipelineFit(rank, name, "", z, 1e-4, 0, 100.0, 13.0) for rank, (name, z) in enumerate(pairs))


def test_the_fits_of_the_pipeline_are_listed_and_the_shown_one_is_marked():
    item = replace(ITEM, fits=fits_of(("QSO", 2.3042), ("GALAXY", 0.842), ("STAR", 0.0001), ("QSO", 1.1)))
    at = moment(item.facts)
    assert rows_of(at, item, rows=10)[6] == " redrock ▸1 QSO     2.3042  Δχ² 13"
    third = replace(at, state=at.state.with_fit(2))
    rows = rows_of(third, item, rows=10)
    assert rows[2] == " z        0.0001   redrock 3 of 4: STAR"
    assert [row for row in rows if "▸3 STAR" in row]
    assert rows[-1] == " a takes STAR 0.0001"


def test_a_fitted_redshift_shows_its_error():
    assert rows_of(moment(z=2.3051, z_error=0.0004, z_source="fit"))[2] == " z        2.3051 ± 0.0004   fitted"
    offer = plain(offer_row(OFFER, 2.3042, 80, "braille", ALL))
    assert offer.startswith(" fit 2.3042 → 2.3051 ± 0.0004  +82 km/s  quasar")
    assert offer.endswith(" ⏎ takes it  Esc leaves it ")
    assert "chi2 152" in plain(offer_row(OFFER, 2.3042, 120, "ascii", ALL))


def test_a_message_takes_the_place_of_the_advice():
    assert rows_of(moment(), message=("no", Tone.WARN))[-1] == " no"
    assert rows_of(moment(spectype="QSO"))[-1] == " ⏎ waits for z and quality"
    assert "space" in rows_of(moment(), item=replace(ITEM, problem="gone"))[-1]
    assert rows_of(moment(), item=None)[1:] == [""] * 6


def test_the_hints_are_what_helps_now_and_end_with_what_always_does():
    def shown(at, columns=80, actions=ALL):
        return plain(hint_row(at, actions, columns, "braille"))

    assert "type z" in shown(moment())
    assert "f fit" in shown(moment(z=2.0))
    assert "faster" in shown(moment(z=2.0), columns=100)
    assert "pipeline's" in shown(moment(ITEM.facts), columns=120)
    assert "fits" not in shown(moment(ITEM.facts), columns=200), "only its best is known"
    assert "pipeline" not in shown(moment(), columns=200, actions=available(blind=True))
    assert shown(moment()).rstrip().endswith("⏎ next  ? all keys")
    assert "l Lyα" in plain(letters_row("name_line", 80, "braille", ALL))
    assert "b BAL  d DLA" in plain(letters_row("standard_comment", 80, "braille", ALL))


def test_every_text_names_the_keys_that_are_live():
    mine = with_user_keys(ALL, {"commit": ("E",), "fit": ("F",), "take_pipeline": ("A",), "name_line": ("X",)}, "mine")
    assert plain(hint_row(moment(z=2.0), mine, 80, "braille")).rstrip().endswith("E next  ? all keys")
    assert " F fit" in plain(hint_row(moment(z=2.0), mine, 80, "braille"))
    assert plain(letters_row("name_line", 80, "braille", mine)).startswith(" X the line")
    assert "E takes it" in plain(offer_row(OFFER, 2.3042, 80, "braille", mine))
    said = Said("view", None, mine)
    assert plain(answer_rows(ITEM, moment(ITEM.facts), said, 7, 44, "braille")[-1]).startswith(" A takes redrock")
    text = "\n".join(help_lines(mine, "braille", 2))
    assert "LINE LETTERS (after X)" in text
    assert "F       fit z" in text


def test_an_empty_queue_says_why():
    mine_done = "\n".join(nothing_left_lines(2, Progress(9, 3, 3, 0, (), None), ALL))
    assert "3 of the 9 needed" in mine_done
    assert "6 votes are up to others" in mine_done
    two = (("DEF", 1.7e9), ("XYZ", 1.7e9), ("XYZ", 1.7e9))
    many = nothing_left_lines(2, Progress(9, 3, 3, 3, two, None), ALL)
    assert [line.split(" until")[0] for line in many if "held" in line] == ["1 held by DEF", "2 held by XYZ"]
    held = "\n".join(nothing_left_lines(2, Progress(9, 8, 8, 1, (("XYZ", 1.7e9),), None), ALL))
    assert "held by XYZ until" in held
    assert "round 2" in held
    done = nothing_left_lines(None, Progress(9, 9, 3, 0, (), None), ALL)
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
    assert "Damped Lyman-alpha system" in text
    assert "\n".join(help_lines(available(blind=blind), "ascii", columns)).isascii()


def test_rows_are_cut_with_an_ellipsis_and_spread():
    assert plain(fitted([("abcdef", Tone.PLAIN), ("gh", Tone.DIM)], 5)) == "abcd…"
    assert plain(fitted([("ab", Tone.PLAIN)], 4)) == "ab  "
    assert plain(spread([("left", Tone.PLAIN)], [("right", Tone.DIM)], 12)) == "left   right"
    assert plain(spread([("left side", Tone.PLAIN)], [("right", Tone.DIM)], 10)) == "lef… right"
    assert plain(spread([("left", Tone.PLAIN)], [("right", Tone.DIM)], 5)) == "right"
