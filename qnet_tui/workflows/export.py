"""``qnet export``: tables for others, a pure function of the database: the same database gives the same bytes."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import storage.rounds as rounds_store
import storage.spectra as spectra_store
from qnet_tui.errors import BadInput
from qnet_tui.whole_files import whole_file, write_whole
from qnet_tui.workflows.export_objects import objects_by_id
from storage.inspectors import inspectors
from storage.workspace import Workspace

OURS = "ours"
FORMATS = {
    "selection": (OURS,),
    "scores": (OURS,),
    "votes": (OURS, "prospect"),
    "merged": (OURS, "desi-merged", "edr", "quasarnet"),
    "truth": (OURS, "quasarnet", "desi-merged", "edr"),
    "events": (OURS,),
    "dropped": (OURS,),
}
"""What can be exported, and how; ``csv`` is another name of ours."""
KINDS = tuple(FORMATS)

SELECTION_COLUMNS = (
    "rank", "TARGETID", "ENTROPY", "C_NOT", "C_QSO_LZ", "C_QSO_HZ", "N_NETWORKS", "BMU", "CELL_COUNT", "REJECTED",
    "SURVEY", "ID", "SCORE", "STRATEGY", "WHY",
)  # fmt: skip


@dataclass(frozen=True)
class ExportResult:
    """What ``qnet export`` says: all rows, the file (the folder when there are several), and sentences for the user."""

    rows: int
    file: Path
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def export(
    root: Path,
    kind: str,
    target: Path,
    *,
    round_number: int | None = None,
    format: str = OURS,  # noqa: A002
    inspector: str | None = None,
) -> ExportResult:
    """Write one table of the workspace at ``root``.

    ``round_number`` None is the last round (selection), the last that a run scored (scores), or all of them. In a
    folder the file gets the name that the field gives it. A file of Prospect has one inspector: ``inspector`` names
    whom, or a folder takes a file for each. Errors: :class:`BadInput` for an unknown kind or format, or a round or an
    inspector that there is not.
    """
    if kind not in KINDS:
        raise BadInput(f"no table is called {kind!r}", mend=f"choose {', '.join(KINDS)}")
    chosen = OURS if format == "csv" else format
    if chosen not in FORMATS[kind]:
        raise BadInput(f"{kind} has no format {format!r}", mend=f"choose {', '.join(FORMATS[kind])}")
    if inspector is not None and kind != "votes":
        raise BadInput(f"{kind} are not an inspector's", mend="--inspector goes with votes")
    with Workspace.open(root) as ws:
        if round_number is not None and round_number not in {r.round for r in rounds_store.rounds(ws)}:
            raise BadInput(f"there is no round {round_number}", mend="see qnet review rounds")
        if inspector is not None:
            inspector = _registered(ws, inspector)
        if chosen == "prospect":
            return _export_prospect(ws, target, round_number, inspector)
        place = target / _file_name(ws, kind, chosen, round_number) if target.is_dir() else target
        if kind in {"selection", "scores", "dropped"}:
            return ExportResult(write_table(place, *_table(ws, kind, round_number)), place)
        text, rows, notes = _text(ws, kind, chosen, round_number, inspector)
        write_whole(place, text.encode("utf-8"))
        return ExportResult(rows, place, notes=tuple(notes))


def _table(ws: Workspace, kind: str, number: int | None) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    if kind == "dropped":
        return dropped_table(ws)
    if kind == "scores":
        from qnet_tui.workflows.given_round import last_scored_round

        return scores_table(ws, last_scored_round(ws) if number is None else number)
    number = number or max((r.round for r in rounds_store.rounds(ws)), default=0)
    if not number:
        raise BadInput("no round has been selected yet", mend="qnet run-al makes one")
    return selection_table(ws, number)


def _text(
    ws: Workspace, kind: str, chosen: str, number: int | None, inspector: str | None
) -> tuple[str, int, Sequence[str]]:
    from qnet_tui.workflows import export_inspection as inspection

    if chosen != OURS:
        return inspection.settled_csv(ws, kind, chosen, number)
    if kind == "votes":
        return *inspection.votes_csv(ws, number, inspector), ()
    if kind == "merged":
        return *inspection.merged_csv(ws, number), ()
    if kind == "events":
        return *inspection.events_csv(ws, number), ()
    return *inspection.truth_csv(ws), ()


def _export_prospect(ws: Workspace, target: Path, number: int | None, inspector: str | None) -> ExportResult:
    from qnet_tui.inspection.prospect_file import prospect_csv
    from qnet_tui.workflows.export_inspection import prospect_files, standard_name

    made, notes = prospect_files(ws, number, inspector)
    if target.is_dir():
        places = {code: target / standard_name(ws, number, code) for code in made}
    elif len(made) > 1:
        raise BadInput(
            f"votes of {', '.join(made)}, and a file of Prospect has one inspector",
            mend="give --inspector CODE, or a folder with -o",
        )
    else:
        made = made or {inspector or "": (prospect_csv([]), 0)}
        places = dict.fromkeys(made, target)
    for code, place in places.items():
        write_whole(place, made[code][0].encode("ascii"))
    return ExportResult(sum(rows for _, rows in made.values()), target, tuple(places.values()), tuple(notes))


def _registered(ws: Workspace, code: str) -> str:
    codes = [one.code for one in inspectors(ws)]
    found = next((one for one in codes if one.lower() == code.lower()), None)
    if found is None:
        raise BadInput(f"there is no inspector {code}", mend=f"there are {', '.join(codes) or 'none'}")
    return found


def _file_name(ws: Workspace, kind: str, chosen: str, number: int | None) -> str:
    """The name of a table in a folder that was asked for instead of a file."""
    from qnet_tui.workflows.export_inspection import standard_name

    if chosen == "desi-merged":
        return standard_name(ws, number, "merged")
    return f"{ws.root.name}-{kind}{f'-round{number}' if number else ''}{'' if chosen == OURS else f'-{chosen}'}.csv"


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
    """Every row that the committee of one round scored, with its calls, in the order of the pool.

    Of a row that not every network was asked about (N_NETWORKS says how many were) ENTROPY and fractions are those of
    the networks that were asked, and SCORE is empty.
    """
    from qnet_tui.workflows.round_plan import read_pool
    from qnet_tui.workflows.round_scores import pool_scores
    from qnet_tui.workflows.round_selection import scored_round

    files, members, settings = scored_round(ws, round_number)
    pool, on_map = read_pool(files)
    said = pool_scores(files, members, pool.object_key, settings)
    header = ("row", "TARGETID", "EXPID", "SCORE", "ENTROPY", "C_NOT", "C_QSO_LZ", "C_QSO_HZ", "N_NETWORKS", "BMU",
              "CELL_COUNT", "REJECTED")  # fmt: skip

    def rows() -> Iterator[list[Any]]:
        for first in range(0, len(pool), settings.block_rows):
            part = slice(first, first + settings.block_rows)
            some = said.scores.part(part)
            cells = np.asarray(on_map.bmu[part])
            columns = (
                pool.row_id[part].tolist(), [t or "" for t in pool.targetid[part].tolist()], pool.expid[part].tolist(),
                some.score.tolist(), some.entropy.tolist(), *some.fractions.T.tolist(), some.n_networks.tolist(),
                cells.tolist(), on_map.counts[cells].tolist(), on_map.rejected[cells].astype(int).tolist(),
            )  # fmt: skip
            yield from (list(row) for row in zip(*columns, strict=True))

    return header, rows()


def dropped_table(ws: Workspace) -> tuple[Sequence[str], list[list[Any]]]:
    """Rows of the ingested files that have no vector, by file and row, each with its reason."""
    found = spectra_store.dropped_rows(ws)
    return ("path", "row", "TARGETID", "reason"), [[d.path, d.hdu_row, d.targetid or "", d.reason] for d in found]


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    # repr of a float is the shortest text that reads back as the same number.
    return repr(float(value)) if isinstance(value, float) else value
