"""The words of the watch screen: how a run stands, in rows."""

from __future__ import annotations

from collections.abc import Sequence

from qnet_tui.inspection.keys import Action
from qnet_tui.inspection.pace import duration_words
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.hints import key_pieces, shown_ends, shown_row
from qnet_tui.tui.row_pieces import rule
from qnet_tui.tui.tones import Piece, Row, Tone, width
from qnet_tui.workflows.home import HomeRun
from qnet_tui.workflows.run_watch import RunMark, RunSnapshot

_STATE_TONES = {"RUNNING": Tone.GOOD, "LOST": Tone.WARN, "FAILED": Tone.WARN, "STOPPED": Tone.MISSING}
_STAGE_WORDS = {"done": "done", "now": "now", "stopped": "not ended", "": "to come"}
_HINTS = [("{run_next} {run_previous}", "mark"), ("{open_run}", "watch it"), ("{stop}", "stop")]


def bar(percent: float | None, cells: int, charset: Charset) -> tuple[Piece, ...]:
    """Return a bar of ``cells`` that is ``percent`` full, with a blank before it; nothing where that is not known."""
    if percent is None:
        return ()
    full = round(cells * min(max(percent, 0.0), 100.0) / 100)
    on, off = ("#", ".") if charset == "ascii" else ("█", "░")
    return ((f"  {on * full}", Tone.PLAIN), (off * (cells - full), Tone.DIM))


def run_line(run: HomeRun) -> tuple[Piece, ...]:
    """Return one run of the home screen: what it does, how far it is, what is left."""
    pieces: list[Piece] = [(run.run, Tone.STRONG), (f"  {run.state}", state_tone(run.state))]
    if run.state != "RUNNING":
        words = f"  {run.stage}" if run.stage else ""
        return (*pieces, (f"{words}  go on with: {run.resume}" if run.resume else words, Tone.PLAIN))
    words = f"  {run.step or run.stage or run.verb}"
    if run.total:
        words += f" {run.done:,}/{run.total:,}"
    if run.percent is not None:
        words += f"  {run.percent:.0f} %"
    if run.seconds_left is not None:
        words += f"  {duration_words(run.seconds_left)} left"
    return (*pieces, (words, Tone.PLAIN))


def state_tone(state: str) -> Tone:
    """Return the tone of a run's state; its name is always written out as well."""
    return _STATE_TONES.get(state, Tone.PLAIN)


def header_rows(now: RunSnapshot, columns: int, charset: Charset) -> list[Row]:
    """Return two rows: which run it is and how it stands; the step at work, or how to go on."""
    left: list[Piece] = [(f" {now.run}", Tone.STRONG), (f"  {now.verb}", Tone.PLAIN)]
    if now.round:
        left.append((f"  round {now.round}", Tone.PLAIN))
    left.append((f"  {now.state}", state_tone(now.state)))
    right: Piece = (f"{duration_words(now.seconds)} ", Tone.DIM)
    if now.state in ("RUNNING", "LOST"):
        right = (f"heard of {duration_words(now.heartbeat_age)} ago   {duration_words(now.seconds)} ", Tone.DIM)
    return [shown_ends(left, [right], columns, charset), _second_row(now, columns, charset)]


def _second_row(now: RunSnapshot, columns: int, charset: Charset) -> Row:
    if now.state != "RUNNING":
        return shown_row([_ended(now)], columns, charset)
    words = f" {now.step or 'beginning'}"
    if now.total:
        words += f"  {now.done:,}/{now.total:,}"
    pieces: list[Piece] = [(words, Tone.PLAIN), *bar(now.percent, 12, charset)]
    if now.percent is not None:
        pieces.append((f" {now.percent:.0f} %", Tone.PLAIN))
    if now.rate:
        pieces.append((f"   {rate_words(now.rate)}", Tone.DIM))
    if now.seconds_left is not None:
        pieces.append((f"   {duration_words(now.seconds_left)} left", Tone.STRONG))
    return shown_row(pieces, columns, charset)


