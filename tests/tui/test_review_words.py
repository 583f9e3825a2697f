"""The written parts of the review screen, without a screen."""

from dataclasses import replace

import pytest

from qnet_tui.inspection.keymap import with_user_keys
from qnet_tui.inspection.review_keys import REVIEW_ACTIONS
from qnet_tui.tui.listing import Listing
from qnet_tui.tui.review_words import (
    Busy,
    bar_row,
    hint_row,
    middle_rows,
    place_words,
    shown_words,
    told_rows,
    trouble_lines,
    whole_row,
    whole_words,
)
from qnet_tui.tui.tones import Tone, plain, width
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.review.tabs import TABS
from tests.tui.review_tabs import MADE

TAB = MADE["completeness"](Asked())


@pytest.mark.parametrize("columns", [80, 111, 112, 200])
@pytest.mark.parametrize("lit", TABS)
def test_all_tabs_stand_in_the_bar_and_the_lit_one_in_brackets(columns, lit):
    row = bar_row(tuple(TABS), lit, columns, "braille")
    text = plain(row)
    assert width(row) == columns
    assert all(name in text for name in TABS)
    assert "…" not in text
    inside = text[text.index("[") + 1 : text.index("]")]
    assert inside == lit if columns < 112 else inside.endswith(f" {lit}")
    assert [piece for piece, tone in row if tone is Tone.CHOSEN] == [f"[{inside}]"]


def test_what_is_shown_names_only_what_can_be_chosen():
    assert shown_words(TAB) == ["round 2", "all 2 datasets", "c > 0.95", "any redshift", "by epoch"]
    one = replace(TAB, asked=Asked(round=None, dataset="AL 1", c_threshold=0.5, dv_max=6000.0, by="z"))
    assert shown_words(one) == ["all rounds of 3", "AL 1", "c > 0.5", "|Δv| ≤ 6000 km/s", "by z"]
    assert shown_words(replace(TAB, datasets=("AL 1",), rounds=(), thresholds=(), bys=(), name="map")) == ["AL 1"]
    assert shown_words(MADE["entropy"](Asked())) == []


def test_where_the_cursor_is():
    listing = Listing(TAB.columns, TAB.rows)
    assert place_words(listing) == "row 1 of 10"
    assert place_words(listing.moved(3).sorted_next().filtered("al 2")) == "by dataset  'al 2' in 5 of 10  row 1 of 5"
    assert place_words(Listing((), ())) == ""


def test_sentence_and_notes_have_their_rows_and_say_when_they_are_cut():
    narrow = told_rows(TAB, 24, 80, "braille")
    assert [plain(row).rstrip() for row in narrow.rows] == [
        " AL 2 finds 0.947 (0.934-0.957) of 1,204 quasars, AL 1 0.931 (0.916-0.943): 19",
        " more, McNemar p = 0.003.",
        " completeness TP/(TP+FN), purity TP/(TP+FP); from, to: 95 % Wilson …",
    ]
    assert narrow.is_cut
    long = told_rows(replace(TAB, says="word " * 200, notes=()), 24, 80, "ascii")
    assert len(long.rows) == 3
    assert plain(long.rows[-1]).rstrip().endswith("word >")
    short = told_rows(replace(TAB, says="All is well.", notes=("one",)), 24, 80, "braille")
    assert (len(short.rows), short.is_cut) == (2, False)
    assert told_rows(replace(TAB, says="", notes=()), 24, 80, "braille").rows == []


def test_everything_in_full():
    words = whole_words("completeness: Fig. 5", TAB, 60)
    assert words[0] == "completeness: Fig. 5"
    assert max(map(len, words)) <= 60
    assert "the 1,204 quasars and 2,380 others are the same for both" in words
    rows = whole_row(Listing(TAB.columns, TAB.rows), 60)
    assert rows[0] == "dataset  AL 1"
    assert rows[2] == "compl.   0.592"


def test_words_in_the_middle_fit_whatever_they_are():
    for lines in ([], ["one"], ["word " * 100, "x" * 300, "\x1b[31mred"]):
        rows = middle_rows(lines, 10, 40, "ascii")
        assert [width(row) for row in rows] == [40] * 10
        assert "\x1b" not in "".join(plain(row) for row in rows)


def test_hints_name_the_keys_that_are_live_and_useful():
    listing, told = Listing(TAB.columns, TAB.rows), told_rows(TAB, 24, 80, "braille")
    row = plain(hint_row(TAB, listing, told, False, REVIEW_ACTIONS, 200, "braille"))
    for words in (
        "n all notes",
        ", . round",
        "d dataset",
        "z Δv limit",
        "c threshold",
        "j k row",
        ":q quit",
        "? all keys",
    ):
        assert words in row
    mine = with_user_keys(REVIEW_ACTIONS, {"dataset_next": ["x"]}, "keys.toml")
    row = plain(hint_row(TAB, listing, told, True, mine, 200, "braille"))
    assert "x dataset" in row
    assert "⌫ home" in row
    empty = MADE["rounds"](Asked())
    assert "sort" not in plain(hint_row(empty, Listing((), ()), None, False, REVIEW_ACTIONS, 200, "ascii"))


def test_a_computation_says_how_far_it_is():
    assert Busy().words() == "computing …"
    assert Busy("reading scores", 1200, 3600).words() == "computing … reading scores 1,200 of 3,600"
    assert Busy("reading", 7, 0).words() == "computing … reading 7"


def test_trouble_names_the_ways_out():
    lines = trouble_lines("map", "no round 7", Asked(round=7, dataset="x"), REVIEW_ACTIONS)
    assert lines == ["map: no round 7", ". the tab's own round, d the tab's own dataset, r tries again"]
    assert trouble_lines("map", "gone", Asked(), REVIEW_ACTIONS)[1] == "r tries again"
