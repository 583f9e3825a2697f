"""What labels mean to the training and to its validation: good, class, use, split.

The class matrix is the one of QuasarNET's training scripts (STAR, GALAXY, QSO below and above z = 2.1,
BAD). Rows of low quality are dropped here, as the paper says; ``keep_bad_as_negative`` trains them as
non-quasars, as the authors' code does.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.errors import BadInput

QUALITY_GOOD = 2.5  # a label is truth when quality >= this: the operator of all code, the paper says "above"
QUALITY_OPERATOR = ">="
Z_SPLIT = 2.1  # QSO_LZ is z < 2.1, QSO_HZ is z >= 2.1
SPECTYPES = ("STAR", "GALAXY", "QSO")
MATRIX_COLUMNS = ("STAR", "GALAXY", "QSO_LZ", "QSO_HZ", "BAD")


def is_good(quality: ArrayLike) -> NDArray[np.bool_]:
    """True where ``quality`` (n,) is 2.5 or better; a NaN is not good."""
    return np.asarray(quality, dtype=np.float64) >= QUALITY_GOOD


def class_matrix(spectype: Sequence[str] | NDArray[Any], z: ArrayLike, quality: ArrayLike) -> NDArray[np.int8]:
    """Class matrix Y (n, 5), int8 of 0 and 1: STAR, GALAXY, QSO_LZ, QSO_HZ, BAD; one 1 in each row.

    ``spectype`` (n,) of STAR, GALAXY, QSO, or "" below 2.5; ``z`` (n,) may be NaN except for good quasars;
    ``quality`` (n,) 0 to 4. The first four columns need quality >= 2.5, BAD is the rest. Raises ValueError for
    another class or for a good quasar without a redshift: a label of ours never has either. Source:
    QuasarNET ``get_Y_desi``.
    """
    kind, redshift, good = _arrays(spectype, z, quality)
    quasar = good & (kind == "QSO")
    if np.isnan(redshift[quasar]).any():
        raise ValueError("a quasar of quality >= 2.5 has no redshift")
    y = np.zeros((kind.size, len(MATRIX_COLUMNS)), dtype=np.int8)
    y[:, 0] = good & (kind == "STAR")
    y[:, 1] = good & (kind == "GALAXY")
    y[:, 2] = quasar & (redshift < Z_SPLIT)
    y[:, 3] = quasar & (redshift >= Z_SPLIT)
    y[:, 4] = ~good
    return y


def training_targets(
    spectype: Sequence[str] | NDArray[Any],
    z: ArrayLike,
    quality: ArrayLike,
    bal: ArrayLike,
    keep_bad_as_negative: bool = False,
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_], NDArray[np.int8]]:
    """(use (n,) bool, z (n,) f8, is_qso (n,) bool, bal (n,) i1) that the boxes of the training are made of.

    A row is used when quality >= 2.5. With ``keep_bad_as_negative`` all rows are used and those below 2.5
    count as non-quasars whatever their class. A missing z becomes 0, for it only ever belongs to a
    non-quasar, whose boxes are all zero, and a NaN would survive the product with a weight of 0. ``bal``
    is +1, -1 or 0 (weight 0).
    """
    kind, redshift, good = _arrays(spectype, z, quality)
    is_qso = good & (kind == "QSO")
    if np.isnan(redshift[is_qso]).any():
        raise ValueError("a quasar of quality >= 2.5 has no redshift")
    flag = np.asarray(bal, dtype=np.int8)
    if flag.shape != kind.shape or np.any(np.abs(flag) > 1):
        raise ValueError("bal must hold -1, 0 or 1 for each row")
    use = np.ones_like(good) if keep_bad_as_negative else good
    return use, np.where(np.isnan(redshift), 0.0, redshift), is_qso, flag


def _arrays(
    spectype: Sequence[str] | NDArray[Any], z: ArrayLike, quality: ArrayLike
) -> tuple[NDArray[np.str_], NDArray[np.float64], NDArray[np.bool_]]:
    kind = np.asarray(spectype, dtype=np.str_)
    redshift = np.asarray(z, dtype=np.float64)
    good = is_good(quality)
    if not (kind.ndim == 1 and kind.shape == redshift.shape == good.shape):
        raise ValueError(f"spectype, z and quality differ in shape: {kind.shape}, {redshift.shape}, {good.shape}")
    # Nobody has to tell the class of a spectrum that shows nothing; what trains as something has one.
    strange = ~np.isin(kind, SPECTYPES) & ~((kind == "") & ~good)
    if strange.any():
        raise ValueError(f"class {str(kind[strange][0])!r} is none of {', '.join(SPECTYPES)}")
    return kind, redshift, good


def split_validation(
    object_ids: Sequence[str] | Sequence[int] | NDArray[Any],
    fraction: float,
    seed: int,
    strata: Sequence[str] | NDArray[Any],
) -> NDArray[np.bool_]:
    """Mask (n,) of the rows held out for validation, drawn by object within each stratum.

    ``object_ids`` (n,) names the object of each row: rows of one object fall on the same side. ``strata``
    (n,) is the class of each row; an object with rows of several takes the alphabetically first. The
    number of held-out objects is ``round(fraction * objects)``, shared among the strata by largest
    remainder. The answer for an object depends on the set of (object, stratum) pairs and the seed, never
    on the order of the rows. Raises BadInput unless 0 < fraction < 1 and seed >= 0.
    """
    if not 0.0 < fraction < 1.0:
        raise BadInput(f"a validation fraction of {fraction} holds out nothing or everything", mend="use e.g. 0.3")
    if seed < 0:
        raise BadInput(f"seed {seed} is negative", mend="use 0 or more")
    ids, stratum = np.asarray(object_ids), np.asarray(strata, dtype=np.str_)
    if ids.ndim != 1 or ids.shape != stratum.shape:
        raise ValueError(f"object_ids and strata differ in shape: {ids.shape}, {stratum.shape}")
    if ids.size == 0:
        return np.zeros(0, dtype=np.bool_)
    # Sorted by object, then stratum: the first entry of each object is its alphabetically first stratum.
    order = np.lexsort((stratum, ids))
    objects, first, inverse = np.unique(ids[order], return_index=True, return_inverse=True)
    object_stratum = stratum[order][first]
    names, counts = np.unique(object_stratum, return_counts=True)
    share = _largest_remainder(counts, fraction)
    held = np.zeros(objects.size, dtype=np.bool_)
    streams = np.random.SeedSequence(seed).spawn(names.size)
    for name, n_held, stream in zip(names, share, streams, strict=True):
        members = np.flatnonzero(object_stratum == name)
        held[np.random.default_rng(stream).permutation(members)[:n_held]] = True
    mask = np.empty(ids.size, dtype=np.bool_)
    mask[order] = held[inverse]
    return mask


def _largest_remainder(counts: NDArray[np.int64], fraction: float) -> NDArray[np.int64]:
    """Whole numbers that add up to round(fraction * sum(counts)), each within 1 of fraction * count."""
    quota = fraction * counts
    share: NDArray[np.int64] = np.floor(quota).astype(np.int64)
    missing = round(fraction * int(counts.sum())) - int(share.sum())
    # A stable sort on the negated remainder: ties go to the alphabetically first stratum.
    share[np.argsort(-(quota - share), kind="stable")[:missing]] += 1
    return share
