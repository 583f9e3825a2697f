"""Pieces of rows that more than one screen shows: labels, classes, redshifts, fits, the data, what is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from qnet_tui.inspection.answer import CLASSES, Answer, z_text
from qnet_tui.inspection.item import MASKED_LIMIT, ItemState
from qnet_tui.plotting.canvas import Charset
from qnet_tui.spectra.rrdetails import PipelineFit
from qnet_tui.spectral_lines.identification import BY_NAME
from qnet_tui.tui.tones import Piece, Row, Tone, width
from qnet_tui.workflows.label_item import Item

_CLASS_NAMES = {"STAR": "star", "GALAXY": "galaxy", "QSO": "QSO"}


@dataclass(frozen=True)
class SavingStatus:
    """Who is at the screen, and whether all is saved: ``saved`` and ``trouble`` are never both shown."""

    inspector: str
    _: KW_ONLY
    saved: str = ""
    busy: str = ""
    trouble: str = ""


def saved_row(status: SavingStatus, *, wide: bool = True) -> Row:
    """Return the right end of the header: who, and when something was last saved, what is waited for or wrong."""
    who: Piece = (f"{status.inspector} ", Tone.STRONG)
    if status.trouble:
        return (who, ("! NOT SAVED ", Tone.WARN))
    if status.busy:
        return (who, (f"{status.busy} ", Tone.DIM))
    if status.saved:
        return (who, (f"✓ {'saved ' if wide else ''}{status.saved} ", Tone.GOOD))
    return (who,)


def data_pieces(item: Item, gap: str) -> list[Piece]:
    """Return the arms, the share that is masked, and the signal to noise; nothing where there is no spectrum."""
    if item.problem:
        return []
    masked = item.frac_masked > MASKED_LIMIT
    return [
        (f"{gap}{item.arms_words}", Tone.WARN if item.arms_missing else Tone.PLAIN),
        (f"{gap}{100 * item.frac_masked:.0f} % masked", Tone.WARN if masked else Tone.PLAIN),
        (f"{gap}S/N {item.snr:.1f}", Tone.PLAIN),
    ]


def rule(text: str, columns: int, charset: Charset) -> Row:
    """Return a line across a pane with ``text`` in it."""
    line = "-" if charset == "ascii" else "─"
    shown = f" {text} " if text else ""
    return ((line, Tone.RULE), (shown, Tone.DIM), (line * max(columns - width(((shown, Tone.DIM),)) - 1, 0), Tone.RULE))


def label(word: str, missing: Sequence[str] = ()) -> Piece:
    """Return the name of a row; one that is ``missing`` has a mark before it."""
    return (f"▸{word:<8}", Tone.MISSING) if word in missing else (f" {word:<8}", Tone.DIM)


def class_pieces(chosen: str | None) -> list[Piece]:
    """Return the three classes, the chosen one in brackets."""
    return [
        (f"[{_CLASS_NAMES[one]}]", Tone.CHOSEN) if one == chosen else (f" {_CLASS_NAMES[one]} ", Tone.PLAIN)
        for one in CLASSES
    ]


def redshift_pieces(answer: Answer) -> list[Piece]:
    """Return the redshift and its error."""
    pieces: list[Piece] = [(f" {z_text(answer.z)}", Tone.STRONG if answer.z is not None else Tone.DIM)]
    if answer.z_error is not None:
        pieces.append((f" ± {answer.z_error:.4f}", Tone.PLAIN))
    return pieces


def named_line_words(state: ItemState, charset: Charset) -> str:
    """Return which line was named and where it lies; "" without one, or without a redshift."""
    z = state.answer.z
    if z is None or state.named not in BY_NAME:
        return ""
    line = BY_NAME[state.named]
    name = line.plain if charset == "ascii" else line.name
    return f"{name} at {line.rest * (1 + z):.0f} Å"


def which_fit(state: ItemState, item: Item) -> str:
    """Return whose redshift it is, and which of several when it is not the best."""
    return f"{item.pipeline_name} {state.fit + 1} of {len(item.fits)}" if state.fit else item.pipeline_name


def fit_rows(name: str, fits: Sequence[PipelineFit], shown: int, first: int, rows: int) -> list[Sequence[Piece]]:
    """Return the pipeline's fits from number ``first`` on, at most ``rows``; the ``shown`` one has a mark."""
    found: list[Sequence[Piece]] = []
    for number, fit in enumerate(fits[first : first + rows], start=first):
        text = f"{'▸' if number == shown else ' '}{number + 1} {fit.spectype:<6} {z_text(fit.z):>7}"
        text += f"  Δχ² {fit.deltachi2:.0f}" + (f"  zwarn {fit.zwarn}" if fit.zwarn > 0 else "")
        found.append((label("" if found else name), (text, Tone.STRONG if number == shown else Tone.PLAIN)))
    return found
