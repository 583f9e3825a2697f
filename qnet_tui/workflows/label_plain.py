"""``qnet label --plain``: the same queue and the same rules, line by line, for screen readers, pipes and scripts.

Each spectrum is written as facts, a list of its peaks and a small plot; a line answers it. Nothing is printed here:
the lines go to the stream that the caller gives.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import numpy as np

from qnet_tui.errors import QnetError
from qnet_tui.inspection.answer import QUALITY_WORDS, Refused, parse_z, z_text
from qnet_tui.inspection.item import ItemState, MaskedWarning
from qnet_tui.inspection.pace import ActiveTime
from qnet_tui.inspection.typed_line import answered, parse_answer
from qnet_tui.plotting.canvas import Charset, charset_named
from qnet_tui.plotting.ranges import data_range
from qnet_tui.plotting.spectrum_text import spectrum_text
from qnet_tui.spectral_lines.identification import candidates
from qnet_tui.spectral_lines.line_list import sky_lines
from qnet_tui.workflows.label import Item, LabelOptions, LabelSession
from qnet_tui.workflows.line_marks import line_marks
from storage.errors import StorageError

HELP = """\
  CLASS [Z] [QUALITY] [ISSUES] [COMMENT]   answer and go on, for example: q 2.31 4 weak C III]
      CLASS s, g, q, or a (the pipeline's class and z, unless you are blind to it); Z a number, - for none
      QUALITY {qualities}
      ISSUES letters of RCS run together
  (empty line)   save what was said so far
  z Z            markers and lines at a trial redshift
  lines          the lines in the data at that redshift
  plot [LO HI]   the plot again, of LO to HI Angstrom
  smooth PX      smooth the plot with a Gaussian of PX pixels
  n, b           next spectrum, the one before; nothing is saved but a draft
  defer          to the end of my queue
  u              reopen my last answer
  :q             quit (so does the end of the input)"""

_ROWS, _COLUMNS = 16, 79


class PlainDialogue:
    """One inspector at the queue, by lines."""

    def __init__(self, session: LabelSession, out: TextIO, charset: Charset, clock: Callable[[], float]) -> None:
        """Write to ``out``; ``clock`` gives seconds that only go forward."""
        self._session, self._out, self._charset, self._clock = session, out, charset, clock
        self._item: Item | None = None
        self._state = ItemState()
        self._smoothing = 3.0
        self._active = ActiveTime()
        self.refused = 0

    def begin(self) -> None:
        """Show the first spectrum."""
        self._show(self._session.start())

    @property
    def done(self) -> bool:
        """Whether the queue is empty."""
        return self._item is None

    def take(self, line: str) -> bool:
        """Do what ``line`` says; False when it says to quit. What cannot be done is said and changes nothing."""
        self._active = self._active.touched(self._clock())
        try:
            return self._do(line.strip())
        except MaskedWarning as warning:
            self._state = warning.state
            self._say(
                f"not saved yet: {warning}".replace("Enter again commits, S marks it bad", "an empty line saves it")
            )
        except (Refused, QnetError, StorageError) as error:
            self.refused += 1
            self._say(f"refused: {' '.join(str(error).split())}")
        return True

    def keep_draft(self) -> None:
        """Keep what was said of the current spectrum."""
        if self._item is not None and not self._state.answer.is_empty():
            body = {"item": self._state.to_json(), "active_seconds": round(self._active.seconds, 1)}
            self._session.keep_draft(body)

    def _do(self, line: str) -> bool:
        word, _, rest = line.partition(" ")
        if line in (":q", "quit", "exit"):
            return False
        if word in ("?", "help"):
            qualities = ", ".join(f"{quality} {words}" for quality, words in enumerate(QUALITY_WORDS))
            self._say(HELP.format(qualities=qualities))
        elif line == "u":
            self.keep_draft()
            self._show(self._session.undo())
        elif self._item is None:
            raise Refused("nothing is left in your queue: u reopens your last answer, :q quits")
        elif line == "n":
            self.keep_draft()
            self._show(self._session.next())
        elif line == "b":
            self.keep_draft()
            self._show(self._session.previous())
        elif line == "defer":
            self.keep_draft()
            self._show(self._session.defer())
        elif self._item.problem:
            raise Refused("there is no spectrum to judge: defer puts it at the end of the queue")
        elif word in ("z", "lines", "plot", "smooth"):
            self._look(self._item, word, rest)
        else:
            self._commit(self._item, line)
        return True

    def _commit(self, item: Item, line: str) -> None:
        if line:
            self._state = answered(self._state, parse_answer(line))
        saved = self._session.commit(self._state, self._active.seconds)
        answer = self._state.answer
        z = f" z {z_text(answer.z)}" if answer.z is not None else ""
        issues = f" issues {answer.issues}" if answer.issues else ""
        self._say(f"saved {item.title} {answer.spectype}{z} quality {answer.quality}{issues} at {saved.at:%H:%M:%S}")
        self._show(self._session.next())

    def _look(self, item: Item, word: str, rest: str) -> None:
        if word == "smooth":
            self._smoothing = _numbers(rest, 1)[0]
        elif word == "z":
            self._state = self._state.with_z_typed(str(parse_z(rest)))
        if word == "lines":
            self._say_lines(item)
        else:
            edges = _numbers(rest, 2) if word == "plot" and rest else None
            self._say_plot(item, (edges[0], edges[1]) if edges else None)

    def _show(self, item: Item | None) -> None:
        self._item = item
        if item is None:
            self._say("nothing is left in your queue")
            return
        self._state = ItemState.start(item.facts, item.strongest)
        if item.draft is not None and isinstance(item.draft.get("item"), dict):
            self._state = self._state.restored(item.draft["item"])
        self._active = ActiveTime(item.active_seconds, self._clock())
        self._say(f"\nround {item.round}, {item.rank} of {item.total}: {item.title}")
        if item.problem:
            self._say(item.problem)
            return
        self._say_facts(item)
        self._say_plot(item, None)

    def _say_facts(self, item: Item) -> None:
        facts = [item.arms_words, f"{100 * item.frac_masked:.0f} % masked", f"S/N {item.snr:.1f}"]
        facts += [f"r {item.magnitude:.1f}"] if item.magnitude is not None else []
        facts += [f"why: {item.why}"] if item.why else []
        if item.pipeline_class:
            facts.append(f"{item.pipeline_name}: {item.pipeline_class} {z_text(item.pipeline_z)}")
        self._say(", ".join(facts))
        for feature in item.features:
            could = ", ".join(f"{line.plain} z {z:.4f}" for line, z in candidates(feature.wavelength)[:4])
            self._say(f"  peak at {feature.wavelength:.0f} A, {feature.significance:.0f} sigma: {could}")
        answer = self._state.answer
        if item.draft is not None:
            self._say(f"draft: {answer.spectype or '-'} z {z_text(answer.z)} quality {answer.quality}")

    def _say_plot(self, item: Item, x_range: tuple[float, float] | None) -> None:
        full = data_range(item.wavelength, np.where(item.ivar > 0, item.flux, np.nan))
        low, high = x_range or full
        if not low < high:
            raise Refused("the plot runs from a smaller to a greater wavelength")
        rows = spectrum_text(
            item.wavelength,
            item.flux,
            item.ivar,
            width=_COLUMNS,
            height=_ROWS,
            sigma=self._smoothing,
            markers=line_marks(self._state.answer.z, low, high, plain=self._charset == "ascii"),
            sky=[line.rest for line in sky_lines()],
            charset=self._charset,
            x_range=(low, high),
        )
        self._say("\n".join(rows))

    def _say_lines(self, item: Item) -> None:
        z = self._state.answer.z
        if z is None:
            raise Refused("the lines need a redshift: z 2.31")
        low, high = data_range(item.wavelength, np.where(item.ivar > 0, item.flux, np.nan))
        for mark in line_marks(z, low, high, plain=True):
            self._say(f"  {mark.name} at {mark.wavelength:.0f} A, {mark.kind}")

    def _say(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


def run_plain(
    root: Path,
    options: LabelOptions,
    source: TextIO | None = None,
    out: TextIO | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Answer the queue of the workspace at ``root`` with the lines of ``source`` (standard input), written to ``out``.

    Returns the exit code: 1 when a line of a script was refused (a person at a terminal has seen it), else 0.
    Plots are in ASCII unless another charset was asked for. BadInput and storage's errors as for the screen.
    """
    source, out = source or sys.stdin, out or sys.stdout
    charset = charset_named(options.charset or "ascii")
    session = LabelSession.open(root, options)
    try:
        dialogue = PlainDialogue(session, out, charset, clock)
        dialogue.begin()
        for line in source:
            if not dialogue.take(line):
                break
            if dialogue.done and not source.isatty():
                break
        dialogue.keep_draft()
    finally:
        session.close()
    return 1 if dialogue.refused and not source.isatty() else 0


def _numbers(text: str, count: int) -> list[float]:
    try:
        found = [float(word) for word in text.split()]
    except ValueError:
        found = []
    if len(found) != count:
        raise Refused(f"{text!r}: {count} number{'s' if count > 1 else ''} expected")
    return found
