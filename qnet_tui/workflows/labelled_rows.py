"""From truth to the rows a network may learn from or be measured on.

An object's exposures and the coadd of the same exposures are never counted as independent: training takes the coadd
where there is one, else every exposure; what is measured is per object, on one row each.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.shards as shards
import storage.spectra as spectra_store
from storage.workspace import Workspace

ROLE_TRAIN, ROLE_VALIDATION = "train", "validation"

ROWS_DTYPE = np.dtype(
    [
        ("id", "i8"),
        ("object_id", "i8"),
        ("targetid", "i8"),
        ("expid", "i8"),
        ("file_id", "i4"),
        ("hdu_row", "i4"),
        ("shard_id", "i4"),
        ("shard_row", "i4"),
        ("snr", "f4"),
        ("coadd", "?"),
        ("target", "?"),
        ("arm_missing", "?"),
    ],
    align=True,
)
"""What a round asks of every row, in 56 bytes (200 MB for 3.6 million rows; all columns of the table are 340 bytes).

``target``: OBJTYPE is TGT; ``arm_missing``: an expected arm has no data; the others as in the table of rows.
"""

_SAME = ("id", "object_id", "targetid", "expid", "file_id", "hdu_row", "shard_id", "shard_row", "snr")
_COLUMNS = (*_SAME, "kind", "objtype", "arms_missing")


@dataclass(frozen=True)
class LabelledRows:
    """``n`` spectra with what is known of their objects."""

    row_id: NDArray[np.int64]
    object_id: NDArray[np.int64]
    x: NDArray[np.float32]
    z: NDArray[np.float64]
    is_qso: NDArray[np.bool_]
    bal: NDArray[np.int8]
    origin: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.row_id)


def best_rows(rows: NDArray[Any], *, one_per_object: bool) -> NDArray[np.int64]:
    """Positions in ``rows`` of the spectra that stand for each object.

    The coadd of the highest S/N where there is one; else all its exposures, or with ``one_per_object`` the exposure
    of the highest S/N. ``rows`` is the structured array of :func:`all_rows` or :func:`storage.spectra.read_rows`; the
    result is sorted.
    """
    with_object = np.flatnonzero(rows["object_id"] > 0)
    some = rows[with_object]
    snr = np.nan_to_num(some["snr"].astype(np.float64), nan=-np.inf)
    coadd = some["coadd"] if "coadd" in (some.dtype.names or ()) else some["kind"] == "coadd"
    # By object, coadds first, best S/N first, then by id so that equal rows give the same choice every time.
    order = np.lexsort((some["id"], -snr, ~coadd, some["object_id"]))
    first = np.ones(len(order), dtype=bool)
    first[1:] = some["object_id"][order][1:] != some["object_id"][order][:-1]
    if one_per_object:
        return np.asarray(np.sort(with_object[order[first]]), dtype=np.int64)
    has_coadd = np.repeat(coadd[order[first]], np.diff(np.append(np.flatnonzero(first), len(order))))
    return np.asarray(np.sort(with_object[order[first | ~has_coadd]]), dtype=np.int64)


def labelled_rows(
    ws: Workspace,
    rows: NDArray[Any],
    labels: NDArray[Any],
    *,
    one_per_object: bool,
    keep_bad_as_negative: bool = False,
    training: bool = False,
) -> LabelledRows:
    """The spectra of the labelled objects with targets; insecure labels are dropped (or kept as non-quasars).

    ``training`` also drops corrupted spectra, those with a jump of 1e4 or more between neighbouring pixels, as the
    readers of the original training did; what is measured is measured on all.
    """
    from qnet_tui.spectra.vectors import has_extreme_jump
    from qnet_tui.truth.classes import training_targets

    use, z, is_qso, bal = training_targets(
        labels["spectype"], labels["z"], labels["quality"], labels["bal"], keep_bad_as_negative
    )
    labels, z, is_qso, bal = labels[use], z[use], is_qso[use], bal[use]
    mine = rows[of_objects(rows["object_id"], labels["object_id"])]
    mine = mine[best_rows(mine, one_per_object=one_per_object)]
    x = shards.gather(ws, mine["shard_id"], mine["shard_row"])
    if training:
        sane = ~has_extreme_jump(x)
        mine, x = mine[sane], x[sane]
    at = np.searchsorted(labels["object_id"], mine["object_id"])
    return LabelledRows(
        row_id=mine["id"].astype(np.int64),
        object_id=mine["object_id"].astype(np.int64),
        x=x,
        z=np.asarray(z[at], dtype=np.float64),
        is_qso=np.asarray(is_qso[at], dtype=bool),
        bal=np.asarray(bal[at], dtype=np.int8),
        origin=labels["origin"][at],
    )


def validation_rows(ws: Workspace, rows: NDArray[Any], labels: NDArray[Any]) -> LabelledRows:
    """One spectrum for each validation object with a secure label."""
    return labelled_rows(ws, rows, labels[labels["role"] == ROLE_VALIDATION], one_per_object=True)


def all_rows(ws: Workspace, where: str | None = None) -> NDArray[np.void]:
    """What a round asks of every row that has a vector, sorted by id: an array of :data:`ROWS_DTYPE`.

    Read page by page, so that millions of rows need little more memory than the result. ``where`` and errors are
    those of :func:`storage.spectra.read_rows`, which also has all columns.
    """
    pages = spectra_store.row_pages(ws, where, columns=_COLUMNS)
    return spectra_store.joined(map(_compact, pages), ROWS_DTYPE)


def _compact(page: NDArray[np.void]) -> NDArray[np.void]:
    out = np.empty(len(page), dtype=ROWS_DTYPE)
    for name in _SAME:
        out[name] = page[name]
    out["coadd"] = page["kind"] == "coadd"
    out["target"] = page["objtype"] == "TGT"
    out["arm_missing"] = page["arms_missing"] != ""
    return out


def of_objects(object_ids: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows that show one of the ``wanted`` objects, bool (n,); object 0 is none.

    A table by object id: our ids are small and dense, and sorting millions of them needs ten times the memory.
    """
    known = np.zeros(1 + int(max(object_ids.max(initial=0), wanted.max(initial=0))), dtype=bool)
    known[wanted] = True
    known[0] = False
    return np.asarray(known[object_ids])
