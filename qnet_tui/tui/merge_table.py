"""The votes on one object as a table: what each inspector says, the pipeline, the proposal, and the merger's answer.

All of them stand in the same columns, so that the eye only has to go down. A cell that puts a vote outside what the
others say has a ``*`` after it, whatever its colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from qnet_tui.inspection.answer import z_text
from qnet_tui.inspection.keys import Action, worded
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.merge_actions import MergeMoment
from qnet_tui.tui.tones import Piece, Row, Tone
from qnet_tui.workflows.merge import Case, VoteLine
from qnet_tui.workflows.merge_board import velocity

# Rows of the table that are no votes: names of the columns, pipeline, proposal, answer, advice.
ROWS_BESIDE_VOTES = 5
# From this width on the table also says where a redshift comes from.
_WIDE = 96
_NOTHING = "·"


@dataclass(frozen=True)
class _Line:
    """One row: a ``lead`` sign, who, and the cells; ``source`` says where the redshift comes from."""

    lead: str
    who: str
    spectype: str
    z: float | None
    quality: str
    issues: str
    comment: str
    source: str = ""
    differs: frozenset[str] = frozenset()
    tone: Tone = Tone.PLAIN
    missing: frozenset[str] = frozenset()


def table_rows(
    case: Case, moment: MergeMoment, rows: int, columns: int, charset: Charset, actions: Sequence[Action]
) -> list[Row]:
    """Return the rows of the table without the advice, at most ``rows``, none of them cut or filled yet.

    With fewer rows than votes the lit one and its neighbours are shown. Rows to spare take the comments that are too
    long for their column.
    """
    widths = _Widths.of(case, columns)
    shown = _votes_in_sight(len(case.votes), moment.state.lit, max(rows - ROWS_BESIDE_VOTES + 1, 1))
    origin = next((vote.z for vote in case.votes if vote.z is not None), None)
    mixed = len({vote.blind_model for vote in case.votes}) > 1
    drawn = -1 if moment.is_at_answer else moment.state.lit
    lines = [
        _vote_line(case.votes[at], charset, lit=at == moment.state.lit, drawn=at == drawn, mixed=mixed) for at in shown
    ]
    lines += [_pipeline_line(case), _offer_line(case, worded("{take_proposal}", actions)), _answer_line(moment)]
    found = [widths.heads(), *(widths.row(line, origin) for line in lines)]
    said: list[Row] = []
    for vote in case.votes:
        if len(vote.comment) > widths.comment:
            said += [((line, Tone.PLAIN),) for line in _wrapped(f"{vote.name}: {vote.comment}", columns)]
    return [*found, *([(), *said] if said else [])][:rows]


def _wrapped(text: str, columns: int) -> list[str]:
    return wrap(text, columns, initial_indent="   ", subsequent_indent="      ")


def full_comment(case: Case, moment: MergeMoment, columns: int) -> str:
    """Return who says what at length, when the table has no room for the lit vote's whole comment; else ""."""
    if not case.votes:
        return ""
    vote = case.votes[moment.state.lit]
    return f"{vote.name}: {vote.comment}" if len(vote.comment) > _Widths.of(case, columns).comment else ""


def velocity_text(kms: float | None) -> str:
    """Write a velocity in km/s with its sign, "0" for none; from a million on in thousands."""
    if kms is None:
        return _NOTHING
    if abs(kms) >= 999_999.5:
        return f"{kms / 1000:+.0f}k"
    return f"{kms:+.0f}" if round(kms) else "0"


def quality_text(quality: float | None) -> str:
    """Write a quality as it was given: a whole number, or a fraction with two places."""
    if quality is None:
        return _NOTHING
    return f"{quality:.0f}" if quality == round(quality) else f"{quality:.2f}"


