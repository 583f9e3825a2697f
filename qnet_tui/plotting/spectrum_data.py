"""One spectrum as it came from the telescope: its arms, what they are joined to, and where there is nothing.

A picture that showed only the joined curve would hide three things an inspector must know: which part two arms
share, which pixels were masked, and which arm is not there at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.plotting.ranges import data_range
from qnet_tui.plotting.smoothing import join_arms

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# (arm, first, last wavelength in Å) of DESI's cameras, for saying where one that is absent would have been.
DESI_COVERAGE: tuple[tuple[str, float, float], ...] = (
    ("b", 3600.0, 5800.0),
    ("r", 5760.0, 7620.0),
    ("z", 7520.0, 9824.0),
)

# Beyond this nothing is a measurement in any unit, and sums of it would not be finite.
_LARGEST = 1e100
# Pixels follow each other when they are no further apart than this many usual steps.
_FOLLOWS = 3.0
# Of an arm missing at either end this share of the width of the data is shown.
_SHOWN_OF_MISSING = 0.14


@dataclass(frozen=True, eq=False)
class ArmData:
    """The spectrum of one camera: ``wavelength`` Å increasing, ``flux``, ``ivar``; float64 (n,), ivar 0 = no data."""

    name: str
    wavelength: FloatArray
    flux: FloatArray
    ivar: FloatArray


Absence = Literal["missing", "masked", "no pixels"]


@dataclass(frozen=True)
class Stretch:
    """Observed wavelengths [``low``, ``high``) Å without data, why, and the ``arm`` ("" unless one is missing)."""

    low: float
    high: float
    why: Absence
    arm: str = ""


@dataclass(frozen=True, eq=False)
class SpectrumData:
    """A spectrum and its arms.

    ``wavelength`` (n,) Å increasing, ``flux`` and ``ivar`` (n,), float64, are all arms joined; ivar 0 = no data.
    ``arms`` may be empty when only the joined spectrum is known. ``missing`` are the absent arms, each with the
    wavelengths (low, high) Å that it would cover.
    """

    wavelength: FloatArray
    flux: FloatArray
    ivar: FloatArray
    arms: tuple[ArmData, ...] = ()
    missing: tuple[tuple[str, float, float], ...] = ()
    _stretches: list[Stretch] = field(default_factory=list, init=False, repr=False)

    @classmethod
    def of_arms(
        cls,
        arms: Iterable[tuple[str, ArrayLike, ArrayLike, ArrayLike]],
        expected: Sequence[tuple[str, float, float]] = (),
    ) -> SpectrumData:
        """Join ``arms`` (name, wavelength, flux, ivar; each (n,)).

        ``expected`` are the arms that such a spectrum has, with their coverage (:data:`DESI_COVERAGE`); those that
        are not among ``arms``, or have no pixel, are missing. Pixels that are not finite, or whose ivar is not
        finite and positive, get ivar 0.
        """
        made = tuple(_cleaned(*arm) for arm in arms)
        made = tuple(arm for arm in made if arm.wavelength.size)
        present = {arm.name.lower() for arm in made}
        missing = tuple(each for each in expected if each[0].lower() not in present)
        joined = join_arms([(arm.wavelength, arm.flux, arm.ivar) for arm in made])
        return cls(*joined, made, missing)

    @classmethod
    def of_arrays(cls, wavelength: ArrayLike, flux: ArrayLike, ivar: ArrayLike) -> SpectrumData:
        """Take one spectrum (n,) without arms."""
        arm = _cleaned("", wavelength, flux, ivar)
        return cls(arm.wavelength, arm.flux, arm.ivar)

    def overlaps(self) -> list[tuple[float, float]]:
        """Return the stretches [low, high] Å that two arms share, in order of wavelength."""
        arms = [arm for arm in self.arms if arm.wavelength.size]
        shared: list[tuple[float, float]] = []
        for index, first in enumerate(arms):
            for second in arms[index + 1 :]:
                low = max(float(first.wavelength[0]), float(second.wavelength[0]))
                high = min(float(first.wavelength[-1]), float(second.wavelength[-1]))
                if high > low:
                    shared.append((low, high))
        return sorted(shared)

    def has_data(self, wavelength: float, reach: float = 10.0) -> bool:
        """Return whether a pixel with data lies within ``reach`` Å of ``wavelength``."""
        first, stop = np.searchsorted(self.wavelength, (wavelength - reach, wavelength + reach))
        return bool(np.any(self.ivar[first:stop] > 0))

    def masked_stretches(self, min_width: float = 0.0) -> list[tuple[float, float]]:
        """Return the runs [low, high) Å of pixels without data that are at least ``min_width`` Å wide."""
        return [(each.low, each.high) for each in self.stretches(min_width) if each.why == "masked"]

    def stretches(self, min_width: float = 0.0) -> list[Stretch]:
        """Return every stretch without data at least ``min_width`` Å wide: missing arms, masks, and holes."""
        if not self._stretches:
            absent = [each for arm in self.missing for each in _uncovered(arm, self.wavelength)]
            self._stretches.extend(absent + _empty_stretches(self.wavelength, self.ivar > 0, absent))
        return [each for each in self._stretches if each.high - each.low >= min_width]


def shown_range(data: SpectrumData) -> tuple[float, float]:
    """Return the wavelengths [low, high) Å of the whole picture: the data, and a little of an arm missing at an end.

    The little is enough to say so, and takes no more than an eighth of the width.
    """
    low, high = data_range(data.wavelength, np.where(data.ivar > 0, data.flux, np.nan))
    reach = _SHOWN_OF_MISSING * (high - low)
    before = [edge for _, edge, _ in data.missing if edge < low]
    after = [edge for _, _, edge in data.missing if edge > high]
    return (
        max(min(before), low - reach) if before else low,
        min(max(after), high + reach) if after else high,
    )


def _cleaned(name: str, wavelength: ArrayLike, flux: ArrayLike, ivar: ArrayLike) -> ArmData:
    wave, values, weight = (np.asarray(column, np.float64).ravel() for column in (wavelength, flux, ivar))
    # NaN makes every comparison false.
    good = (np.abs(values) < _LARGEST) & (weight > 1.0 / _LARGEST) & (weight < _LARGEST)
    return ArmData(name, wave, np.where(good, values, 0.0), np.where(good, weight, 0.0))


def _uncovered(arm: tuple[str, float, float], wavelength: FloatArray) -> list[Stretch]:
    """Return what of a missing arm no other arm covers, its widest part."""
    name, low, high = arm
    inside = wavelength[(wavelength > low) & (wavelength < high)]
    edges = np.concatenate([[low], inside, [high]])
    widest = int(np.argmax(np.diff(edges)))
    return [Stretch(float(edges[widest]), float(edges[widest + 1]), "missing", name)]


def _empty_stretches(wavelength: FloatArray, good: BoolArray, absent: Sequence[Stretch]) -> list[Stretch]:
    """Return masked runs and holes between pixels; a hole that a missing arm explains is left to that arm."""
    if wavelength.size < 2:
        return []
    steps = np.diff(wavelength)
    usual = float(np.median(steps))
    breaks = np.flatnonzero(steps > _FOLLOWS * usual)
    middle = wavelength[:-1] + 0.5 * steps
    # Where a pixel begins and ends: halfway to its neighbour, or half a pixel beside a hole and at the ends.
    begins = np.concatenate([[wavelength[0] - 0.5 * usual], middle])
    ends = np.concatenate([middle, [wavelength[-1] + 0.5 * usual]])
    begins[breaks + 1] = wavelength[breaks + 1] - 0.5 * usual
    ends[breaks] = wavelength[breaks] + 0.5 * usual
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ~good, [False]]).astype(np.int8)))
    found = [
        Stretch(float(begins[first]), float(ends[stop - 1]), "masked")
        for first, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    ]
    for at in breaks.tolist():
        low, high = float(ends[at]), float(begins[at + 1])
        if not any(each.low < high and low < each.high for each in absent):
            found.append(Stretch(low, high, "no pixels"))
    return sorted(found, key=lambda each: each.low)
