"""Completeness and purity: how many quasars are found, and how many of those called quasars are ones.

Completeness is TP / (TP + FN) (Green et al. 2025, eq. 4.1) and impurity, 1 - purity, is FP / (TP + FP)
(eq. 4.2), with no condition on the redshift. The definition of Busca & Balland 2018 and Farr et al. 2020,
which asks for a right redshift too, is the option ``dv_max``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.evaluation.intervals import wilson
from qnet_tui.evaluation.redshifts import SPEED_OF_LIGHT_2018, dv_kms

C_THRESHOLD = 0.95  # working confidence threshold of the paper, compared with a strict >
DV_MAX_2018 = 6000.0  # km/s, Busca & Balland 2018


def share(k: int, n: int) -> float:
    """K / n, NaN for n = 0."""
    return k / n if n else float("nan")


class _Ratios:
    """What follows from counts, whatever they were counted over; a ratio is NaN where its denominator is 0."""

    __slots__ = ()

    tp: int
    right: int
    level: float

    def _denominators(self) -> tuple[int, int]:
        """Numbers of true and of predicted quasars."""
        raise NotImplementedError

    @property
    def completeness(self) -> float:
        """TP / (TP + FN), eq. 4.1."""
        return share(self.tp, self._denominators()[0])

    @property
    def purity(self) -> float:
        """TP / (TP + FP): 1 - impurity of eq. 4.2."""
        return share(self.right, self._denominators()[1])

    @property
    def impurity(self) -> float:
        """FP / (TP + FP), eq. 4.2."""
        predicted = self._denominators()[1]
        return share(predicted - self.right, predicted)

    @property
    def completeness_interval(self) -> tuple[float, float]:
        """Wilson interval (lo, hi) of the completeness."""
        return wilson(self.tp, self._denominators()[0], self.level)

    @property
    def purity_interval(self) -> tuple[float, float]:
        """Wilson interval (lo, hi) of the purity."""
        return wilson(self.right, self._denominators()[1], self.level)


@dataclass(frozen=True, slots=True)
class ClassificationCounts(_Ratios):
    """Counts of one evaluation, and what follows from them.

    ``tp`` true quasars found, ``fn`` true quasars missed, ``fp`` predictions that are wrong, ``tn`` the
    rest. ``right`` is the number of predictions that purity counts as right: equal to ``tp`` in the
    paper's definition; in the definition with ``dv_max`` another class at the right redshift can be right
    too. ``level`` is the coverage of the intervals. All ratios are NaN where their denominator is 0.
    """

    tp: int
    fp: int
    fn: int
    tn: int
    right: int
    level: float = 0.95

    @property
    def n_true(self) -> int:
        """Number of true quasars: the denominator of completeness."""
        return self.tp + self.fn

    @property
    def n_predicted(self) -> int:
        """Number of predicted quasars: the denominator of purity."""
        return self.right + self.fp

    def _denominators(self) -> tuple[int, int]:
        return self.n_true, self.n_predicted


def completeness_purity(
    is_qso_pred: ArrayLike,
    is_qso_true: ArrayLike,
    *,
    z_pred: ArrayLike | None = None,
    z_true: ArrayLike | None = None,
    dv_max: float | None = None,
    bad: ArrayLike | None = None,
    is_galaxy_true: ArrayLike | None = None,
    level: float = 0.95,
) -> ClassificationCounts:
    r"""Counts over rows (n,) of predictions against truth.

    ``is_qso_pred``, ``is_qso_true``, ``bad``, ``is_galaxy_true`` are bool (n,); rows with ``bad``
    (quality below 2.5) are left out. With ``dv_max`` in km/s the 2018 definition holds and needs
    ``z_pred`` and ``z_true`` (n,), NaN where there is none: a quasar is found when it is predicted and
    \|z - z_true\| c / (1 + z_true) <= dv_max with c = 3e5 km/s, and a prediction is right when its
    redshift is. ``is_galaxy_true`` narrows that as Farr et al. 2020 do: only predictions that are truly
    quasars or galaxies can be right. Raises ValueError when shapes differ or redshifts are lacking.
    """
    right, found, pred, true = _judge(is_qso_pred, is_qso_true, z_pred, z_true, dv_max, bad, is_galaxy_true)
    tp = int(np.count_nonzero(found))
    n_right = int(np.count_nonzero(right))
    return ClassificationCounts(
        tp=tp,
        fp=int(np.count_nonzero(pred)) - n_right,
        fn=int(np.count_nonzero(true)) - tp,
        tn=int(np.count_nonzero(_kept(bad, pred.size) & ~pred & ~true)),
        right=n_right,
        level=level,
    )


def _kept(bad: ArrayLike | None, n: int) -> NDArray[np.bool_]:
    return np.ones(n, dtype=np.bool_) if bad is None else ~np.asarray(bad, dtype=np.bool_)


def _judge(
    is_qso_pred: ArrayLike,
    is_qso_true: ArrayLike,
    z_pred: ArrayLike | None,
    z_true: ArrayLike | None,
    dv_max: float | None,
    bad: ArrayLike | None,
    is_galaxy_true: ArrayLike | None,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """(right predictions, found quasars, predictions, true quasars), bool (n,) each, without the bad rows."""
    pred, true = np.asarray(is_qso_pred, dtype=np.bool_), np.asarray(is_qso_true, dtype=np.bool_)
    keep = _kept(bad, pred.size)
    if not (pred.ndim == 1 and pred.shape == true.shape == keep.shape):
        raise ValueError(f"predictions, truth and bad differ in shape: {pred.shape}, {true.shape}, {keep.shape}")
    pred, true = pred & keep, true & keep
    if dv_max is None:
        found = pred & true
        return found, found, pred, true
    if z_pred is None or z_true is None:
        raise ValueError("the definition with dv_max needs z_pred and z_true")
    dv = dv_kms(z_pred, z_true, SPEED_OF_LIGHT_2018)
    if dv.shape != pred.shape:
        raise ValueError(f"redshifts {dv.shape} and predictions {pred.shape} differ in shape")
    with np.errstate(invalid="ignore"):
        z_good = np.abs(dv) <= dv_max  # False where either redshift is NaN
    right = pred & z_good
    if is_galaxy_true is not None:
        right &= true | np.asarray(is_galaxy_true, dtype=np.bool_)
    return right, pred & true & z_good, pred, true


@dataclass(frozen=True, slots=True)
class BinCounts(_Ratios):
    """One bin [lo, hi): ``tp`` of ``n_true`` quasars found, ``right`` of ``n_predicted`` right."""

    lo: float
    hi: float
    tp: int
    n_true: int
    right: int
    n_predicted: int
    level: float = 0.95

    def _denominators(self) -> tuple[int, int]:
        return self.n_true, self.n_predicted


def by_bins(
    is_qso_pred: ArrayLike,
    is_qso_true: ArrayLike,
    edges: ArrayLike,
    *,
    completeness_value: ArrayLike,
    purity_value: ArrayLike | None = None,
    z_pred: ArrayLike | None = None,
    z_true: ArrayLike | None = None,
    dv_max: float | None = None,
    bad: ArrayLike | None = None,
    is_galaxy_true: ArrayLike | None = None,
    level: float = 0.95,
) -> tuple[BinCounts, ...]:
    """Completeness and purity in bins [edges[i], edges[i+1]) of redshift, magnitude or signal to noise.

    ``completeness_value`` (n,) bins the true quasars, ``purity_value`` (n,) the predicted ones; the
    second is the first when it is not given (magnitude, S/N). By redshift, give the true z and the
    predicted z: purity at a true redshift is not defined for what is no quasar. Rows outside the edges or
    with NaN are in no bin. The other arguments are those of :func:`completeness_purity`.
    """
    borders = np.asarray(edges, dtype=np.float64)
    if borders.ndim != 1 or borders.size < 2 or np.any(np.diff(borders) <= 0):
        raise ValueError("edges must be two or more rising numbers")
    right, found, pred, true = _judge(is_qso_pred, is_qso_true, z_pred, z_true, dv_max, bad, is_galaxy_true)
    bin_true = _bin(completeness_value, borders)
    bin_pred = bin_true if purity_value is None else _bin(purity_value, borders)
    if not bin_true.shape == bin_pred.shape == pred.shape:
        raise ValueError(f"binned values {bin_true.shape}, {bin_pred.shape} and predictions {pred.shape} differ")
    counts = [
        np.bincount(where[mask & (where >= 0)], minlength=borders.size - 1)
        for where, mask in ((bin_true, found), (bin_true, true), (bin_pred, right), (bin_pred, pred))
    ]
    return tuple(
        BinCounts(lo, hi, int(tp), int(n_true), int(n_right), int(n_predicted), level)
        for lo, hi, tp, n_true, n_right, n_predicted in zip(
            borders[:-1].tolist(), borders[1:].tolist(), *counts, strict=True
        )
    )


def _bin(value: ArrayLike, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index (n,) i8 of the half-open bin of each value, -1 outside and for NaN."""
    number = np.asarray(value, dtype=np.float64)
    index = np.searchsorted(edges, number, side="right").astype(np.int64) - 1
    return np.where((number >= edges[0]) & (number < edges[-1]), index, -1)


def redshift_edges(z_max: float = 5.0, dz: float = 0.5) -> NDArray[np.float64]:
    """Edges 0, dz, 2 dz … up to at least z_max, f8; the published figures have dz = 0.5."""
    if not (dz > 0 and z_max > 0):
        raise ValueError("z_max and dz must be positive")
    edges: NDArray[np.float64] = np.arange(int(np.ceil(z_max / dz - 1e-9)) + 1, dtype=np.float64) * dz
    return edges


def committee_majority(c_qso: ArrayLike, c_threshold: float = C_THRESHOLD) -> NDArray[np.bool_]:
    """What the committee calls a quasar, bool (n,): more than half of its networks do at c > c_threshold.

    ``c_qso`` (n, networks) f4 is each network's confidence in the deciding line; NaN is a network that
    calls none. Half of an even committee is no majority. Raises ValueError for another shape or no
    network.
    """
    confidence = np.asarray(c_qso)
    if confidence.ndim != 2 or confidence.shape[1] == 0:
        raise ValueError(f"a committee needs confidences (rows, networks), got {confidence.shape}")
    calls = np.count_nonzero(confidence > c_threshold, axis=1)
    majority: NDArray[np.bool_] = 2 * calls > confidence.shape[1]
    return majority
