"""One place that prints results, draws progress and turns errors into exit codes.

stdout is output, stderr is diagnostics. With ``--json`` stdout is exactly one JSON document. Exit codes: 0 done,
1 failed or found something wrong, 2 bad usage or bad input.
"""

import codecs
import dataclasses
import io
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

WorkspaceOption = typer.Option(
    None,
    "--workspace",
    "-w",
    metavar="DIR",
    help="Workspace; else the nearest one from here upward, else $QNET_WORKSPACE.",
)
JsonOption = typer.Option(False, "--json", help="One JSON document on stdout, nothing else.")
JobsOption = typer.Option(None, "--jobs", "-j", min=1, help="Worker processes [default: the cores given to us].")


_INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def available_cores() -> int:
    """Cores this process may use (the allocation, not the machine)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def plain(value: Any) -> Any:
    """``value`` as JSON can hold it: dataclasses to objects, NaN to null, paths to text, arrays to lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


_PLAIN = {"–": "-", "—": "-", "±": "+-", "×": "x", "σ": "sigma", "Δ": "d", "≥": ">=", "≤": "<=", "→": "->", "…": "..."}


def _in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


def any_letters() -> None:
    """Let stdout take letters that its encoding lacks (a terminal of 1990, PYTHONIOENCODING=ascii) as plain ones."""
    codecs.register_error("plain-letters", _in_plain_letters)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors="plain-letters")


def emit(result: Any, as_json: bool, lines: Iterable[str]) -> None:
    """Print ``result`` as JSON, or the ``lines`` a person reads."""
    if as_json:
        sys.stdout.write(json.dumps(plain(result), indent=1) + "\n")
    else:
        for line in lines:
            sys.stdout.write(line + "\n")
    sys.stdout.flush()


def number(value: Any, digits: int = 3) -> str:
    """A figure for a table: integers in full, floats to ``digits``, what is unknown as a dash."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    return str(value)


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], digits: int = 3) -> list[str]:
    """Text lines of a table: numbers to the right, text to the left, two blanks between columns."""
    cells = [[number(v, digits) for v in row] for row in rows]
    widths = [max([len(h), *(len(r[i]) for r in cells)]) for i, h in enumerate(header)]

    def is_figure(text: str) -> bool:
        return text in {"-", ""} or text.replace(".", "").replace("-", "").replace("%", "").isdigit()

    right = [all(is_figure(r[i]) for r in cells) and bool(cells) for i in range(len(header))]
    return [
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)).rstrip()
        for row in [list(header), *cells]
    ]


def tell(text: str) -> None:
    """One line of diagnostics on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress callback ``(stage, done, total)`` drawn on stderr.

    On a terminal one line is rewritten; elsewhere a line is printed when a stage begins or ends and at most every
    30 s between, so that a batch log stays readable.
    """
    terminal = sys.stderr.isatty()
    state: dict[str, Any] = {"stage": "", "began": 0.0, "last": 0.0, "open": False}

    def show(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != state["stage"]:
            if state["open"]:
                sys.stderr.write("\n")
            state.update(stage=stage, began=now, last=0.0, open=False)
        finished = total > 0 and done >= total
        wait = 0.1 if terminal else 30.0
        if not finished and now - state["last"] < wait:
            return
        state["last"] = now
        spent = now - state["began"]
        left = f"  {_duration(spent / done * (total - done))} left" if 0 < done < total and spent > 1 else ""
        rate = f"  {_rate(done / spent)}/s" if done and spent > 1 else ""
        share = f"{done:,}/{total:,}" if total else f"{done:,}" if done else ""
        text = f"{stage}  {share}{rate}{left}".rstrip()
        if terminal:
            sys.stderr.write(f"\r\x1b[2K{text[:100]}")
            state["open"] = True
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    yield show
    if state["open"]:
        sys.stderr.write("\n")
        sys.stderr.flush()


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.2g}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn what went wrong into one line on stderr and the exit code; nothing a user can cause is a traceback."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as end:
        # Typer makes the one into the other, and says nothing.
        if isinstance(end, SystemExit) and end.code != _INTERRUPTED:
            raise
        tell("qnet: interrupted; what was finished is kept")
        raise SystemExit(_INTERRUPTED) from None
    except BrokenPipeError:
        # The reader of our output went away (``qnet … | head``): silence, and no second error at shutdown.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except Exception as error:
        code = getattr(error, "exit_code", None)
        # Click's own errors (usage, exit) carry an exit code too, and know how to show themselves.
        if code is None and isinstance(error, OSError):
            code = 1
        if not isinstance(code, int) or type(error).__module__.startswith(("click", "typer")):
            raise
        tell(f"qnet: {' '.join(str(error).split())}")
        raise SystemExit(code) from None