@dataclass(frozen=True)
class _Widths:
    who: int
    source: int
    comment: int

    @classmethod
    def of(cls, case: Case, columns: int) -> _Widths:
        labels = [*(vote.name for vote in case.votes), _pipeline_name(case), "settled"]
        who = max(map(len, labels)) + 1
        source = 18 if columns >= _WIDE else 0
        return cls(who, source, max(columns - 3 - who - 9 - 12 - 10 - 8 - 8 - source, 8))

    def heads(self) -> Row:
        text = f"   {'':<{self.who}}{'class':<9}{' z':<12}{'km/s':>8}  {'quality':<8}{'issues':<8}"
        text += f"{'z from':<{self.source}}" if self.source else ""
        return ((text + "comment", Tone.DIM),)

    def row(self, line: _Line, origin: float | None) -> Row:
        z = "" if line.z is None else f"{'' if line.z < 0 else ' '}{z_text(line.z)}"
        moved = velocity_text(velocity(line.z, origin))
        pieces: list[Piece] = [(f" {line.lead:<2}"[:3], line.tone), (f"{line.who:<{self.who}}", line.tone)]
        pieces.append(_cell(line, "class", line.spectype, 9))
        pieces.append(_cell(line, "z", z, 12))
        pieces.append((f"{moved if line.z is not None else _NOTHING:>8}  ", line.tone))
        pieces.append(_cell(line, "quality", line.quality, 8))
        pieces.append((f"{line.issues or _NOTHING:<8}", line.tone))
        if self.source:
            pieces.append((f"{line.source:<{self.source}}", Tone.DIM))
        pieces.append((line.comment, line.tone))
        return tuple(pieces)


def _cell(line: _Line, name: str, text: str, room: int) -> Piece:
    if name in line.missing:
        return (f"{' ?' if name == 'z' else '?':<{room}}", Tone.MISSING)
    if name in line.differs:
        return (f"{text or (' ' if name == 'z' else '') + _NOTHING} *"[:room].ljust(room), Tone.WARN)
    return (f"{text or (' ' if name == 'z' else '') + _NOTHING}"[:room].ljust(room), line.tone)


def _vote_line(vote: VoteLine, charset: Charset, *, lit: bool, drawn: bool, mixed: bool) -> _Line:
    sign = "+-" if charset == "ascii" else "±"
    error = "" if vote.z_error is None else f" {sign}{max(vote.z_error, 0.0001):.4f}"
    # Who saw the pipeline's answer is worth knowing only where not all did, or none.
    blind = " blind" if mixed and vote.blind_model else ""
    return _Line(
        lead="▸" if drawn else "",
        who=vote.name,
        spectype=vote.spectype or "",
        z=vote.z,
        quality=quality_text(vote.quality),
        issues=vote.issues,
        comment=vote.comment,
        source=f"{vote.z_source}{error}{blind}",
        differs=vote.differs,
        tone=Tone.STRONG if lit else Tone.PLAIN,
    )


def _pipeline_name(case: Case) -> str:
    return case.item.pipeline_name or "pipeline"


def _pipeline_line(case: Case) -> _Line:
    item = case.item
    warning = f"zwarn {item.pipeline_zwarn}" if item.pipeline_zwarn > 0 else ""
    words = warning if item.pipeline_class else "no answer of it here"
    return _Line("", _pipeline_name(case), item.pipeline_class, item.pipeline_z, "", "", words, tone=Tone.DIM)


def _offer_line(case: Case, key: str) -> _Line:
    """Return what is proposed, or what was settled."""
    if case.merged is not None:
        kept = case.merged
        quality = quality_text(kept.quality)
        return _Line("", "settled", kept.spectype or "", kept.z, quality, kept.issues, f"by {kept.by}", tone=Tone.GOOD)
    offer = case.proposal
    if offer.conflicts and not offer.words:
        return _Line("", "offer", "", None, "", "", "no two agree", tone=Tone.DIM)
    words = offer.words or "agreed"
    return _Line(key, words, offer.spectype or "", offer.z, quality_text(offer.quality), offer.issues, "")


def _answer_line(moment: MergeMoment) -> _Line:
    answer = moment.state.answer
    missing = frozenset(answer.missing())
    return _Line(
        lead="▸" if moment.is_at_answer else "",
        who="answer",
        spectype=answer.spectype or "",
        z=answer.z,
        quality=quality_text(answer.quality),
        issues=answer.issues,
        comment=answer.comment,
        tone=Tone.STRONG,
        missing=missing,
    )


def _votes_in_sight(count: int, lit: int, room: int) -> Sequence[int]:
    first = min(max(lit - room // 2, 0), max(count - room, 0))
    return range(first, min(first + room, count))
