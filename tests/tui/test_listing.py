"""Rows as a person has arranged them."""

import math
from collections.abc import Sequence

import pytest

from qnet_tui.tui.listing import Listing, cell_text
from qnet_tui.workflows.review.tab import Column
from tests.tui.review_tabs import rows_of

COLUMNS = (Column("name", "name"), Column("z", "z", 2), Column("n", "n"))
ROWS = rows_of("Row", "name z n", ("b", 2.0, 3), ("A", math.nan, 1), ("c", 0.5, None), ("d", None, 2), ("Ab", 1.0, 12))


def names(listing):
    return [row.name for row in listing.window(0, 99)]


@pytest.fixture
def listing():
    return Listing(COLUMNS, ROWS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345, "0.12"), (-0.0, "-0.00"), (math.nan, "-"), (math.inf, "-"), (None, "-"), (True, "yes"), (False, ""),
        (3600000, "3600000"), ({"QSO": 3, "STAR": 1}, "QSO 3 STAR 1"), ("two\nlines\x1b[31m red", "two lines [31m red"),
    ],
)  # fmt: skip
def test_a_cell_is_written_as_the_command_writes_it(value, text):
    assert cell_text(rows_of("Row", "a", (value,))[0], Column("a", "a", 2)) == text


def test_the_cursor_stops_at_both_ends(listing):
    assert listing.moved(-1).cursor == 0
    assert listing.moved(3).row.name == "d"
    assert listing.moved(99).cursor == 4
    assert Listing(COLUMNS, []).moved(1).row is None


def test_sorting_goes_over_the_columns_and_back_to_the_order_of_the_tab(listing):
    by_name = listing.sorted_next()
    assert names(by_name) == ["A", "Ab", "b", "c", "d"]
    by_z = by_name.sorted_next()
    assert names(by_z) == ["c", "Ab", "b", "A", "d"], "what is unknown is at the end"
    assert names(by_z.turned()) == ["b", "Ab", "c", "A", "d"], "and stays there"
    by_n = by_z.turned().sorted_next()
    assert names(by_n) == ["A", "d", "b", "Ab", "c"]
    again = by_n.sorted_next()
    assert (again.sorted_by, again.order, names(again)) == (-1, None, ["b", "A", "c", "d", "Ab"])
    assert names(again.turned()) == ["Ab", "d", "c", "A", "b"]


def test_the_cursor_stays_on_its_row(listing):
    there = listing.moved(4)
    assert there.sorted_next().row.name == "Ab"
    assert there.filtered("ab").row.name == "Ab"
    assert there.filtered("b 2.00").row.name == "b", "it is gone: the first one"


def test_a_filter_looks_for_the_words_in_the_cells_as_they_are_written(listing):
    assert names(listing.filtered("AB")) == ["Ab"]
    assert names(listing.filtered(" D   - ")) == ["d"]
    assert names(listing.filtered("d b")) == []
    assert names(listing.filtered("2.00")) == ["b"]
    nothing = listing.filtered("zebra")
    assert (len(nothing), nothing.row, nothing.name_of_row()) == (0, None, "")
    assert names(nothing.filtered("")) == names(listing)
    assert names(listing.filtered("b").sorted_next().turned()) == ["b", "Ab"]


def test_what_names_a_row_is_its_identity_or_its_first_cell(listing):
    assert listing.name_of_row() == "b"
    columns = (Column("rank", "rank"), Column("TARGETID", "TARGETID"))
    assert Listing(columns, rows_of("Row", "rank TARGETID", (1, 39627))).name_of_row() == "39627"


class Paged(Sequence):
    """Rows that count what is read of them."""

    def __init__(self, count):
        self.count, self.read = count, 0

    def __len__(self):
        return self.count

    def __getitem__(self, at):
        if isinstance(at, slice):
            return [self[index] for index in range(*at.indices(self.count))]
        self.read += 1
        return rows_of("Row", "name z n", (f"object {at}", at / 7, at))[0]


def test_moving_through_many_rows_reads_those_in_sight_only():
    rows = Paged(1_000_000)
    listing = Listing(COLUMNS, rows).moved(999_990)
    assert [row.n for row in listing.window(listing.cursor, 20)] == list(range(999_990, 1_000_000))
    assert rows.read == 10
