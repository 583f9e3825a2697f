"""A case to merge as lines of text and as JSON: for a pipe, a script, a screen reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from qnet_tui.inspection.answer import z_text
from qnet_tui.inspection.merge_rules import Proposal
from qnet_tui.inspection.merge_state import MergeAnswer
from qnet_tui.plotting.canvas import Charset
from qnet_tui.plotting.spectrum_data import shown_range
from qnet_tui.plotting.spectrum_text import data_text
from qnet_tui.spectral_lines.line_list import sky_lines
from qnet_tui.workflows.line_marks import line_marks
from qnet_tui.workflows.merge import MergeSession
from qnet_tui.workflows.merge_board import BoardCase, VoteLine
from qnet_tui.workflows.merge_case import Case

_ROWS, _COLUMNS = 16, 79
VOTE_COLUMNS = ("who", "class", "z", "km/s", "quality", "issues", "comment")


@dataclass(frozen=True)
class CaseLine:
    """One case of ``qnet merge --list``.

    ``object`` is TARGETID, T<THING_ID> or P<PLATE>-<MJD>-<FIBERID>. ``own``: the merger voted on it and leaves it to
    another. ``stale``: the truth still has what was merged before it was opened again.
    """

    round: int
    rank: int
    object: str
    state: str
    conflicts: tuple[str, ...]
    to_look: bool
    own: bool
    votes: list[dict[str, Any]]
    proposal: dict[str, Any]
    merged: dict[str, Any] | None
    stale: bool


def case_lines(session: MergeSession) -> list[CaseLine]:
    """Return every case of the session in the order in which a merger takes them; who voted is not said."""
    stale = set(session.stale())
    return [_line(session, case, stale=case.identity in stale) for case in session.board().cases]


def case_json(session: MergeSession, case: Case) -> dict[str, Any]:
    """Return one case as JSON values, with names where the merger asked for them, without the spectrum itself."""
    board_case = session.board().by_key[(case.round, case.object_id)]
    line = asdict(_line(session, board_case, stale=board_case.identity in session.stale()))
    line["votes"] = [_vote_json(vote) for vote in case.votes]
    line["proposal"] = _proposal_json(case.proposal)
    item = case.item
    return line | {
        "title": case.title,
        "names_shown": case.names_shown,
        "arms": item.arms_words,
        "masked": item.frac_masked,
        "snr": item.snr,
        "why": item.why,
        "pipeline": {"name": item.pipeline_name, "spectype": item.pipeline_class, "z": item.pipeline_z},
        "problem": item.problem,
    }


def case_text(case: Case, *, charset: Charset = "ascii", z: float | None = None) -> list[str]:
    """Return a case as lines: what it is, its votes, the proposal, and the spectrum with the lines at ``z``.

    Without ``z`` the lines are at the first redshift there is: the answer's, the proposal's, a vote's.
    """
    state = case.state if case.state != "conflict" else f"conflict of {', '.join(case.conflicts)}"
    if case.merged is not None:
        state = f"merged by {case.merged.by}"
    item = case.item
    lines = [f"round {case.round}, {case.rank} of {case.total}: {case.title}  {state}"]
    facts = [item.arms_words, f"{100 * item.frac_masked:.0f} % masked", f"S/N {item.snr:.1f}"]
    facts += [f"r {item.magnitude:.1f}"] if item.magnitude is not None else []
    facts += [f"why: {item.why}"] if item.why else []
    facts += [f"{item.pipeline_name}: {item.pipeline_class} {z_text(item.pipeline_z)}"] if item.pipeline_class else []
    lines.append(item.problem or ", ".join(facts))
    lines += _columns([VOTE_COLUMNS, *(_vote_cells(vote) for vote in case.votes)])
    lines.append(proposal_words(case.proposal))
    if case.merged is not None:
        merged = case.merged
        lines.append(f"merged: {answer_words(MergeAnswer(merged.spectype, merged.z, merged.quality, merged.issues))}")
    if case.own:
        lines.append("you voted on it: another merges it")
    if not item.problem:
        known = (z, case.start.answer.z, case.proposal.z, *(vote.z for vote in case.votes))
        trial = next((one for one in known if one is not None), None)
        lines += _plot(case, trial, charset)
    return lines


def proposal_words(proposal: Proposal) -> str:
    """Return what the rule makes of the votes, in one line."""
    answer = MergeAnswer(proposal.spectype, proposal.z, proposal.quality, proposal.issues)
    if not proposal.conflicts:
        return f"agreed: {answer_words(answer)}"
    if not proposal.words:
        return f"no proposal: the votes differ in {', '.join(proposal.conflicts)}"
    return f"{proposal.words}: {answer_words(answer)}"


def quality_text(quality: float | None) -> str:
    """Return a merged quality: a whole number as such, a fraction to two places."""
    return "-" if quality is None else f"{quality:.2f}".rstrip("0").rstrip(".")


def _line(session: MergeSession, case: BoardCase, *, stale: bool) -> CaseLine:
    shown = case.shown_proposal(session.settings.rule, names_shown=False)
    return CaseLine(
        round=case.record.round,
        rank=case.record.rank,
        object=case.identity,
        state=case.state,
        conflicts=case.conflicts,
        to_look=case.to_look,
        own=session.is_own(case),
        votes=[_vote_json(vote) for vote in case.lines(names_shown=False)],
        proposal=_proposal_json(shown),
        merged=None if case.merged is None else _merged_json(case),
        stale=stale,
    )


def _merged_json(case: BoardCase) -> dict[str, Any]:
    names = ("spectype", "z", "quality", "issues", "n_votes", "rule", "by", "unseen", "names_shown", "at")
    return {name: getattr(case.merged, name) for name in names}


def _proposal_json(proposal: Proposal) -> dict[str, Any]:
    names = ("spectype", "z", "quality", "issues", "comment", "words", "dz")
    return {name: getattr(proposal, name) for name in names}


def _vote_json(vote: VoteLine) -> dict[str, Any]:
    # The uid would lead to the journal, and so to the name.
    return {name: value for name, value in asdict(vote).items() if name != "uid"} | {"differs": sorted(vote.differs)}


def _vote_cells(vote: VoteLine) -> tuple[str, ...]:
    def marked(name: str, text: str) -> str:
        return f"{text} *" if name in vote.differs else text

    return (
        vote.name,
        marked("class", vote.spectype or "-"),
        marked("z", z_text(vote.z)),
        "-" if vote.velocity is None else f"{vote.velocity:+.0f}",
        marked("quality", str(vote.quality)),
        vote.issues or "-",
        vote.comment or "-",
    )


def vote_words(vote: Mapping[str, Any]) -> str:
    """Return a vote of :class:`CaseLine` in a few words, what differs marked with a star."""
    parts = {"class": vote["spectype"] or "-", "z": z_text(vote["z"]), "quality": str(vote["quality"])}
    return " ".join(f"{text}*" if name in vote["differs"] else text for name, text in parts.items())


def answer_words(answer: MergeAnswer) -> str:
    """Return an answer in one line."""
    z = "-" if answer.z is None else f"{answer.z:.4f}"
    return f"{answer.spectype or '-'} {z} quality {quality_text(answer.quality)} issues {answer.issues or '-'}"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _plot(case: Case, z: float | None, charset: Charset) -> list[str]:
    item = case.item
    low, high = shown_range(item.data)
    said = [] if z is None else [f"lines at z {z:.4f}"]
    return said + data_text(
        item.data,
        width=_COLUMNS,
        height=_ROWS,
        markers=line_marks(z, low, high, plain=charset == "ascii"),
        sky=[line.rest for line in sky_lines()],
        charset=charset,
        x_range=(low, high),
    )
