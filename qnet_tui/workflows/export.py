"""``qnet export``: tables for others, a pure function of the database: the same database gives the same bytes."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import storage.merges as merges_store
import storage.rounds as rounds_store
import storage.spectra as spectra_store
import storage.truth as truth_store
import storage.votes as votes_store
from qnet_tui.errors import BadInput
from qnet_tui.whole_files import whole_file
from storage.workspace import Workspace

if TYPE_CHECKING:
    from qnet_tui.truth.labels import Label

KINDS = ("selection", "scores", "votes", "merged", "truth", "dropped")

SELECTION_COLUMNS = (
    "rank", "TARGETID", "ENTROPY", "C_NOT", "C_QSO_LZ", "C_QSO_HZ", "N_NETWORKS", "BMU", "CELL_COUNT", "REJECTED",
    "SURVEY", "ID", "SCORE", "STRATEGY", "WHY",
)  # fmt: skip


@dataclass(frozen=True)
class ExportResult:
    """What ``qnet export`` says."""

    rows: int
    file: Path


def export(
    root: Path,
    kind: str,
    target: Path,
    *,
    round_number: int | None = None,
    format: str = "csv",  # noqa: A002
) -> ExportResult:
    """Write one table of the workspace at ``root``.

    ``round_number`` None is the last round (selection, scores) or all rounds (votes, merged, truth).
    Errors: :class:`BadInput` for an unknown kind or a round that does not exist.
    """
    if kind not in KINDS:
        raise BadInput(f"no table is called {kind!r}", mend=f"choose {', '.join(KINDS)}")
    with Workspace.open(root) as ws:
        if kind in {"selection", "scores"} and round_number is None:
            round_number = max((r.round for r in rounds_store.rounds(ws) if r.round > 0), default=None)
            if round_number is None:
                raise BadInput("no round has been selected yet", mend="qnet run-al makes one")
        if kind == "truth" and format == "quasarnet":
            return _export_quasarnet_truth(ws, target)
        if format != "csv":
            raise BadInput(f"{kind} has no format {format!r}", mend="csv, or quasarnet for truth")
        rows: Iterable[list[Any]]
        if kind == "selection":
            header, rows = selection_table(ws, int(round_number or 0))
        elif kind == "scores":
            header, rows = scores_table(ws, int(round_number or 0))
        elif kind == "votes":
            header, rows = votes_table(ws, round_number)
        elif kind == "merged":
            header, rows = merged_table(ws, round_number)
        elif kind == "truth":
            header, rows = truth_table(ws)
        else:
            header, rows = dropped_table(ws)
        return ExportResult(write_table(target, header, rows), target)


@dataclass(frozen=True)
class ObjectName:
    """How an object is called: its survey, its identity there, its TARGETID (0 when it has none)."""

    survey: str
    identity: str
    targetid: int


def objects_by_id(ws: Workspace, ids: Iterable[int]) -> dict[int, ObjectName]:
    """Names of the given objects."""
    found = spectra_store.objects(ws, sorted(set(ids)))
    return {int(o["id"]): ObjectName(str(o["survey"]), str(o["identity"]), int(o["targetid"])) for o in found}


def write_table(target: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a CSV (RFC 4180 quoting, LF line ends), whole or not at all; return the rows."""
    count = 0
    with whole_file(target) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow([_cell(value) for value in row])
            count += 1
    return count


def selection_table(ws: Workspace, round_number: int) -> tuple[Sequence[str], list[list[Any]]]:
    """The selection of one round in the order of rank; SURVEY and ID name what has no TARGETID."""
    records = rounds_store.selection(ws, round_number)
    if not records:
        raise BadInput(f"round {round_number} has no selection", mend="see qnet review rounds")
    objects = objects_by_id(ws, (r.object_id for r in records))
    return SELECTION_COLUMNS, [
        [
            r.rank, objects[r.object_id].targetid or "", r.entropy, r.c_not, r.c_qso_lz, r.c_qso_hz, r.n_networks,
            r.bmu, r.cell_count, int(r.rejected), objects[r.object_id].survey, objects[r.object_id].identity,
            r.score, r.strategy, r.why,
        ]
        for r in records
    ]  # fmt: skip


def scores_table(ws: Workspace, round_number: int) -> tuple[Sequence[str], Iterable[list[Any]]]:
    """Every row that the committee of one round scored, with its calls, in the order of the pool."""
    from qnet_tui.workflows.progress import silent
    from qnet_tui.workflows.round_plan import read_pool
    from qnet_tui.workflows.round_selection import score_pool, scored_round

    files, members, settings = scored_round(ws, round_number)
    pool, on_map = read_pool(files)
    scores = score_pool(files, members, pool.object_key, settings, silent)
    header = ("row", "TARGETID", "EXPID", "SCORE", "ENTROPY", "C_NOT", "C_QSO_LZ", "C_QSO_HZ", "N_NETWORKS", "BMU",
              "CELL_COUNT", "REJECTED")  # fmt: skip
    fractions, networks = scores.fractions, scores.n_networks
    return header, (
        [
            int(pool.row_id[i]), int(pool.targetid[i]) or "", int(pool.expid[i]), float(scores.score[i]),
            float(scores.entropy[i]), *fractions[i].tolist(), int(networks[i]), int(on_map.bmu[i]),
            int(on_map.counts[on_map.bmu[i]]), int(on_map.rejected[on_map.bmu[i]]),
        ]
        for i in range(len(pool))
    )  # fmt: skip


