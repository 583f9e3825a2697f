"""Completeness and purity as the confidence threshold moves (Green et al. 2025, Fig. 7)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.evaluation.intervals import wilson

N_THRESHOLDS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdCurve:
    """One point per threshold, arrays (m,): thresholds f8, counts i8, ratios f8 (NaN for 0/0)."""

    thresholds: NDArray[np.float64]
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    completeness: NDArray[np.float64]
    purity: NDArray[np.float64]
    completeness_interval: tuple[NDArray[np.float64], NDArray[np.float64]]
    purity_interval: tuple[NDArray[np.float64], NDArray[np.float64]]


def deciding_confidence(c_line: ArrayLike, n_lines: int = 1) -> NDArray[np.floating]:
    """Confidence (n,) of the ``n_lines``-th most confident of the lines ``c_line`` (6, n), in its own dtype.

    A row is a quasar at threshold t exactly when this is > t. The BAL head must not be among the lines:
    upstream's curve lets it vote, though nothing trains it. Raises ValueError unless 1 <= n_lines <=
    number of lines.
    """
    confidence = np.asarray(c_line)
    if confidence.ndim != 2 or not 1 <= n_lines <= confidence.shape[0]:
        raise ValueError(f"n_lines {n_lines} does not fit confidences of shape {confidence.shape}")
    # A NaN would sort above every number and count as confident.
    known = np.where(np.isnan(confidence), -np.inf, confidence)
    decisive: NDArray[np.floating] = np.sort(known, axis=0)[-n_lines]
    return decisive


def threshold_curve(
    c_qso: ArrayLike,
    is_qso_true: ArrayLike,
    thresholds: ArrayLike | None = None,
    *,
    bad: ArrayLike | None = None,
    level: float = 0.95,
) -> ThresholdCurve:
    """Counts and ratios at each threshold t: a row is called a quasar when ``c_qso`` (n,) > t, strictly.

    ``thresholds`` (m,) defaults to linspace(0, 1, 1000). They are compared in the dtype of the
    confidences, so that a curve's point at 0.95 is what a network's own rule gives. NaN confidences call
    nothing. ``bad`` rows are left out. At thresholds where nothing is called, purity is NaN (0/0).
    """
    confidence, true = np.asarray(c_qso), np.asarray(is_qso_true, dtype=np.bool_)
    if confidence.ndim != 1 or confidence.shape != true.shape:
        raise ValueError(f"confidences {confidence.shape} and truth {true.shape} differ in shape")
    if bad is not None:
        keep = ~np.asarray(bad, dtype=np.bool_)
        confidence, true = confidence[keep], true[keep]
    steps = np.linspace(0.0, 1.0, N_THRESHOLDS) if thresholds is None else np.asarray(thresholds, dtype=np.float64)
    confidence = np.where(np.isnan(confidence), -np.inf, confidence)
    limits = steps.astype(confidence.dtype)
    above_true = _count_above(confidence[true], limits)
    above_other = _count_above(confidence[~true], limits)
    n_true = int(np.count_nonzero(true))
    called = above_true + above_other
    with np.errstate(invalid="ignore", divide="ignore"):
        completeness, purity = above_true / np.float64(n_true), above_true / called
    return ThresholdCurve(
        thresholds=steps,
        tp=above_true,
        fp=above_other,
        fn=n_true - above_true,
        completeness=completeness,
        purity=purity,
        completeness_interval=wilson(above_true, n_true, level),
        purity_interval=wilson(above_true, called, level),
    )


def average_precision(c_qso: ArrayLike, is_qso_true: ArrayLike) -> float:
    """Area under purity against completeness over all thresholds: Σ (completeness_k - completeness_{k-1}) · purity_k.

    The sum runs over the distinct confidences ``c_qso`` (n,) from the highest down (rows of one confidence come in
    together), so it depends on no choice of thresholds and does not interpolate. 1 where every quasar is above every
    other row; NaN without a quasar. A NaN confidence is never called: its quasar is never found.
    Source: Everingham et al. 2010, IJCV 88, 303, without their interpolation.
    """
    tp, called, _, n_true = _from_the_top(c_qso, is_qso_true)
    if not n_true:
        return float("nan")
    gained = np.diff(tp, prepend=0)
    return float(np.sum(gained * (tp / called)) / n_true)


@dataclass(frozen=True, slots=True)
class AtPurity:
    """The most complete threshold of a purity: counts of the rows with confidence > ``c_threshold``."""

    c_threshold: float
    tp: int
    fp: int
    fn: int

    @property
    def completeness(self) -> float:
        """TP / (TP + FN)."""
        return self.tp / (self.tp + self.fn)

    @property
    def purity(self) -> float:
        """TP / (TP + FP), at least the one asked for."""
        return self.tp / (self.tp + self.fp)


def completeness_at_purity(c_qso: ArrayLike, is_qso_true: ArrayLike, purity: float = 0.95) -> AtPurity | None:
    """Where the purity is at least ``purity`` and the completeness the largest; None where no threshold reaches it.

    ``c_qso`` (n,) are confidences, NaN calls nothing. The threshold is the next lower confidence that occurs (0 below
    the lowest), so that "strictly above it" calls exactly the counted rows. Raises ValueError unless 0 < purity <= 1.
    """
    if not 0.0 < purity <= 1.0:
        raise ValueError(f"purity {purity} is not between 0 and 1")
    tp, called, confidence, n_true = _from_the_top(c_qso, is_qso_true)
    # Counts and not ratios are compared: 19 of 20 is 0.95 whatever the rounding.
    # A confidence of 0 is above no threshold.
    enough = np.flatnonzero((tp >= purity * called - 1e-9) & (tp > 0) & (confidence > 0))
    if not enough.size:
        return None
    at = int(enough[-1])
    below = float(confidence[at + 1]) if at + 1 < confidence.size else 0.0
    return AtPurity(below, int(tp[at]), int(called[at] - tp[at]), n_true - int(tp[at]))


def _from_the_top(
    c_qso: ArrayLike, is_qso_true: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.floating], int]:
    """Right calls and calls with a confidence at or above each distinct one, those from the highest; true quasars."""
    confidence, true = np.asarray(c_qso), np.asarray(is_qso_true, dtype=np.bool_)
    if confidence.ndim != 1 or confidence.shape != true.shape:
        raise ValueError(f"confidences {confidence.shape} and truth {true.shape} differ in shape")
    n_true = int(np.count_nonzero(true))
    known = confidence > -np.inf  # Neither NaN nor the -inf of :func:`deciding_confidence`.
    order = np.argsort(-confidence[known], kind="stable")
    confidence, true = confidence[known][order], true[known][order]
    last = np.flatnonzero(np.diff(confidence, append=-np.inf) != 0)
    return np.cumsum(true, dtype=np.int64)[last], (last + 1).astype(np.int64), confidence[last], n_true


def _count_above(values: NDArray[np.floating], limits: NDArray[np.floating]) -> NDArray[np.int64]:
    """How many of ``values`` are strictly greater than each of ``limits``, i8 like ``limits``."""
    ranks = np.searchsorted(np.sort(values), limits, side="right")
    return (values.size - ranks).astype(np.int64)