def _ended(now: RunSnapshot) -> Piece:
    if now.state == "DONE":
        return (f" done in {duration_words(now.seconds)}", Tone.GOOD)
    what = {"LOST": "its process is gone", "STOPPED": "was stopped", "FAILED": now.error or "failed"}
    go_on = f"; go on with: {now.resume}" if now.resume else ""
    return (f" {what.get(now.state, now.state)}{go_on}", Tone.WARN)


def rate_words(rate: float) -> str:
    """Write a rate for people: "1,240/s", "2.5/s", "12 a minute"."""
    if rate >= 10:
        return f"{rate:,.0f}/s"
    return f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.3g} a minute"


def fact_rows(
    now: RunSnapshot, marks: Sequence[RunMark], marked: int, columns: int, rows: int, charset: Charset
) -> list[Row]:
    """Return the pane of words: stages with their times, facts, and below them the runs, one of them marked."""
    pieces: list[Sequence[Piece]] = []
    for stage in now.stages:
        took = "" if stage.seconds is None else duration_words(stage.seconds)
        tone = {"now": Tone.STRONG, "stopped": Tone.WARN, "": Tone.DIM}.get(stage.state, Tone.PLAIN)
        mark = "▸" if stage.state in ("now", "stopped") else " "
        pieces.append([(f"{mark}{stage.name:<9}{_STAGE_WORDS[stage.state]:<10}{took:>9}", tone)])
    pieces.append([("", Tone.PLAIN)])
    facts: list[tuple[str, str, Tone]] = []
    if now.networks:
        facts.append(("networks", f"{now.networks_done}/{now.networks}", Tone.PLAIN))
    if now.workers:
        facts.append(("workers", f"at most {now.workers}", Tone.PLAIN))
    failed = f"{now.failures:,} {'task' if now.failures == 1 else 'tasks'}" if now.failures else "none"
    facts.append(("failed", failed, Tone.WARN if now.failures else Tone.DIM))
    if now.last_failure:
        facts.append(("", now.last_failure, Tone.WARN))
    if now.headline:
        name, value = now.headline
        facts.append(("compl." if name == "completeness" else name[:8], f"{value:.3f}", Tone.PLAIN))
    facts.append(("host", f"job {now.job}" if now.job else f"{now.host}, {now.pid}", Tone.DIM))
    if now.note:
        facts.append(("note", now.note, Tone.PLAIN))
    pieces += [[(f" {name:<9}", Tone.DIM), (words, tone)] for name, words, tone in facts]
    room = rows - len(pieces) - 1
    shown = [shown_row(one, columns, charset) for one in pieces[:rows]]
    if room >= 2 and marks:
        shown.append(rule("runs", columns, charset))
        first = min(max(marked - room // 2, 0), max(len(marks) - room, 0))
        for place, one in enumerate(marks[first : first + room], start=first):
            shown.append(shown_row(_mark_pieces(one, now.run, place == marked), columns, charset))
    shown += [shown_row([("", Tone.PLAIN)], columns, charset)] * (rows - len(shown))
    return shown[:rows]


def watch_hint(columns: int, charset: Charset, actions: Sequence[Action], *, has_home: bool) -> Row:
    """Return the row of keys."""
    ends = [("{back}", "home")] if has_home else []
    right = key_pieces([*ends, ("{help}", "all keys"), ("{quit}", "leave")], columns, charset, actions)
    return shown_ends(key_pieces(_HINTS, columns - width(right) - 1, charset, actions), right, columns, charset)


def _mark_pieces(one: RunMark, watched: str, is_marked: bool) -> list[Piece]:
    mark = "▸" if is_marked else " "
    text = f"{mark}{one.run:<9}{one.verb:<9}"
    chosen = Tone.STRONG if one.run == watched else Tone.PLAIN
    return [(text, chosen), (one.state, state_tone(one.state)), (" *" if one.run == watched else "", Tone.DIM)]
