"""The written parts of the review screen: the tabs, what is shown, the sentence to take away, and the keys of now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from qnet_tui.inspection.keys import Action, worded
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.hints import Hint, key_pieces, shown_ends, shown_row
from qnet_tui.tui.listing import Listing, cell_text, one_line
from qnet_tui.tui.tones import Piece, Row, Tone, width
from qnet_tui.workflows.review.tab import Asked, Tab

# The redshift condition that can be switched on, in km/s: what DESI calls a catastrophic failure of a quasar.
DV_MAX = 6000.0
# The tabs whose figures change with it.
WITH_REDSHIFT_CONDITION = ("completeness", "thresholds")
# From this width on there is room for the numbers that are the keys of the tabs.
_NUMBERED = 112
_SAYS_ROWS = 3
_ROOMY = 30


@dataclass(frozen=True)
class Busy:
    """What is being computed: ``stage`` (“” before anything is known of it), and how far it is."""

    stage: str = ""
    done: int = 0
    total: int = 0

    def words(self) -> str:
        """Return one line for a person."""
        share = f"{self.done:,} of {self.total:,}" if self.total else f"{self.done:,}" if self.done else ""
        return " ".join(word for word in ("computing …", self.stage, share) if word)


def bar_row(names: Sequence[str], lit: str, columns: int, charset: Charset) -> Row:
    """Return the tabs, the lit one in brackets."""
    numbered = columns >= _NUMBERED
    pieces: list[Piece] = []
    after_lit = False
    for number, name in enumerate(names, start=1):
        text = f"{number} {name}" if numbered else name
        # The brackets stand where the blanks between the others do: all nine fit 80 columns.
        pieces.append((f"[{text}]", Tone.CHOSEN) if name == lit else (text if after_lit else f" {text}", Tone.PLAIN))
        pieces.append((" " if numbered else "", Tone.PLAIN))
        after_lit = name == lit
    return shown_row(pieces, columns, charset)


def shown_words(tab: Tab) -> list[str]:
    """Say in a few words each what is shown: only what can be chosen here, or was."""
    asked, words = tab.asked, []
    if tab.rounds:
        of = f" of {len(tab.rounds)}" if len(tab.rounds) > 1 else ""
        words.append(f"round {asked.round}" if asked.round is not None else f"all rounds{of}")
    if tab.datasets:
        words.append(asked.dataset or f"all {len(tab.datasets)} datasets" if len(tab.datasets) > 1 else tab.datasets[0])
    if tab.thresholds and tab.rows:
        words.append(f"c > {asked.c_threshold:g}")
    if tab.name in WITH_REDSHIFT_CONDITION and tab.rows:
        words.append("any redshift" if asked.dv_max is None else f"|Δv| ≤ {asked.dv_max:g} km/s")
    if tab.bys and tab.rows:
        words.append(f"by {asked.by or tab.bys[0]}")
    return words


def place_words(listing: Listing) -> str:
    """Say where the cursor is, and how the rows were sorted and chosen."""
    count, all_rows = len(listing), len(listing.rows)
    words = []
    if listing.sorted_by >= 0:
        words.append(f"by {listing.columns[listing.sorted_by].head}")
    if listing.wanted:
        words.append(f"'{listing.wanted}' in {count:,} of {all_rows:,}")
    if count:
        words.append(f"row {listing.cursor + 1:,} of {count:,}")
    return "  ".join(words)


def shown_line(left: Sequence[str], right: str, columns: int, charset: Charset) -> Row:
    """Return the second row: what is shown, and where the cursor is."""
    pieces: list[Piece] = []
    gap = " · " if columns < 100 else "  ·  "
    for word in left:
        pieces.append((f"{gap if pieces else ' '}{word}", Tone.STRONG))
    return shown_ends(pieces, ((f"{right} ", Tone.DIM),), columns, charset)


@dataclass(frozen=True)
class Told:
    """The rows below table and chart; ``is_cut`` when not all of it could be said."""

    rows: list[Row]
    is_cut: bool


def told_rows(tab: Tab, rows: int, columns: int, charset: Charset) -> Told:
    """Return the computed sentence in at most three rows and the notes in one (two on a screen of 30 rows or more)."""
    says, cut = _wrapped(tab.says, columns - 2, _SAYS_ROWS)
    notes, short = _wrapped("; ".join(tab.notes), columns - 2, 2 if rows >= _ROOMY else 1)
    pieces: list[Piece] = [(f" {line}", Tone.STRONG) for line in says] + [(f" {line}", Tone.DIM) for line in notes]
    return Told([shown_row([piece], columns, charset) for piece in pieces], cut or short)


def whole_words(title: str, tab: Tab, columns: int) -> list[str]:
    """Return everything that is said of a tab, wrapped."""
    lines = [title, ""]
    for text in (tab.empty if not tab.rows else "", tab.says, *tab.notes):
        if text:
            lines += [*wrap(one_line(text), columns), ""]
    return lines[:-1]


def whole_row(listing: Listing, columns: int) -> list[str]:
    """Return every column of the row under the cursor, one below the other."""
    widest = max((len(column.head) for column in listing.columns), default=0)
    lines = []
    for column in listing.columns:
        lines += wrap(
            cell_text(listing.row, column) or "-", columns, initial_indent=f"{column.head:<{widest}}  ",
            subsequent_indent=" " * (widest + 2),
        )  # fmt: skip
    return lines


def middle_rows(lines: Sequence[str], rows: int, columns: int, charset: Charset) -> list[Row]:
    """Return rows with ``lines`` in the middle, in place of a table and a chart."""
    wrapped = [part for line in lines for part in wrap(one_line(line), columns - 4) or [""]][:rows]
    above = [()] * ((rows - len(wrapped)) // 2)
    middle = [
        ((f"{'':<{(columns - len(line)) // 2}}{line}", Tone.PLAIN if at else Tone.STRONG),)
        for at, line in enumerate(wrapped)
    ]
    below = [()] * (rows - len(above) - len(wrapped))
    return [shown_row(row, columns, charset) for row in (*above, *middle, *below)]


def hint_row(
    tab: Tab | None, listing: Listing, told: Told | None, back: bool, actions: Sequence[Action], columns: int,
    charset: Charset,
) -> Row:  # fmt: skip
    """Return the last row: the keys that are useful now, and at its end the two that always are."""
    ends = [("{back}", "home")] if back else [("{command}q", "quit")]
    right = key_pieces([*ends, ("{help}", "all keys")], columns, charset, actions)
    hints: list[Hint] = [("{tab_next}", "next tab")]
    if tab is not None:
        if told is not None and told.is_cut:
            hints.append(("{open_words}", "all notes"))
        # What falls off a narrow screen is least often needed.
        useful = [
            (len(tab.rounds) > 1, "{round_previous} {round_next}", "round"),
            (len(tab.datasets) > 1, "{dataset_next}", "dataset"),
            (bool(tab.rows) and tab.name in WITH_REDSHIFT_CONDITION, "{redshift_condition}", "Δv limit"),
            (bool(tab.rows) and len(tab.thresholds) > 1, "{threshold_next}", "threshold"),
            (bool(tab.rows) and len(tab.bys) > 1, "{by_next}", "by"),
            (bool(tab.rows) and (tab.chart is not None or bool(tab.spectra)), "{fill}", "bigger"),
            (len(listing.rows) > 1, "{row_next} {row_previous}", "row"),
            (len(listing.rows) > 1, "{sort_next}", "sort"),
            (len(listing.rows) > 1, "{filter}", "filter"),
            (len(listing) > 0, "{open_row}", "this row"),
        ]
        hints += [(keys, words) for is_useful, keys, words in useful if is_useful]
    hints.append(("{read_again}", "again"))
    return shown_ends(key_pieces(hints, columns - width(right) - 1, charset, actions), right, columns, charset)


def trouble_lines(name: str, trouble: str, asked: Asked, actions: Sequence[Action]) -> list[str]:
    """Return what stands in place of a tab that could not be computed: why, and the way out."""
    ways = []
    if asked.round is not None:
        ways.append("{round_next} the tab's own round")
    if asked.dataset:
        ways.append("{dataset_next} the tab's own dataset")
    ways.append("{read_again} tries again")
    return [f"{name}: {trouble}", worded(", ".join(ways), actions)]


def _wrapped(text: str, columns: int, most: int) -> tuple[list[str], bool]:
    """Wrap ``text`` into at most ``most`` lines; what is cut ends in an ellipsis."""
    lines = wrap(one_line(text), columns)
    if len(lines) <= most:
        return lines, False
    last = lines[most - 1]
    room = columns - 2
    return [*lines[: most - 1], f"{last[:room].rsplit(' ', 1)[0] if len(last) > room else last} …"], True
