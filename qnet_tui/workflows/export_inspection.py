"""What people said, as tables for others: votes, settled labels and truth, in our columns and in those of the field.

Everything here is a pure function of the database, sorted by survey, TARGETID and identity, then time, so that two
exports differ only where the campaign does.
"""

import json
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import storage.events as events_store
import storage.merges as merges_store
import storage.rounds as rounds_store
import storage.settings as campaign
import storage.truth as truth_store
import storage.votes as votes_store
from qnet_tui.inspection.csv_text import csv_text, one_line
from qnet_tui.inspection.merge_rules import MergeRule, joined_comments
from qnet_tui.inspection.merged_files import SettledLabel, Target, desi_merged_csv, edr_csv
from qnet_tui.inspection.own_votes import OwnVote, campaign_of, own_votes_csv
from qnet_tui.inspection.prospect_file import COMMENT_LENGTH, ProspectRow, file_name, prospect_csv, spelled_out
from qnet_tui.workflows.export_objects import ObjectName, objects_by_id, shown_rows
from storage.workspace import Workspace

if TYPE_CHECKING:
    from qnet_tui.truth.labels import Label

MERGED_COLUMNS = (
    "SURVEY", "ID", "TARGETID", "campaign", "round", "best_spectype", "best_z", "best_quality", "all_VI_issues",
    "all_VI_comments", "N_VI", "rule", "votes_required", "dz_conflict", "quality_conflict", "quality_good", "merger",
    "unseen", "names_shown", "merged_at", "votes", "uid",
)  # fmt: skip
TRUTH_COLUMNS = (
    "SURVEY", "ID", "TARGETID", "VI_CLASS", "VI_Z", "VI_QUALITY", "bal", "all_VI_issues", "all_VI_comments", "N_VI",
    "role", "origin", "kind", "excluded",
)  # fmt: skip
EVENT_COLUMNS = ("SURVEY", "ID", "TARGETID", "round", "at", "what", "by", "entry", "uid", "body")


def votes_csv(ws: Workspace, round_number: int | None, inspector: str | None = None) -> tuple[str, int]:
    """(text, rows) of all votes that ever were, with everything that is known of each (inspection.md 2.7)."""
    found = [
        vote
        for vote in votes_store.votes(ws, round=round_number, current=False)
        if inspector is None or vote.inspector == inspector
    ]
    names = objects_by_id(ws, (vote.object_id for vote in found))
    asked = {
        (number, one.object_id): one
        for number in {vote.round for vote in found}
        for one in rounds_store.selection(ws, number, include_withdrawn=True)
    }
    rows = []
    for vote in found:
        name, selected = names[vote.object_id], asked.get((vote.round, vote.object_id))
        where, origin = campaign_of(vote.origin) or (ws.root.name, vote.origin)
        rows.append(OwnVote(
            survey=name.survey, identity=name.identity, targetid=name.targetid or None, campaign=where,
            round=vote.round, rank=selected.rank if selected else None,
            entropy=selected.entropy if selected and not math.isnan(selected.entropy) else None,
            inspector=vote.inspector, spectype=vote.spectype, z=vote.z, z_error=vote.z_error, z_source=vote.z_source,
            quality=vote.quality, issues=vote.issues, comment=vote.comment, tags=vote.tags,
            committed_at=vote.committed_at, active_seconds=vote.active_seconds, blind_peers=vote.blind_peers,
            blind_model=vote.blind_model, app_version=vote.app_version, origin=origin, superseded=vote.superseded,
            withdrawn=vote.withdrawn, uid=vote.uid,
        ))  # fmt: skip
    return own_votes_csv(rows), len(rows)


def prospect_files(
    ws: Workspace, round_number: int | None, inspector: str | None = None
) -> tuple[dict[str, tuple[str, int]], list[str]]:
    """({inspector: (text, rows)}, notes): the votes that hold, a file of Prospect for each who voted.

    A vote above quality 0 without class or redshift is left out: an empty field would say that the pipeline is right.
    """
    current = [
        vote for vote in votes_store.votes(ws, round=round_number) if inspector is None or vote.inspector == inspector
    ]
    said = [vote for vote in current if vote.quality == 0 or (vote.z is not None and vote.spectype is not None)]
    names = objects_by_id(ws, (vote.object_id for vote in said))
    rows = shown_rows(ws, names)
    said.sort(key=lambda vote: (*names[vote.object_id].sort_key(), vote.committed_at, vote.uid))
    files: dict[str, tuple[str, int]] = {}
    for code in sorted({vote.inspector for vote in said}):
        mine = [vote for vote in said if vote.inspector == code]
        made = [_prospect_row(vote, names[vote.object_id], rows.get(vote.object_id)) for vote in mine]
        files[code] = (prospect_csv(made), len(made))
    notes = []
    if len(said) < len(current):
        notes.append(f"{len(current) - len(said)} votes above quality 0 lack class or redshift: left out")
    cut = sum(1 for vote in said if len(spelled_out(vote.comment)) > COMMENT_LENGTH)
    if cut:
        notes.append(f"{cut} comments were cut to the {COMMENT_LENGTH} signs of this format; --format ours keeps them")
    return files, notes


