"""The words of ``qnet runs``: a run in full, runs side by side, and one line of a run at work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from qnet_tui.cli.output import number, table
from qnet_tui.inspection.pace import duration_words

if TYPE_CHECKING:
    from qnet_tui.workflows.run_detail import RunDetail
    from qnet_tui.workflows.run_watch import RunSnapshot
    from qnet_tui.workflows.runs import RunLine
    from qnet_tui.workflows.runs_compare import RunsCompared

_FEW_METRICS = 12
_LONG = 60  # Characters of a value in a table of values.

# What goes first where a terminal is too narrow for all columns: 0 never goes.
_COLUMNS: tuple[tuple[str, int], ...] = (
    ("run", 0), ("state", 0), ("verb", 1), ("started", 4), ("took", 2), ("round", 3), ("networks", 5),
    ("seed", 7), ("truth", 8), ("figure", 2), ("note", 6),
)  # fmt: skip


def list_lines(runs: Sequence[RunLine], columns: int | None) -> list[str]:
    """The list as a table; where it is wider than ``columns`` the columns that matter least are left out.

    None: whatever width it takes. The id always stays, and whole.
    """
    cells = [
        {
            "run": one.run,
            "state": one.state + (" (removed)" if one.removed else ""),
            "verb": one.verb,
            "started": one.started[:16].replace("T", " "),
            "took": duration_words(one.seconds) if one.seconds is not None else "-",
            "round": one.round,
            "networks": f"{one.networks_done}/{one.networks}" if one.networks else "",
            "seed": one.seed,
            "truth": one.truth,
            "figure": f"{one.headline_of} {number(one.headline)}" if one.headline is not None else "",
            "note": one.note,
        }
        for one in runs
    ]
    names = [name for name, _ in _COLUMNS]
    while True:
        lines = table(names, [[row[name] for name in names] for row in cells])
        droppable = [(need, name) for name, need in _COLUMNS if need and name in names]
        if columns is None or not droppable or max(map(len, lines)) <= columns:
            return lines
        names.remove(max(droppable)[1])


def detail_lines(detail: RunDetail) -> Iterator[str]:
    """All of one run, a value a line."""
    line = detail.line
    yield f"{line.run}  {line.state}  {line.verb}" + (f"  round {line.round}" if line.round else "")
    facts = [
        ("started", f"{line.started[:19]}Z  on {detail.host}, process {detail.pid}"
         + (f", job {detail.job}" if detail.job else "")),
        ("ended", f"{line.finished[:19]}Z" if line.finished and line.state != "RUNNING" else ""),
        ("took", duration_words(line.seconds) if line.seconds is not None else ""),
        ("heard of", f"{duration_words(detail.heartbeat_age)} ago" if line.state in ("RUNNING", "LOST") else ""),
        ("seed", "" if line.seed is None else str(line.seed)),
        (line.headline_of, number(line.headline) if line.headline is not None else ""),
        ("command", detail.command),
        ("again", detail.again),
        ("resume", detail.resume),
        ("truth", detail.truth_hash),
        ("log", detail.log),
        ("note", line.note),
    ]  # fmt: skip
    yield from (f"  {name:<14}{value}" for name, value in facts if value)
    yield "settings" + ("  (* not the preset's)" if detail.changed else "")
    for name, value in detail.settings.items():
        yield f"{'*' if name in detail.changed else ' ':>2}{name:<24}{_said(value)}"
    if detail.inputs:
        yield "inputs"
        yield from (f"  {one.what:<14}{one.name}  {one.hash}".rstrip() for one in detail.inputs)
    yield "versions"
    yield from (f"  {name:<24}{_said(value)}" for name, value in detail.versions.items())
    if detail.stage_seconds:
        yield "stages"
        yield from (f"  {name:<24}{number(seconds, 1)} s" for name, seconds in detail.stage_seconds.items())
    result = {name: value for name, value in detail.result.items() if name != "stage_seconds"}
    if result:
        yield "result"
        yield from (f"  {name:<24}{_said(value)}" for name, value in result.items())
    if detail.metrics:
        last = {f"{m['dataset']} {m['name']}": m for m in detail.metrics}
        yield f"measured  ({len(detail.metrics):,} values, the last of each; all of them: --json)"
        for name, m in list(last.items())[:_FEW_METRICS]:
            at = "" if m["epoch"] is None else f"  epoch {m['epoch']}"
            yield f"  {name:<24}{number(m['value'], 4)}{at}" + (f"  of {m['n']:,}" if m["n"] else "")
        if len(last) > _FEW_METRICS:
            yield f"  and {len(last) - _FEW_METRICS} more"
    if detail.failed_tasks:
        yield f"failed tasks  ({detail.failed_tasks:,})"
        yield from (f"  {one.task}: {one.error}" for one in detail.failures)
    if detail.artefacts:
        yield "files"
        rows = [(one.path, f"{one.files:,}", _size(one.bytes)) for one in detail.artefacts]
        yield from (f"  {text}" for text in table(("path", "files", "size"), rows))


def compared_lines(found: RunsCompared, everything: bool) -> Iterator[str]:
    """Runs side by side; ``+`` stands before the better value."""
    rows = []
    for row in found.rows:
        cells = [f"{'+' if better else ' '}{_short(v)}" for v, better in zip(row.values, row.better, strict=True)]
        rows.append((row.group, row.name, *cells))
    if rows:
        yield from table(("", "", *(f" {run}" for run in found.runs)), rows)
    if found.why:
        yield found.why + ("" if found.comparable else "; figures are compared with --force only")
    if not everything:
        yield f"{found.same} values are the same in all of them (--all shows them); + is the better one"


def watch_line(now: RunSnapshot) -> str:
    """A run at work in one line: what is done, how fast, what is left."""
    words = [now.run, now.state]
    stage = next((one.name for one in now.stages if one.state in ("now", "stopped")), "")
    if now.state != "DONE":
        words += [stage] if stage else []
        if now.step:
            share = f"{now.done:,}/{now.total:,}" if now.total else f"{now.done:,}" if now.done else ""
            words.append(f"{now.step} {share}".rstrip())
        if now.rate and now.state == "RUNNING":
            words.append(f"{now.rate:,.0f}/s" if now.rate >= 10 else f"{now.rate:.2g}/s")
        if now.seconds_left is not None:
            words.append(f"{duration_words(now.seconds_left)} left")
    if now.headline:
        words.append(f"{now.headline[0]} {now.headline[1]:.3f}")
    if now.failures:
        words.append(f"{now.failures} failed")
    if now.state in ("RUNNING", "LOST"):
        words.append(f"heard of {duration_words(now.heartbeat_age)} ago")
    if now.error:
        words.append(now.error)
    if now.resume:
        words.append(f"go on with: {now.resume}")
    return "  ".join(words)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{name} {_said(one)}" for name, one in value.items()) or "-"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"{len(value):,} entries (--json)"
    if isinstance(value, list):
        return " ".join(_said(one) for one in value) or "-"
    return f"{value:g}" if isinstance(value, float) and value == value else number(value)


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else _said(value)
    return text if len(text) <= _LONG else f"{text[: _LONG - 3]}..."


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