def votes_table(ws: Workspace, round_number: int | None) -> tuple[Sequence[str], list[list[Any]]]:
    """Raw votes with everything that peers lose (inspection.md 2.7), by object, then time."""
    votes = votes_store.votes(ws, round=round_number, current=False)
    current = {v.uid for v in votes_store.votes(ws, round=round_number)}
    objects = objects_by_id(ws, (v.object_id for v in votes))
    facts = {(n, r.object_id): r for n in {v.round for v in votes} for r in rounds_store.selection(ws, n)}
    header = ("SURVEY", "ID", "TARGETID", "round", "selection_rank", "entropy", "inspector", "VI_SPECTYPE", "VI_Z",
              "VI_QUALITY", "VI_ISSUE", "VI_COMMENT", "z_source", "committed_at", "active_seconds", "blind_peers",
              "blind_model", "app_version", "superseded")  # fmt: skip
    rows = []
    for v in votes:
        o, s = objects[v.object_id], facts.get((v.round, v.object_id))
        rows.append([
            o.survey, o.identity, o.targetid or "", v.round, s.rank if s else "", s.entropy if s else "", v.inspector,
            v.spectype or "", v.z, v.quality, v.issues, v.comment, v.z_source, v.committed_at, v.active_seconds,
            int(v.blind_peers), int(v.blind_model), v.app_version, int(v.uid not in current),
        ])  # fmt: skip
    rows.sort(key=lambda r: (r[0], r[1], r[13]))
    return header, rows


def merged_table(ws: Workspace, round_number: int | None) -> tuple[Sequence[str], list[list[Any]]]:
    """Merged labels, by object."""
    merged = merges_store.merges(ws, round_number)
    objects = objects_by_id(ws, (m.object_id for m in merged))
    header = ("SURVEY", "ID", "TARGETID", "round", "best_spectype", "best_z", "best_quality", "all_VI_issues",
              "all_VI_comments", "N_VI", "rule", "merger", "unseen")  # fmt: skip
    rows = [
        [objects[m.object_id].survey, objects[m.object_id].identity, objects[m.object_id].targetid or "", m.round,
         m.spectype or "", m.z, m.quality, m.issues, m.comment, m.n_votes, m.rule, m.by, int(m.unseen)]
        for m in merged
    ]  # fmt: skip
    rows.sort(key=lambda r: (r[0], r[1]))
    return header, rows


def truth_table(ws: Workspace) -> tuple[Sequence[str], list[list[Any]]]:
    """Current labels with origin and role, withdrawn ones too, by object."""
    labels = truth_store.current_truth(ws, include_excluded=True)
    objects = objects_by_id(ws, labels["object_id"].tolist())
    header = (
        "SURVEY",
        "ID",
        "TARGETID",
        "VI_CLASS",
        "VI_Z",
        "VI_QUALITY",
        "bal",
        "role",
        "origin",
        "kind",
        "excluded",
    )
    rows = []
    for label in labels:
        o = objects[int(label["object_id"])]
        rows.append([o.survey, o.identity, o.targetid or "", str(label["spectype"]), float(label["z"]),
                     float(label["quality"]), int(label["bal"]), str(label["role"]), str(label["origin"]),
                     str(label["source_kind"]), int(label["excluded"])])  # fmt: skip
    rows.sort(key=lambda r: (r[0], r[1]))
    return header, rows


def dropped_table(ws: Workspace) -> tuple[Sequence[str], list[list[Any]]]:
    """Rows of the ingested files that have no vector, by file and row, each with its reason."""
    found = spectra_store.dropped_rows(ws)
    return ("path", "row", "TARGETID", "reason"), [[d.path, d.hdu_row, d.targetid or "", d.reason] for d in found]


def _export_quasarnet_truth(ws: Workspace, target: Path) -> ExportResult:
    """Current labels in the dialect that QuasarNET's training reads, by survey and id."""
    from qnet_tui.truth.write import write_truth

    labels = truth_store.current_truth(ws)
    objects = objects_by_id(ws, labels["object_id"].tolist())
    made = sorted(
        ((objects[int(label["object_id"])], label) for label in labels),
        key=lambda pair: (pair[0].survey, pair[0].targetid, pair[0].identity),
    )
    # A label without a class (nothing to be seen) has no place in that dialect, which trains on all its rows.
    write_truth(target, [_truth_label(o, label) for o, label in made if str(label["spectype"])])
    return ExportResult(sum(1 for _, label in made if str(label["spectype"])), target)


def _truth_label(name: ObjectName, label: Any) -> "Label":
    from qnet_tui.truth.labels import Label

    plate_mjd_fiber = None
    if name.identity.startswith("P"):
        plate, mjd, fiberid = (int(part) for part in name.identity[1:].split("-"))
        plate_mjd_fiber = (plate, mjd, fiberid)
    z = float(label["z"])
    return Label(
        targetid=name.targetid or None,
        thing_id=int(name.identity[1:]) if name.identity.startswith("T") else None,
        plate_mjd_fiber=plate_mjd_fiber,
        spectype=str(label["spectype"]),
        z=None if np.isnan(z) else z,
        quality=float(label["quality"]),
        bal=int(label["bal"]),
        issues="",
        comment="",
        n_vi=None,
        line=0,
    )


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    # repr of a float is the shortest text that reads back as the same number.
    return repr(float(value)) if isinstance(value, float) else value