def _prospect_row(vote: votes_store.Vote, name: ObjectName, row: Any) -> ProspectRow:
    target = _target(name, row)
    return ProspectRow(
        targetid=name.targetid,
        scanner=vote.inspector,
        quality=vote.quality,
        issues=vote.issues,
        z=vote.z,
        spectype=vote.spectype,
        comment=vote.comment,
        expid=-1 if row is None else int(row["expid"]),
        night=-1 if row is None else int(row["night"]),
        tileid=target.tileid,
        spec_version="SDSS" if name.survey == "sdss" else "0",
        pipeline_spectype=target.pipeline_spectype,
        pipeline_z=target.pipeline_z,
        pipeline_deltachi2=target.pipeline_deltachi2,
        sdss=target.sdss,
    )


def standard_name(ws: Workspace, round_number: int | None, suffix: str) -> str:
    """The name by which the field knows such a file: ``desi-vi_<campaign>_round1_ABC.csv``."""
    return file_name(ws.root.name + (f"_round{round_number}" if round_number else ""), suffix)


def merged_csv(ws: Workspace, round_number: int | None) -> tuple[str, int]:
    """(text, rows) of the merged labels that hold, with the rule and its numbers, the merger and the votes."""
    merged = merges_store.merges(ws, round_number)
    names = objects_by_id(ws, (one.object_id for one in merged))
    numbers = [campaign.get_setting(ws, name) for name in ("votes_required", "dz_conflict", "quality_conflict")]
    good = f">= {campaign.get_setting(ws, 'quality_good'):g}"
    merged.sort(key=lambda one: (*names[one.object_id].sort_key(), one.at, one.uid))
    rows = [
        [
            *names[one.object_id].cells(), ws.root.name, one.round, one.spectype, one.z, one.quality, one.issues,
            one.comment, one.n_votes, one.rule, *numbers, good, one.by, one.unseen, one.names_shown, one.at,
            " ".join(one.vote_uids), one.uid,
        ]
        for one in merged
    ]  # fmt: skip
    return csv_text(MERGED_COLUMNS, rows), len(rows)


def truth_csv(ws: Workspace) -> tuple[str, int]:
    """(text, rows) of the labels that hold, with origin and role, withdrawn ones too."""
    labels, names, remarks = _truth(ws, include_excluded=True)
    rows = [
        [
            *names[int(one["object_id"])].cells(), str(one["spectype"]), float(one["z"]), float(one["quality"]),
            int(one["bal"]), *remarks[int(one["object_id"])], str(one["role"]), str(one["origin"]),
            str(one["source_kind"]), bool(one["excluded"]),
        ]
        for one in labels
    ]  # fmt: skip
    return csv_text(TRUTH_COLUMNS, rows), len(rows)


def events_csv(ws: Workspace, round_number: int | None) -> tuple[str, int]:
    """(text, rows) of all that people did, by object and time; ``entry`` is the place in the log, ``body`` JSON."""
    found = [one for one in events_store.events(ws) if round_number is None or one.round == round_number]
    names = objects_by_id(ws, (one.object_id for one in found if one.object_id is not None))
    nobody = ObjectName("", "", 0)
    named = [(nobody if one.object_id is None else names[one.object_id], one) for one in found]
    named.sort(key=lambda pair: (*pair[0].sort_key(), pair[1].at, pair[1].id))
    rows = [
        [*name.cells(), one.round, one.at, one.kind, one.by, one.id, one.uid,
         json.dumps(one.body, sort_keys=True, ensure_ascii=False)]
        for name, one in named
    ]  # fmt: skip
    return csv_text(EVENT_COLUMNS, rows), len(rows)


def settled_csv(ws: Workspace, kind: str, format: str, round_number: int | None) -> tuple[str, int, list[str]]:  # noqa: A002
    """(text, rows, notes) of merged labels or of the truth as ``desi-merged``, ``edr`` or ``quasarnet``."""
    pairs = _merged_labels(ws, round_number) if kind == "merged" else _truth_labels(ws)
    notes: list[str] = []
    if format == "quasarnet":
        from qnet_tui.truth.write import truth_csv as quasarnet_csv

        # A label without a class (nothing to be seen) has no place in that dialect, which trains on all its rows.
        with_class = [(name, label, bal) for name, label, bal in pairs if label.spectype]
        if len(with_class) < len(pairs):
            notes.append(f"{len(pairs) - len(with_class)} labels have no class: left out")
        return quasarnet_csv([_truth_label(*one) for one in with_class]), len(with_class), notes
    labels = [label for _, label, _ in pairs]
    return (desi_merged_csv(labels) if format == "desi-merged" else edr_csv(labels)), len(labels), notes


