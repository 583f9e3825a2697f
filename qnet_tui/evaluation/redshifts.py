"""How wrong redshifts are: velocity errors, catastrophic fractions, median and scatter, the worst cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.evaluation.intervals import wilson

SPEED_OF_LIGHT = 299792.458  # km/s
SPEED_OF_LIGHT_2018 = 3.0e5  # km/s, the value of the 2018 and 2020 analyses
# km/s. The paper's own cuts are lost from its text: these are ours, 3000 and 6000 the usual pair.
CATASTROPHIC_CUTS = (1000.0, 3000.0, 6000.0, 12000.0)
NMAD_FACTOR = 1.4826  # makes the median absolute deviation of a Gaussian its sigma


def dv_kms(z_pred: ArrayLike, z_true: ArrayLike, speed_of_light: float = SPEED_OF_LIGHT) -> NDArray[np.float64]:
    """Velocity error c (z_pred - z_true) / (1 + z_true) in km/s, f8 (n,), NaN where a redshift is NaN."""
    truth = np.asarray(z_true, dtype=np.float64)
    return speed_of_light * (np.asarray(z_pred, dtype=np.float64) - truth) / (1.0 + truth)


@dataclass(frozen=True, slots=True)
class CatastrophicFraction:
    """``k`` of ``n`` objects are off by more than ``cut_kms``; ``lo``, ``hi`` is the Wilson interval."""

    cut_kms: float
    k: int
    n: int
    fraction: float
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class RedshiftErrors:
    """Velocity errors of ``n`` objects in km/s: median, NMAD, and the catastrophic fractions."""

    n: int
    median_kms: float
    nmad_kms: float
    catastrophic: tuple[CatastrophicFraction, ...]


def redshift_errors(
    z_pred: ArrayLike,
    z_true: ArrayLike,
    *,
    use: ArrayLike | None = None,
    cuts: Sequence[float] = CATASTROPHIC_CUTS,
    speed_of_light: float = SPEED_OF_LIGHT,
    level: float = 0.95,
) -> RedshiftErrors:
    r"""Summary of the errors of the rows in ``use`` (n,) bool, usually true quasars that were called quasars.

    Rows with a NaN redshift are left out, and so out of ``n``. The NMAD is 1.4826 median(\|dv -
    median(dv)\|). A row is catastrophic at a cut when \|dv\| > cut, strictly. All figures are NaN for n =
    0.
    """
    dv = dv_kms(z_pred, z_true, speed_of_light)
    if use is not None:
        dv = dv[np.asarray(use, dtype=np.bool_)]
    dv = dv[np.isfinite(dv)]
    n = int(dv.size)
    median = float(np.median(dv)) if n else float("nan")
    nmad = NMAD_FACTOR * float(np.median(np.abs(dv - median))) if n else float("nan")
    fractions = []
    for cut in cuts:
        k = int(np.count_nonzero(np.abs(dv) > cut))
        lo, hi = wilson(k, n, level)
        fractions.append(CatastrophicFraction(float(cut), k, n, k / n if n else float("nan"), lo, hi))
    return RedshiftErrors(n, median, nmad, tuple(fractions))


@dataclass(frozen=True, slots=True)
class WorstCase:
    """One object with a large error: its position in the arrays, its name, both redshifts, dv in km/s."""

    index: int
    object_id: str
    z_true: float
    z_pred: float
    dv_kms: float


def worst_cases(
    object_ids: Sequence[Any] | NDArray[Any],
    z_pred: ArrayLike,
    z_true: ArrayLike,
    *,
    use: ArrayLike | None = None,
    count: int = 20,
    min_dv_kms: float = 0.0,
    speed_of_light: float = SPEED_OF_LIGHT,
) -> tuple[WorstCase, ...]:
    r"""The ``count`` rows with the largest \|dv\| > ``min_dv_kms``, worst first, ties in row order.

    ``object_ids`` (n,) names the rows; ``use`` (n,) bool restricts them; rows with a NaN redshift are
    left out.
    """
    if count < 0:
        raise ValueError(f"count {count} is negative")
    dv = dv_kms(z_pred, z_true, speed_of_light)
    if len(object_ids) != dv.size:
        raise ValueError(f"{len(object_ids)} names for {dv.size} redshifts")
    wanted = np.isfinite(dv) & (np.abs(dv) > min_dv_kms)
    if use is not None:
        wanted &= np.asarray(use, dtype=np.bool_)
    rows = np.flatnonzero(wanted)
    rows = rows[np.argsort(-np.abs(dv[rows]), kind="stable")][:count]
    pred, true = np.asarray(z_pred, dtype=np.float64), np.asarray(z_true, dtype=np.float64)
    return tuple(WorstCase(int(i), str(object_ids[int(i)]), float(true[i]), float(pred[i]), float(dv[i])) for i in rows)
