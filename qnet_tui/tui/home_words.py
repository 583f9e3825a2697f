"""The words of the home screen: what stands in each row at each size of the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qnet_tui.inspection.keys import Action
from qnet_tui.inspection.pace import duration_words
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.hints import key_pieces, message_row, shown_ends, shown_row
from qnet_tui.tui.tones import Piece, Row, Tone, width
from qnet_tui.tui.watch_words import bar, run_line
from qnet_tui.workflows.home import Home, HomeRound

WIDE = 110
"""From so many columns on the table of rounds has intervals."""

_HINTS = [
    ("{next_step}", "next"),
    ("{label}", "label"),
    ("{merge}", "merge"),
    ("{review}", "review"),
    ("{watch}", "watch"),
]
_BLANK: Sequence[Piece] = (("", Tone.PLAIN),)


def home_page(
    home: Home | None,
    columns: int,
    rows: int,
    charset: Charset,
    actions: Sequence[Action],
    *,
    message: Piece | None = None,
    trouble: str = "",
) -> tuple[list[Row], Row]:
    """Return the page (``rows`` - 1 rows of ``columns``) and the row of keys below it."""
    right = key_pieces([("{help}", "all keys"), ("{quit}", "quit")], columns, charset, actions)
    hint = shown_ends(key_pieces(_HINTS, columns - width(right) - 1, charset, actions), right, columns, charset)
    room = max(rows - 1, 1)
    if home is None:
        body = [[(f" {trouble or 'reading the workspace ...'}", Tone.WARN if trouble else Tone.DIM)]]
        page = [shown_row(one, columns, charset) for one in body]
    else:
        foot = _foot(home, columns, charset, actions)
        # The table gives way: of many rounds the first ones are told in one row.
        table = _table(home.rounds, columns, max(room - len(foot) - 3, 3))
        page = [_head(home, columns, charset)]
        page += [shown_row(one, columns, charset) for one in (*table, _BLANK)]
        page += foot
    words = (message[0], message[1]) if message else (trouble, Tone.WARN) if home is not None and trouble else None
    page = page[: room - 1] if words else page[:room]
    page += [shown_row(_BLANK, columns, charset)] * (room - len(page) - (1 if words else 0))
    if words:
        page.append(message_row(words, columns, charset))
    return page, hint


def large(count: int) -> str:
    """Write a count: in full below a million, then as "3.63 M"."""
    return f"{count:,}" if count < 1_000_000 else f"{count / 1e6:.2f} M"


def _head(home: Home, columns: int, charset: Charset) -> Row:
    here = home.standing
    left: list[Piece] = [(" qnet  ", Tone.DIM), (home.name, Tone.STRONG)]
    who = home.inspector or "nobody yet"
    right: list[Piece] = [
        (f"{large(here.rows)} spectra   {large(here.objects)} objects   ", Tone.PLAIN),
        (f"{who} ", Tone.STRONG if home.inspector else Tone.DIM),
    ]
    return shown_ends(left, right, columns, charset)


def _table(rounds: Sequence[HomeRound], columns: int, room: int) -> list[Sequence[Piece]]:
    """The rounds, newest first; where they are too many one row stands for those in the middle."""
    wide = columns >= WIDE
    head = f" {'round':>5}  {'state':<10} {'networks':>9}  {'asked':>6}  {'voted':>6}  {'merged':>6}  {'truth':>7}"
    head += f"  {'compl.':>6}{'  95 %         ' if wide else ''}  {'purity':>6}{'  95 %         ' if wide else ''}"
    lines: list[Sequence[Piece]] = [((head, Tone.DIM),)]
    shown = list(rounds)
    hidden = max(0, len(shown) - (room - 1))
    if hidden:
        shown = [*shown[: max(room - 3, 1)], *shown[-1:]]
        hidden = len(rounds) - len(shown)
    for place, one in enumerate(shown):
        if hidden and place == len(shown) - 1:
            lines.append(((f"        and {hidden} earlier rounds (qnet review rounds)", Tone.DIM),))
        networks = f"{one.networks_done}/{one.networks}" if one.networks else "-"
        voted = "-" if one.voted is None else f"{100 * one.voted:.0f} %"
        asked, merged = (f"{one.asked}", f"{one.merged}") if one.asked else ("-", "-")
        text = f" {one.round:>5}  {one.state:<10} {networks:>9}  {asked:>6}  {voted:>6}  {merged:>6}"
        text += f"  {one.truth or '-':>7}  {_share(one.completeness, one.completeness_interval, wide)}"
        text += f"  {_share(one.purity, one.purity_interval, wide)}"
        bad = one.state in ("lost", "failed")
        lines.append(((text, Tone.WARN if bad else Tone.PLAIN if one.state != "merged" else Tone.DIM),))
    return lines


def _foot(home: Home, columns: int, charset: Charset, actions: Sequence[Action]) -> list[Row]:
    step = home.next
    key = key_pieces([("{next_step}", step.place or "how")], columns, charset, actions)
    rows = [
        shown_ends([(" next   ", Tone.DIM), (step.why, Tone.STRONG)], key, columns, charset),
        shown_row([("        ", Tone.DIM), (step.command, Tone.PLAIN)], columns, charset),
        shown_row(_BLANK, columns, charset),
    ]
    here, queue, merging = home.standing, home.queue, home.merging
    truth = f"{large(here.train)} objects to learn from, {large(here.validation)} held out"
    rows.append(shown_row([(" truth  ", Tone.DIM), (truth, Tone.PLAIN)], columns, charset))
    words = f"{queue.left:,} for {home.inspector or 'you'}"
    if queue.held:
        words += f" ({queue.held} with others now)"
    if queue.left and queue.seconds is not None and queue.seconds_left is not None:
        words += f", {duration_words(queue.seconds_left)} at {queue.seconds:.0f} s each"
    if queue.mine:
        words += f"; {queue.mine:,} answered"
    pieces: list[Piece] = [(" queue  ", Tone.DIM), (words, Tone.PLAIN)]
    if home.votes_required > 1 and columns >= WIDE:
        pieces.append((f"   {home.votes_required} votes each", Tone.DIM))
    rows.append(shown_row(pieces, columns, charset))
    if merging.conflicts or merging.agreed or merging.lacking:
        words = f"{merging.conflicts:,} in conflict, {merging.agreed:,} agreed"
        words += f" ({merging.to_look:,} to be looked at)" if merging.to_look else ""
        words += f"; {merging.lacking:,} lack votes" if merging.lacking else ""
        tone = Tone.STRONG if merging.conflicts else Tone.PLAIN
        rows.append(shown_row([(" merge  ", Tone.DIM), (words, tone)], columns, charset))
    for place, run in enumerate(home.runs):
        lead: Piece = (" runs   " if place == 0 else "        ", Tone.DIM)
        made = bar(run.percent, 8, charset) if run.state == "RUNNING" else ()
        rows.append(shown_row([lead, *run_line(run), *made], columns, charset))
    return rows


def _share(value: float | None, interval: tuple[float, float] | None, wide: bool) -> str:
    """A share, and on a wide screen its interval."""
    text = f"{'-' if value is None or not math.isfinite(value) else f'{value:.3f}':>6}"
    if not wide:
        return text
    known = interval is not None and all(map(math.isfinite, interval))
    return f"{text}  {f'{interval[0]:.3f}-{interval[1]:.3f}' if interval and known else '':<13}"
