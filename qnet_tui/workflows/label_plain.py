"""``qnet label --plain``: the same queue and the same rules, line by line, for screen readers, pipes and scripts.

Each spectrum is written as facts, a list of its peaks and a small plot; a line answers it. Nothing is printed here:
the lines go to the stream that the caller gives.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from qnet_tui.errors import QnetError
from qnet_tui.inspection.answer import QUALITY_WORDS, Refused, parse_z, z_text
from qnet_tui.inspection.comments import STANDARD_COMMENTS
from qnet_tui.inspection.item import ItemState, MaskedWarning
from qnet_tui.inspection.keys import ACTIONS
from qnet_tui.inspection.pace import ActiveTime
from qnet_tui.inspection.typed_line import answered, parse_answer
from qnet_tui.plotting.canvas import Charset, charset_named
from qnet_tui.spectral_lines.identification import BY_LETTER, NAMEABLE, implied_redshift
from qnet_tui.spectral_lines.local_fit import LocalFit
from qnet_tui.workflows.label import Item, LabelOptions, LabelSession, Saved
from qnet_tui.workflows.label_item import fitted
from qnet_tui.workflows.plain_view import (
    Look,
    facts_lines,
    fit_lines,
    line_lines,
    offer_line,
    plot_lines,
    template_names,
)
from storage.errors import StorageError

HELP = """\
  CLASS [Z] [QUALITY] [ISSUES] [COMMENT]   answer and go on, for example: q 2.31 4 weak C III]
      CLASS s, g, q, or a (the pipeline's class and z, unless you are blind to it); Z a number, - for none
      QUALITY {qualities}
      ISSUES letters of RCS run together
  (empty line)     save what was said so far
  ; LETTER         add a standard comment: {comments}
  z Z              markers and lines at a trial redshift
  x LETTER [A]     call the peak at A Angstrom (the strongest one) a line: {lines}
  fit, yes         fit z near the trial redshift; take what was found
  fits [N]         the pipeline's fits; with N, the trial redshift is that of the Nth, and a takes it
  lines            the lines in the data at the trial redshift
  plot [LO HI]     the plot again, of LO to HI Angstrom; plot all for all of it
  smooth PX        smooth the plot with a Gaussian of PX pixels
  model [NAME]     a template drawn at the trial redshift, or no longer; models lists them
  arms             the arms apart, or joined
  *                star this one for discussion, or take the star back
  n, b             next spectrum, the one before; nothing is saved but a draft
  defer            to the end of my queue
  u, redo          reopen my last answer; save it again as it was
  /ID, :12         find an object by its id or how that ends; go to the 12th of the round
  :w, :q           keep the draft; quit (so does the end of the input)"""

_QUIT = (":q", "quit", "exit")

# What a refusal that names keys of the screen means here.
_COMMANDS = {
    "commit": "an empty line",
    "type_z": "z Z",
    "candidate_next": "x LETTER",
    "name_line": "x",
    "undo": "u",
    "comment": "a comment in the answer",
    "find": "/ID",
    "defer": "defer",
}
_WORDS = tuple(replace(action, keys=(_COMMANDS.get(action.name, action.keys[0]),)) for action in ACTIONS)


class PlainDialogue:
    """One inspector at the queue, by lines."""

    def __init__(self, session: LabelSession, out: TextIO, charset: Charset, clock: Callable[[], float]) -> None:
        """Write to ``out``; ``clock`` gives seconds that only go forward."""
        self._session, self._out, self._clock = session, out, clock
        self._item: Item | None = None
        self._state = ItemState()
        self._look = Look(charset)
        self._offer: LocalFit | None = None
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
        text = line.strip()
        if text in _QUIT:
            return False
        # An offer is taken by the very next line, or left.
        offer, self._offer = self._offer, None
        try:
            if text == "yes":
                self._take_offer(offer)
            else:
                self._do(text)
        except MaskedWarning as warning:
            self._state = warning.state
            share = 100 * warning.state.facts.frac_masked
            self._say(f"not saved yet: {share:.0f} % of the pixels are masked: an empty line saves it")
        except (Refused, QnetError, StorageError) as error:
            self.refused += 1
            text = error.said(_WORDS) if isinstance(error, Refused) else str(error)
            self._say(f"refused: {' '.join(text.split())}")
        return True

    def keep_draft(self) -> None:
        """Keep what was said of the current spectrum."""
        if self._item is not None and not self._state.answer.is_empty():
            body = {"item": self._state.to_json(), "active_seconds": round(self._active.seconds, 1)}
            self._session.keep_draft(body)

    def _do(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        moves = {"n": self._session.next, "b": self._session.previous, "defer": self._session.defer}
        if word in ("?", "help"):
            self._say(_help())
        elif line == "u":
            self._go(self._session.undo)
        elif line == "redo":
            self._redo()
        elif line.startswith("/"):
            self._go(lambda: self._session.find(line[1:]))
        elif line.startswith(":") and line[1:].isdecimal():
            self._go(lambda: self._session.go_to(int(line[1:])))
        elif self._item is None:
            raise Refused("nothing is left in your queue: u reopens your last answer, :q quits")
        elif line in moves:
            self._go(moves[line])
        elif line == "*":
            self._item = self._session.star()
            self._say("starred for discussion" if self._item.starred else "the star is taken back")
        elif line == ":w":
            self.keep_draft()
            self._say("the draft is kept")
        elif self._item.problem:
            raise Refused("there is no spectrum to judge: defer puts it at the end of the queue")
        else:
            self._do_on_spectrum(self._item, line, word, rest.strip())

    def _do_on_spectrum(self, item: Item, line: str, word: str, rest: str) -> None:
        if word == "lines":
            self._say(*line_lines(item, self._state))
        elif word == "models":
            self._say(", ".join(template_names(item)))
        elif word == "fit":
            self._offer = fitted(item, self._state)
            self._say(offer_line(self._offer, self._state.answer.z))
        elif word == "fits" and not rest:
            self._say(*fit_lines(item, self._state))
        elif word == ";":
            self._state = self._state.with_standard_comment(rest)
            self._say(f"comment: {self._state.answer.comment}")
        elif word in ("plot", "smooth", "model", "arms"):
            self._look_otherwise(item, word, rest)
        elif word in ("z", "x", "fits"):
            self._try_redshift(item, word, rest)
        else:
            self._commit(item, line)

    def _commit(self, item: Item, line: str) -> None:
        if line:
            self._state = answered(self._state, parse_answer(line))
        self._say_saved(item.title, self._session.commit(self._state, self._active.seconds))
        self._show(self._session.next())

    def _say_saved(self, title: str, saved: Saved) -> None:
        answer = self._state.answer
        z = f" z {z_text(answer.z)}" if answer.z is not None else ""
        issues = f" issues {answer.issues}" if answer.issues else ""
        count = f", vote {saved.votes} of {saved.required}" if saved.required > 1 else ""
        said = f"{answer.spectype}{z} quality {answer.quality}{issues}"
        self._say(f"saved {title} {said} at {saved.at:%H:%M:%S}{count}")
        if saved.revealed:
            self._say(f"  {saved.revealed}")

    def _redo(self) -> None:
        self.keep_draft()
        saved, title, item = self._session.redo()
        self._say(f"saved {title} again at {saved.at:%H:%M:%S}")
        if item is None or self._item is None or item.object_id != self._item.object_id:
            self._show(item)

    def _take_offer(self, offer: LocalFit | None) -> None:
        if offer is None:
            raise Refused("there is no fit to take: fit makes one")
        self._state = self._state.with_z_fitted(offer.z, offer.z_error)
        self._say(f"z {z_text(self._state.answer.z)} +- {offer.z_error:.4f}")

    def _look_otherwise(self, item: Item, word: str, rest: str) -> None:
        look = self._look
        if word == "smooth":
            look = replace(look, smoothing=_numbers(rest, 1)[0])
        elif word == "arms":
            look = replace(look, arms=not look.arms)
        elif word == "model":
            if rest and rest not in template_names(item):
                raise Refused(f"there is no model {rest}: models lists them")
            look = replace(look, model=bool(rest) or not look.model, template=rest)
        elif rest:
            edges = None if rest == "all" else _numbers(rest, 2)
            look = replace(look, x_range=(edges[0], edges[1]) if edges else None)
        self._say(*plot_lines(item, self._state, look))
        # Only what could be drawn is kept; the part of the spectrum is for this one plot.
        self._look = replace(look, x_range=None)

    def _try_redshift(self, item: Item, word: str, rest: str) -> None:
        if word == "z":
            self._state = self._state.with_z_typed(str(parse_z(rest)))
        elif word == "fits":
            self._state = self._state.with_fit(int(_numbers(rest, 1)[0]) - 1)
        else:
            letter, _, place = rest.partition(" ")
            line = BY_LETTER.get(letter)
            if line is None:
                raise Refused(f"{rest!r}: which line? " + ", ".join(f"{each.letter} {each.plain}" for each in NAMEABLE))
            at = _numbers(place, 1)[0] if place else item.strongest
            if at is None:
                raise Refused("nothing stands out here: say where, as in x c 5120")
            self._state = self._state.with_cursor(at).with_line(line.name, implied_redshift(at, line.rest))
        self._say(f"z {z_text(self._state.answer.z)}", *plot_lines(item, self._state, self._look))

    def _go(self, where: Callable[[], Item | None]) -> None:
        self.keep_draft()
        self._show(where())

    def _show(self, item: Item | None) -> None:
        self._item, self._offer = item, None
        if item is None:
            self._say("nothing is left in your queue")
            return
        self._state = item.started()
        # What was drawn of the spectrum before says nothing about this one.
        self._look = replace(self._look, model=False, template="")
        self._active = ActiveTime(item.active_seconds, self._clock())
        self._say(f"\nround {item.round}, {item.rank} of {item.total}: {item.title}")
        if item.problem:
            self._say(item.problem)
            return
        self._say(*facts_lines(item, self._state), *plot_lines(item, self._state, self._look))

    def _say(self, *lines: str) -> None:
        self._out.writelines(f"{line}\n" for line in lines)
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


def _help() -> str:
    return HELP.format(
        qualities=", ".join(f"{quality} {words}" for quality, words in enumerate(QUALITY_WORDS)),
        comments=", ".join(f"{comment.letter} {comment.words}" for comment in STANDARD_COMMENTS),
        lines=", ".join(f"{line.letter} {line.plain}" for line in NAMEABLE),
    )


def _numbers(text: str, count: int) -> list[float]:
    try:
        found = [float(word) for word in text.split()]
    except ValueError:
        found = []
    if len(found) != count:
        raise Refused(f"{text!r}: {count} number{'s' if count > 1 else ''} expected")
    return found
