"""The rows that a round can choose from, as plain arrays, and what to know of them before the choice."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Pool:
    """Rows as plain arrays of one length n, in any order.

    ``row_id`` and ``object_key`` are our ids (object 0: the row has no identity); ``targetid`` 0 when the
    survey has none; ``target`` OBJTYPE is TGT (no sky, no standard of the instrument); ``coadd`` the row is a coadd,
    not an exposure; ``arm_missing`` an expected arm has no data (never for SDSS); ``expid`` -1 when there is none;
    ``file_order`` the place of the row's file among the files by name; ``hdu_row`` its row there. The last flags are
    true for all rows of an object: it is labelled, was queued in a round, or is on a list of objects to leave out;
    ``where`` is true for rows that the user's expression admits. Numbers of any width, and no text: the columns of
    3.6 million rows are 180 MB.
    """

    row_id: Ints
    object_key: Ints
    targetid: Ints
    target: Bools
    arm_missing: Bools
    coadd: Bools
    expid: Ints
    file_order: Ints
    hdu_row: Ints
    labelled: Bools
    queued: Bools
    excluded: Bools
    where: Bools

    def __post_init__(self) -> None:
        """Refuse arrays of different lengths."""
        lengths = {f.name: len(getattr(self, f.name)) for f in fields(self)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the columns of a pool differ in length: {lengths}")

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.row_id)


def countable(pool: Pool) -> Bools:
    """Rows that count for the cells of the map, bool (n,): those with a TARGETID > 0.

    Repeats count, and so do rows of a survey that has no TARGETID (0) but identifies its objects otherwise;
    negative ones (sky, stuck fibres) do not.
    """
    return np.asarray((pool.targetid > 0) | ((pool.targetid == 0) & (pool.object_key > 0)))


def lacks_arm(pool: Pool) -> Bools:
    """Rows that lack an expected arm, and all rows of the objects of which a coadd does, bool (n,).

    People look at the coadd, so an object is no use to them without a whole one, whatever its exposures have.
    """
    objects = np.unique(pool.object_key[pool.arm_missing & pool.coadd & (pool.object_key > 0)])
    return np.asarray(pool.arm_missing | np.isin(pool.object_key, objects))
