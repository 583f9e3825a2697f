"""The range of a chart's axis: where a value falls among the dots, and the round numbers written beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.plotting.ticks import round_step, tick_label, ticks

Floats = NDArray[np.float64]

# Beyond this a difference of two values overflows.
_HUGE = 1e300

# A narrower range, relative to its values, is widened: rounding would make stairs of it.
_NARROW = 1e-12

# Positions are kept within this many dots of the picture: far enough that a line's slope at the edge stays right.
_FAR = 1e6

# An axis is folded where this share of it shows nothing, and where it has this many cells.
_MOSTLY_EMPTY, _FOLDABLE = 0.5, 10

_SUFFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))

# Heights of a range are given room above and below, as a share of it.
_ROOM = 0.04


@dataclass(frozen=True)
class Span:
    """An axis from ``low`` to ``high`` (finite, rising); of a logarithmic axis these are the base-10 logarithms.

    ``skip`` (below, above) is a stretch where nothing is, pressed together between the shares ``folds`` of the axis.
    """

    low: float
    high: float
    log: bool = False
    skip: tuple[float, float] | None = None
    folds: tuple[float, float] = (0.0, 0.0)

    def position(self, values: ArrayLike, dots: int) -> Floats:
        """Return where ``values`` fall among ``dots`` dots: 0 at ``low``, ``dots`` - 1 at ``high``.

        Outside the range positions lie outside, NaN for what is not finite (or not positive on a logarithmic axis).
        """
        with np.errstate(all="ignore"):
            flat = np.asarray(values, np.float64)
            flat = np.where(np.abs(flat) < _HUGE, flat, np.nan)
            if self.log:
                flat = np.log10(np.where(flat > 0, flat, np.nan))
            return np.clip(self._share(flat) * (dots - 1), -_FAR, _FAR)

    def _share(self, values: Floats) -> Floats:
        if self.skip is None:
            return (values - self.low) / (self.high - self.low)
        below, above = self.skip
        lower, upper = self.folds
        parts = [
            (values - self.low) / (below - self.low) * lower,
            lower + (values - below) / (above - below) * (upper - lower),
            upper + (values - above) / (self.high - above) * (1 - upper),
        ]
        return np.where(values <= below, parts[0], np.where(values < above, parts[1], parts[2]))

    @property
    def parts(self) -> list[tuple[Span, float]]:
        """The stretches of the axis that hold values, rising, each with its share of the axis."""
        if self.skip is None:
            return [(self, 1.0)]
        lower, upper = self.folds
        return [(Span(self.low, self.skip[0]), lower), (Span(self.skip[1], self.high), 1 - upper)]

    def cell(self, value: float, cells: int, per_cell: int) -> int | None:
        """Return the cell (of ``cells`` cells, ``per_cell`` dots each) that holds ``value``; None outside."""
        dots = cells * per_cell
        place = float(self.position(value, dots))
        if not math.isfinite(place) or not -0.5 <= place <= dots - 0.5:
            return None
        return min(max(math.floor(place + 0.5), 0), dots - 1) // per_cell


def span_of(
    values: Sequence[ArrayLike], asked: tuple[float, float] | None = None, *, log: bool = False, room: bool = False
) -> Span:
    """Return ``asked`` where it is a range, else what ``values`` cover; never empty, never infinite.

    ``room`` leaves a little space at both ends, but does not go past 0 or 1 for that: shares end there.
    """
    if asked is not None:
        ends = _scaled(np.asarray(asked, np.float64), log)
        if ends.size == 2 and ends[0] != ends[1]:
            return _widened(float(ends.min()), float(ends.max()), log)
    parts = [_scaled(np.asarray(part, np.float64).ravel(), log) for part in values]
    joined = np.concatenate(parts) if parts else np.empty(0)
    if joined.size == 0:
        return Span(0.0, 1.0, log)
    low, high = float(joined.min()), float(joined.max())
    span = _widened(low, high, log)
    if not room or log:
        return span
    space = _ROOM * (span.high - span.low)
    bottom = span.low if low >= 0 > low - space else span.low - space
    top = span.high if high <= 1 < high + space else span.high + space
    return Span(bottom, top, log)


def folded(extents: Sequence[tuple[float, float]], span: Span, cells: int) -> Span:
    """Return ``span`` with its greatest empty stretch pressed together, if that is most of it.

    ``extents`` (low, high) are what each curve covers. Completeness near 0.95 and impurity near 0.02 are both read
    then; on one straight axis both would be flat lines. ``cells`` is the length of the axis, of which one is the fold.
    """
    reach = -math.inf
    best: tuple[float, float, float] | None = None
    for low, high in sorted(extents):
        if math.isfinite(reach) and (best is None or low - reach > best[0]):
            best = (low - reach, reach, low)
        reach = max(reach, high)
    if best is None or span.log or cells < _FOLDABLE or best[0] < _MOSTLY_EMPTY * (span.high - span.low):
        return span
    lower = span_of([_at_least(min(low for low, _ in extents), best[1], span)], room=True)
    upper = span_of([_at_least(best[2], reach, span)], room=True)
    fold = 1.5 / cells
    share = min(max(sum(high <= best[1] for _, high in extents) / len(extents), 0.3), 0.5) * (1 - fold)
    if not lower.low < lower.high < upper.low < upper.high:
        return span
    return Span(lower.low, upper.high, skip=(lower.high, upper.low), folds=(share, share + fold))


def _at_least(low: float, high: float, span: Span) -> tuple[float, float]:
    """Widen a side of a fold to a fortieth of the axis: a flat curve is not blown up to its last digit."""
    missing = max(0.0, (span.high - span.low) / 40 - (high - low)) / 2
    below = low - missing
    return (0.0 if low >= 0 > below else below), high + missing


def _scaled(values: Floats, log: bool) -> Floats:
    good = values[np.abs(values) < _HUGE]
    return np.log10(good[good > 0]) if log else good


def _widened(low: float, high: float, log: bool) -> Span:
    size = max(abs(low), abs(high))
    if high - low > max(_NARROW * size, 1e-290):
        return Span(low, high, log)
    half = 0.5 if log else max(0.05 * size, 1e-280) if size > 0 else 1.0
    return Span(low - half, high + half, log)


def axis_ticks(span: Span, most: int) -> list[tuple[float, str]]:
    """Return (value, label) of at most about ``most`` round numbers of the axis, rising.

    Labels are decimals (0.90), thousands (10 k) or millions (3.6 M); powers of ten only beyond 10^15 or below 10^-4.
    """
    if span.log:
        return _log_ticks(span, most)
    most = max(most, 1)
    values = ticks(span.low, span.high, most)
    if not values:
        return []
    step = round_step(span.high - span.low, most)
    size = max(abs(values[0]), abs(values[-1]))
    if size >= 1e15 or (0 < size < 1e-4):
        return [(value, tick_label(value, step) if value else "0") for value in values]
    unit, letter = next(((u, s) for u, s in _SUFFIXES if size >= (1e4 if u == 1e3 else u)), (1.0, ""))
    digits = _decimals(step / unit)
    return [(value, _with_suffix(value / unit, digits, letter)) for value in values]


def count_label(count: float) -> str:
    """Write a number of at most three digits and a suffix: 7, 950, 1.2 k, 36 k, 3.6 M."""
    for unit, letter in _SUFFIXES:
        if abs(count) >= unit * 0.9995:
            short = f"{count / unit:.3g}" if abs(count) < unit * 1e3 else f"{count / unit:.0e}"
            return f"{short} {letter}"
    return f"{count:.3g}"


def rough_label(value: float) -> str:
    """Write ``value`` with two digits: 1, 10, 0.25, 1.1 k."""
    if not math.isfinite(value) or value == 0:
        return "0"
    digits = 1 - math.floor(math.log10(abs(value)))
    return count_label(round(value, digits))


def log_count_ticks(top: float, most: int) -> list[tuple[float, str]]:
    """Return (height, label) of the counts 0, 1, 10, 100, … on a scale of log10(1 + count) that ends at ``top``."""
    decades = [10.0**power for power in range(16) if math.log10(1 + 10.0**power) <= top]
    every = max(1, math.ceil(len(decades) / max(most, 1)))
    shown = [0.0, *reversed(decades[::-1][::every])] if decades else [0.0]
    return [(math.log10(1 + count), count_label(count)) for count in shown]


def _decimals(step: float) -> int:
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return digits if abs(round(step, digits) - step) <= 1e-6 * step else digits + 1


def _with_suffix(value: float, digits: int, letter: str) -> str:
    text = f"{value:.{digits}f}"
    if not text.strip("-0."):
        return "0" if letter else text.removeprefix("-")
    return f"{text} {letter}" if letter else text


def _log_ticks(span: Span, most: int) -> list[tuple[float, str]]:
    first, last = math.ceil(span.low - 1e-9), math.floor(span.high + 1e-9)
    if last - first < 1:  # less than a decade: round numbers between
        low, high = 10.0**span.low, 10.0**span.high
        return axis_ticks(Span(low, high), most) if _NARROW < low < high < _HUGE else []
    every = max(1, math.ceil((last - first + 1) / max(most, 1)))
    powers = [power for power in range(first, last + 1) if power % every == 0 and -300 < power < 300]
    return [(10.0**power, _power_label(power)) for power in powers]


def _power_label(power: int) -> str:
    if 0 <= power < 15:
        return count_label(10.0**power)
    return f"{10.0**power:.{-power}f}" if -4 <= power < 0 else f"1e{power}"
