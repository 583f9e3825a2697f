"""How a table is fitted into a pane."""

import math
import time

import pytest

from qnet_tui.tui.listing import Listing
from qnet_tui.tui.tones import Tone, plain, width
from qnet_tui.tui.widgets.table import Shape, scrolled, table_rows
from qnet_tui.workflows.review.tab import Column
from tests.tui.review_tabs import MADE, Asked, rows_of
from tests.tui.test_listing import Paged

TAB = MADE["completeness"](Asked())
LISTING = Listing(TAB.columns, TAB.rows)


def shown(columns, listing=LISTING, rows=4, top=0, charset="braille"):
    shape = Shape.of(listing.columns, listing.rows)
    found = table_rows(listing, shape, top, rows, columns, charset)
    assert [width(row) for row in found] == [columns] * rows
    return [plain(row).rstrip() for row in found]


def test_with_room_every_column_is_there_and_figures_stand_under_the_end_of_their_heading():
    assert shown(80) == [
        "  dataset  epoch  compl.   from     to  purity    tp   fp   fn",
        "▸ AL 1         1   0.592  0.579  0.602   0.798   713  180  491",
        "  AL 1        10   0.855  0.842  0.865   0.963  1030   40  174",
        "  AL 1        20   0.917  0.904  0.927   0.978  1104   25  100",
    ]


@pytest.mark.parametrize(
    ("columns", "heads"),
    [
        (62, "dataset epoch compl. from to purity tp fp fn"),
        (61, "dataset epoch compl. from to purity tp fp"),
        (50, "dataset epoch compl. from to purity"),
        (44, "dataset epoch compl. purity"),
        (32, "dataset epoch compl. purity"),
        (31, "dataset epoch compl. purity"),
        (20, "dataset epoch"),
        (9, "dataset"),
    ],
)
def test_the_least_needed_columns_go_first_an_interval_whole_and_the_first_column_never(columns, heads):
    row = shown(columns)[0].replace("…", "").split()
    wanted = heads.split()
    assert len(row) == len(wanted)
    assert all(want.startswith(got) for got, want in zip(row, wanted, strict=True))


def test_a_figure_is_never_cut():
    for columns in range(14, 70):
        for row in shown(columns)[1:]:
            assert not any("…" in word and word[0].isdigit() for word in row.split())


def test_words_that_are_too_long_are_cut_and_take_what_is_left_over():
    rows = rows_of("Row", "n reason", (1, "a long reason that nobody has room for " * 3), (2, "short"))
    listing = Listing((Column("n", "n"), Column("reason", "reason", need=1)), rows)
    assert shown(30, listing)[1] == "▸ 1  a long reason that nobod…"
    assert shown(100, listing)[1].startswith("▸ 1  a long reason that nobody has room for a long")
    assert shown(10, listing)[:2] == ["  n", "▸ 1"], "fewer than six characters tell nothing"


def test_unknown_values_empty_tables_and_one_row():
    rows = rows_of("Row", "a b c", (math.nan, None, True))
    columns = (Column("a", "a"), Column("b", "b"), Column("c", "rejected"))
    assert shown(20, Listing(columns, rows))[:3] == ["  a  b  rejected", "▸ -  -  yes", ""]
    assert shown(20, Listing(columns, []))[:2] == ["  a  b  rejected", ""]
    assert shown(20, Listing((), ()))[0] == ""


def test_the_row_of_the_cursor_is_marked_and_reversed_and_the_sorted_column_has_an_arrow():
    listing = LISTING.moved(1).sorted_next().turned()
    shape = Shape.of(listing.columns, listing.rows)
    rows = table_rows(listing, shape, 0, 12, 60, "braille")
    assert [row[0][1] for row in rows].count(Tone.CHOSEN) == 1
    at = [plain(row) for row in rows]
    assert at[0].startswith(" ▾dataset")
    assert at[listing.cursor + 1].startswith("▸ AL 1")
    ascii_rows = table_rows(listing, shape, 0, 12, 60, "ascii")
    assert plain(ascii_rows[0]).startswith(" vdataset")
    assert plain(ascii_rows[listing.cursor + 1]).startswith("> AL 1")
    assert all(plain(row).isascii() for row in ascii_rows)


@pytest.mark.parametrize(
    ("top", "cursor", "room", "count", "first"),
    [(0, 0, 10, 5, 0), (0, 9, 10, 50, 0), (0, 10, 10, 50, 1), (20, 10, 10, 50, 10), (45, 49, 10, 50, 40),
     (7, 0, 10, 0, 0), (0, 3, 0, 5, 3)],
)  # fmt: skip
def test_the_table_scrolls_no_further_than_the_cursor_needs(top, cursor, room, count, first):
    assert scrolled(top, cursor, room, count) == first


def test_many_rows_are_measured_from_everywhere_and_wider_ones_are_made_room_for():
    columns = (Column("name", "name"), Column("n", "n"))
    rows = Paged(100_000)
    shape = Shape.of(columns, rows)
    assert rows.read == 2000
    assert shape.widths == (len("object 99999"), 5)
    assert shape.with_rows(columns, rows_of("Row", "name n", ("x", 12_345_678))).widths == (12, 8)
    rows.read = 0
    began = time.process_time()
    listing = Listing(columns, rows).moved(50_000)
    table_rows(listing, shape, 49_990, 20, 40, "braille")
    assert rows.read == 19
    assert time.process_time() - began < 0.5
