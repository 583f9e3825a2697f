"""The rejected but most disputed objects of a round, with what the inspectors said of them (Fig. 4)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median

import numpy as np

import storage.merges as merges_store
import storage.rounds as rounds_store
import storage.settings as campaign
import storage.truth as truth_store
import storage.votes as votes_store
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.evaluation.intervals import wilson
from qnet_tui.truth.classes import is_good
from qnet_tui.workflows.export_objects import objects_by_id
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.review.score_summary import score_summary
from qnet_tui.workflows.review.scored import ScoredRound, cells_of, round_shown, scored_rounds
from qnet_tui.workflows.review.tab import Asked, Column, Tab
from qnet_tui.workflows.round_files import RoundFiles
from storage.rounds import SelectionRecord
from storage.workspace import Workspace

LISTED = 100
"""So many of those that nobody was asked about are listed: as many as the paper looked at."""

ISSUES = {"C": "class wrong", "R": "redshift wrong", "S": "spectrum bad"}
BAD_QUALITY = 1.5
"""A quality below says that the spectrum shows nothing: 0 no data, 1 nothing that can be told."""

_COLUMNS = (
    Column("rank", "rank"), Column("identity", "object"), Column("entropy", "bit", 2),
    Column("cell", "cell", need=3), Column("cell_count", "in cell", need=3), Column("spectype", "class", need=1),
    Column("z", "z", 3, need=2), Column("quality", "qual.", 1, need=1), Column("issues", "issues", need=2),
    Column("state", "state", need=2), Column("in_truth", "truth", need=2), Column("reason", "people say", need=1),
)  # fmt: skip


@dataclass(frozen=True)
class OutlierLine:
    """One rejected object: how disputed, where on the map, and what people said of it.

    ``rank`` 1 is the most disputed; ``entropy`` in bits; ``round`` asked for it (0: none did). ``state``: "merged",
    "2 votes", "waiting", "withheld" (votes that nobody may see before they are merged), or "not asked". ``quality`` is
    the merged one or the votes' mean, ``reason`` their issues in words and their comments. ``in_truth``: it is a secure
    label of the truth.
    """

    rank: int
    TARGETID: int
    identity: str
    entropy: float
    cell: int
    cell_count: int
    round: int
    spectype: str
    z: float | None
    quality: float | None
    issues: str
    n_votes: int
    state: str
    in_truth: bool
    reason: str


@dataclass(frozen=True)
class _Said:
    """What people said of one object, as one answer."""

    state: str
    spectype: str = ""
    z: float | None = None
    quality: float | None = None
    issues: str = ""
    n_votes: int = 0
    comment: str = ""


def open_tab(ws: Workspace, asked: Asked, progress: Progress) -> Tab:
    """The rejected objects that people were asked about; where there are none, those that they could be asked about."""
    queued = _queued(ws)
    shown, of_round = _round_and_records(ws, asked.round, queued)
    rounds = tuple(sorted({*scored_rounds(ws), *queued}))
    if shown:
        lines, spectra, notes = _asked_about(ws, shown)
        return Tab(
            name="outliers", columns=_COLUMNS, rows=lines, asked=replace(asked, round=of_round), says=_says(lines),
            notes=notes, rounds=rounds, spectra=spectra,
        )  # fmt: skip
    one = round_shown(ws, of_round)
    if one is None:
        return Tab("outliers", _COLUMNS, (), asked, empty="no committee has scored the pool yet: qnet run-al")
    asked = replace(asked, round=one.number)
    lines = _not_asked(ws, one, progress)
    command = f"qnet vi queue --outliers {LISTED} --round {one.number}"
    if not lines:
        return Tab("outliers", _COLUMNS, (), asked, rounds=rounds,
                   empty=f"nobody was asked about what the map of round {one.number} rejected: {command}")  # fmt: skip
    return Tab(
        name="outliers", columns=_COLUMNS, rows=lines, asked=asked, rounds=rounds, spectra=[None] * len(lines),
        says=f"The map of round {one.number} rejected these {len(lines)}, and nobody was asked about them yet.",
        notes=(f"{command} puts them before people, with their spectra",),
    )  # fmt: skip


def _queued(ws: Workspace) -> dict[int, list[SelectionRecord]]:
    """Round → its records that a map rejected, where it has any."""
    found = {}
    for summary in rounds_store.rounds(ws):
        records = [r for r in rounds_store.selection(ws, summary.round) if r.rejected or r.strategy == "outliers"]
        if records:
            found[summary.round] = records
    return found


def _round_and_records(
    ws: Workspace, number: int | None, queued: dict[int, list[SelectionRecord]]
) -> tuple[list[SelectionRecord], int | None]:
    """(what was asked of the outliers of a round, that round); no round asked for: the last that has any.

    A round that only asks about outliers may be named itself. Errors: :class:`BadInput` for a round that is not there.
    """
    made = set(scored_rounds(ws))
    if number is not None and number not in made:
        if number not in queued:
            raise BadInput(f"round {number} asked about nothing that a map rejected", mend="qnet review rounds")
        return queued[number], number
    by_origin: dict[int, list[SelectionRecord]] = {}
    for asked_in, records in queued.items():
        origin = asked_in if asked_in in made else _origin(ws, records, sorted(made))
        by_origin.setdefault(asked_in if origin is None else origin, []).extend(records)
    if number is None:
        number = max(by_origin, default=None)
    return by_origin.get(number, []) if number is not None else [], number


def _origin(ws: Workspace, records: Sequence[SelectionRecord], made: Sequence[int]) -> int | None:
    """The last round on whose map these records lie in the cells, as full and as rejected, that they remember."""
    for number in reversed(made):
        if number >= records[0].round:
            continue
        try:
            counts, rejected = cells_of(RoundFiles(ws.round_dir(number)))
        except QnetError:
            continue
        cells = np.array([r.bmu for r in records])
        if cells.min() < 0 or cells.max() >= len(counts) or not rejected[cells].all():
            continue
        if (counts[cells] == [r.cell_count for r in records]).all():
            return number
    return None


def _asked_about(
    ws: Workspace, records: Sequence[SelectionRecord]
) -> tuple[list[OutlierLine], list[Path | None], tuple[str, ...]]:
    ordered = sorted(records, key=lambda r: (math.isnan(r.entropy), -r.entropy, r.round, r.rank))
    said = _what_people_said(ws, ordered)
    names = objects_by_id(ws, (r.object_id for r in ordered))
    truth = _secure(ws)
    lines: list[OutlierLine] = []
    spectra: list[Path | None] = []
    for rank, record in enumerate(ordered, start=1):
        copied = RoundFiles(ws.round_dir(record.round)).spectrum(record.object_id)
        spectra.append(copied if copied.exists() else None)
        answer, name = said[record.round, record.object_id], names[record.object_id]
        words = [ISSUES[letter] for letter in answer.issues if letter in ISSUES]
        lines.append(OutlierLine(
            rank=rank, TARGETID=name.targetid, identity=name.identity, entropy=record.entropy, cell=record.bmu,
            cell_count=record.cell_count, round=record.round, spectype=answer.spectype, z=answer.z,
            quality=answer.quality, issues=answer.issues, n_votes=answer.n_votes, state=answer.state,
            in_truth=record.object_id in truth, reason="; ".join([*words, answer.comment] if answer.comment else words),
        ))  # fmt: skip
    held = sum(1 for line in lines if line.state == "withheld")
    notes = ["in cell: rows that lie in the same cell of the map; truth: a secure label, which trains the next round"]
    if held:
        notes.append(
            f"the votes on {held} objects are not shown before they are merged: the campaign is blind to peers"
        )
    return lines, spectra, tuple(notes)


def _what_people_said(ws: Workspace, records: Sequence[SelectionRecord]) -> dict[tuple[int, int], _Said]:
    """(round, object) → the merged label, else the votes together where the campaign lets people see them."""
    blind = bool(campaign.get_setting(ws, "blind_peers"))
    out: dict[tuple[int, int], _Said] = {}
    for number in sorted({r.round for r in records}):
        merged = {m.object_id: m for m in merges_store.merges(ws, number)}
        cast: dict[int, list[votes_store.Vote]] = {}
        for vote in votes_store.votes(ws, round=number):
            cast.setdefault(vote.object_id, []).append(vote)
        for record in (r for r in records if r.round == number):
            label, votes = merged.get(record.object_id), cast.get(record.object_id, [])
            if label is not None:
                said = _Said("merged", label.spectype or "", label.z, label.quality, label.issues, label.n_votes,
                             label.comment)  # fmt: skip
            elif not votes:
                said = _Said("waiting")
            elif blind:
                said = _Said("withheld", n_votes=len(votes))
            else:
                said = _together(votes)
            out[number, record.object_id] = said
    return out


def _together(votes: Sequence[votes_store.Vote]) -> _Said:
    """Votes that nobody merged yet: the class that most gave, their median redshift, the mean quality."""
    ranked = Counter(v.spectype or "" for v in votes).most_common()
    best = sorted(name for name, n in ranked if n == ranked[0][1])
    spectype = "/".join(name or "?" for name in best) if len(best) > 1 else best[0]
    z = [v.z for v in votes if v.z is not None and (v.spectype or "") in best]
    return _Said(
        f"{len(votes)} vote{'s' * (len(votes) > 1)}", spectype, median(z) if z else None,
        fmean(v.quality for v in votes), "".join(sorted(set("".join(v.issues for v in votes)))), len(votes),
        " | ".join(v.comment for v in votes if v.comment),
    )  # fmt: skip


def _not_asked(ws: Workspace, one: ScoredRound, progress: Progress) -> list[OutlierLine]:
    """The most disputed of the rejected that were scored and that nobody labelled or asked about."""
    top = score_summary(one, progress).top
    known = rounds_store.ever_queued(ws) | set(truth_store.current_truth(ws)["object_id"].tolist())
    free = [i for i, object_id in enumerate(top.object_id.tolist()) if object_id not in known][:LISTED]
    names = objects_by_id(ws, (int(top.object_id[i]) for i in free))
    return [
        OutlierLine(
            rank=rank,
            TARGETID=names[int(top.object_id[i])].targetid,
            identity=names[int(top.object_id[i])].identity,
            entropy=float(top.entropy[i]),
            cell=int(top.cell[i]),
            cell_count=int(top.cell_count[i]),
            round=0,
            spectype="",
            z=None,
            quality=None,
            issues="",
            n_votes=0,
            state="not asked",
            in_truth=False,
            reason="",
        )
        for rank, i in enumerate(free, start=1)
    ]


def _secure(ws: Workspace) -> set[int]:
    truth = truth_store.current_truth(ws)
    return set(truth["object_id"][is_good(truth["quality"])].tolist())


def _says(lines: Sequence[OutlierLine]) -> str:
    told = [(line, line.quality) for line in lines if line.quality is not None]
    n = len(told)
    if not n:
        return f"{len(lines)} rejected objects were asked about; no answer can be shown yet."
    secure = int(is_good([quality for _, quality in told]).sum())
    quasars = sum(1 for line, _ in told if line.spectype == "QSO")
    bad = sum(1 for line, quality in told if "S" in line.issues or quality < BAD_QUALITY)
    lo, hi = wilson(secure, n)
    return (
        f"Of {n} of {len(lines)} rejected objects that were inspected, {secure} are secure ({secure / n:.2f}, "
        f"{lo:.2f}–{hi:.2f}: quality 2.5 or better), {quasars} are quasars, and {bad} were judged bad spectra "
        "(issue S, or quality 0 or 1)."
    )