def _merged_labels(ws: Workspace, round_number: int | None) -> list[tuple[ObjectName, SettledLabel, int]]:
    merged = merges_store.merges(ws, round_number)
    names = objects_by_id(ws, (one.object_id for one in merged))
    rows = shown_rows(ws, names)
    votes = {vote.uid: vote for vote in votes_store.votes(ws, current=False)}
    merged.sort(key=lambda one: names[one.object_id].sort_key())
    made = []
    for one in merged:
        rule = MergeRule(name="desi2021" if one.rule == "desi2021" else "qnet1")
        theirs = joined_comments([votes[uid] for uid in one.vote_uids if uid in votes], rule)
        # The merger's own words stand behind the inspectors'.
        whole = not theirs or one.comment == theirs or one.comment.startswith(f"{theirs}; ")
        comments, mergers = (theirs, one.comment.removeprefix(theirs)) if whole else (one.comment, "")
        mergers = mergers.removeprefix("; ").removeprefix(f"{one.by}: ")
        name = names[one.object_id]
        label = SettledLabel(
            target=_target(name, rows.get(one.object_id)), spectype=one.spectype or "", z=one.z, quality=one.quality,
            issues=one.issues, comments=comments, merger_comment=mergers, n_vi=one.n_votes,
        )  # fmt: skip
        made.append((name, label, 0))
    return made


def _truth_labels(ws: Workspace) -> list[tuple[ObjectName, SettledLabel, int]]:
    labels, names, remarks = _truth(ws, include_excluded=False)
    rows = shown_rows(ws, names)
    made = []
    for one in labels:
        object_id = int(one["object_id"])
        issues, comment, n_vi = remarks[object_id]
        label = SettledLabel(
            target=_target(names[object_id], rows.get(object_id)), spectype=str(one["spectype"]), z=_known(one["z"]),
            quality=float(one["quality"]), issues=issues, comments=comment, n_vi=n_vi,
        )  # fmt: skip
        made.append((names[object_id], label, int(one["bal"])))
    return made


def _truth(
    ws: Workspace, *, include_excluded: bool
) -> tuple[Sequence[Any], dict[int, ObjectName], dict[int, tuple[str, str, int | None]]]:
    labels = truth_store.current_truth(ws, include_excluded=include_excluded)
    names = objects_by_id(ws, labels["object_id"].tolist())
    in_order: Iterable[Any] = sorted(labels, key=lambda one: names[int(one["object_id"])].sort_key())
    return list(in_order), names, truth_store.remarks(ws)


def _target(name: ObjectName, row: Any) -> Target:
    """What is known of an object from the row of it that people look at, None when there is none any more."""
    if row is None:
        return Target(name.targetid, sdss=name.sdss())
    place = (int(row["plate"]), int(row["mjd"]), int(row["fiberid"]))
    zwarn = int(row["pipeline_zwarn"])
    has_answer = bool(str(row["pipeline_class"]))
    return Target(
        targetid=name.targetid, ra=_known(row["ra"]), dec=_known(row["dec"]), fiber=place[2],
        tileid=int(row["tileid"]), flux_g=_known(row["flux_g"]), flux_r=_known(row["flux_r"]),
        flux_z=_known(row["flux_z"]), ebv=_known(row["ebv"]), pipeline_spectype=str(row["pipeline_class"]),
        pipeline_z=_known(row["pipeline_z"]), pipeline_zerr=_known(row["pipeline_zerr"]),
        pipeline_zwarn=zwarn if has_answer else None, pipeline_deltachi2=_known(row["pipeline_deltachi2"]),
        sdss=name.sdss(place),
    )  # fmt: skip


def _known(value: Any) -> float | None:
    number = float(value)
    # float32 columns: the shortest text of the float32, not the digits that its float64 makes up.
    if isinstance(value, np.float32):
        number = float(str(value))
    return None if math.isnan(number) else number


def _truth_label(name: ObjectName, label: SettledLabel, bal: int) -> "Label":
    from qnet_tui.truth.labels import Label

    thing_id, *place = name.sdss() or (-1, -1, -1, -1)
    return Label(
        targetid=name.targetid or None,
        thing_id=thing_id if thing_id > 0 else None,
        plate_mjd_fiber=(place[0], place[1], place[2]) if place[0] > 0 else None,
        spectype=label.spectype,
        z=label.z,
        quality=label.quality,
        bal=bal,
        issues=label.issues,
        comment=one_line("; ".join(filter(None, (label.comments, label.merger_comment)))),
        n_vi=label.n_vi,
        line=0,
    )
