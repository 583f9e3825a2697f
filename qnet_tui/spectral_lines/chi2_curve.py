"""The chi2 of one template against a spectrum at every redshift around a start, and the minimum of that curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from qnet_tui.spectral_lines.linear_model import Solution, coefficient_limits, polynomials, solve, trial_scale
from qnet_tui.spectral_lines.log_spectrum import LogSpectrum
from qnet_tui.spectral_lines.noise_model import less_outliers, outside_winds, trusted_weights
from qnet_tui.spectral_lines.rest_grid import DEX, LIGHT_KMS, STEP_KMS, FloatArray
from qnet_tui.spectral_lines.templates import Template

FEWEST_SAMPLES = 30
_APART_KMS = 1000.0
# What a template leaves unexplained hangs together over this many samples, so chi2 counts it as often.
_TOGETHER = {"QSO": 2.5, "GALAXY": 1.5, "STAR": 1.5}
# What the samples of the grid and the wavelengths of the models leave open, km/s.
_FLOOR_KMS = {"QSO": 25.0, "GALAXY": 10.0, "STAR": 15.0}
# Samples between the first trials: lines are wider than that, in galaxies (and quasars' narrow ones) not by much.
_STRIDE = {"QSO": 2, "GALAXY": 2, "STAR": 3}
# Minima of the first curve that are looked at again with outliers taken down.
_LOOKED_AT = 3


@dataclass(frozen=True)
class Minimum:
    """The lowest chi2 of one template; ``z_error`` where chi2 has risen by one unit.

    The unit is what chi2 has per degree of freedom (never below one) times the samples over which a template's faults
    hang together. ``delta_chi2`` is the rise, in that unit, to the next best redshift more than 1000 km/s away.
    ``cost`` compares templates of one class. ``at_edge``: the curve still falls where it ends.
    """

    z: float
    z_error: float
    cost: float
    delta_chi2: float
    template: str
    at_edge: bool


def best_minimum(spectrum: LogSpectrum, template: Template, shifts: range) -> Minimum | None:
    """Return the minimum over ``shifts`` of the template in samples; None where the two do not meet.

    None also when the best that the template can do is to stand on its head.
    """
    trial = _Trial.prepare(spectrum, template, shifts)
    if trial is None:
        return None
    stride = _STRIDE[template.spectype]
    coarse = shifts[::stride]
    shift, weight = trial.weighed(trial.lowest(coarse))
    # Broad troughs pull a template to the red: without the flanks that they can reach, the other lines decide.
    kept = trial.weight * outside_winds(trial.wave, weight, trial.weight, trial.z(shift)) if trial.is_quasar else None
    if kept is not None and (kept != trial.weight).any():
        trial = replace(trial, weight=kept)
        shift, weight = trial.weighed(trial.lowest(coarse))
    curve = {s: trial.solution(s, weight).chi2 for s in coarse}
    for _ in range(2):
        centre = min(curve, key=curve.__getitem__)
        near = range(max(centre - stride, shifts[0]), min(centre + stride, shifts[-1]) + 1)
        curve |= {s: trial.solution(s, weight).chi2 for s in near if s not in curve}
    if not trial.is_upright(min(curve, key=curve.__getitem__), weight):
        return None
    return trial.minimum(curve, weight, shifts)


def lowest_chi2(spectrum: LogSpectrum, template: Template, shifts: range) -> float:
    """Return the lowest chi2 over a few of the ``shifts``, infinite where the two do not meet: which star it may be."""
    trial = _Trial.prepare(spectrum, template, shifts)
    if trial is None:
        return float("inf")
    return min(trial.solution(s, trial.weight).chi2 for s in shifts[:: _STRIDE[template.spectype]])


@dataclass(frozen=True, eq=False)
class _Trial:
    """A template on the grid of a spectrum, both cut to the samples that they share at every shift."""

    template: Template
    step: int
    wave: FloatArray
    rows: FloatArray
    start: int
    poly: FloatArray
    flux: FloatArray
    weight: FloatArray
    limits: FloatArray

    @classmethod
    def prepare(cls, spectrum: LogSpectrum, template: Template, shifts: range) -> _Trial | None:
        rows, first = _on_grid(template, spectrum.step)
        # Samples that the template covers at every shift, so that chi2 always sums the same data.
        low = max(spectrum.first, first + shifts[-1])
        high = min(spectrum.first + spectrum.flux.size, first + rows.shape[1] + shifts[0])
        if high - low < FEWEST_SAMPLES:
            return None
        part = slice(low - spectrum.first, high - spectrum.first)
        wave, flux = spectrum.wavelength[part], spectrum.flux[part]
        z = 10.0 ** (DEX * spectrum.step * 0.5 * (shifts[0] + shifts[-1])) - 1.0
        weight = trusted_weights(wave, flux, spectrum.weight[part], z, template.spectype == "QSO")
        if np.count_nonzero(weight) < FEWEST_SAMPLES:
            return None
        reached = rows[:, low - first - shifts[-1] : high - first - shifts[0]]
        some = np.abs(reached).max(axis=1) > 1e-3 * np.abs(rows).max(axis=1)
        some[0] = True
        limits = coefficient_limits(template.spread, template.bounds, some)
        return cls(
            template,
            spectrum.step,
            wave,
            rows[some],
            low - first,
            polynomials(wave, wave[0], wave[-1]),
            flux,
            weight,
            limits,
        )

    @property
    def is_quasar(self) -> bool:
        """Return whether absorption on the way to us is to be expected."""
        return self.template.spectype == "QSO"

    def z(self, shift: float) -> float:
        """Return the redshift of a shift."""
        return float(10.0 ** (DEX * self.step * shift)) - 1.0

    def lowest(self, shifts: Sequence[int]) -> list[int]:
        """Return the shifts of the deepest local minima of the curve over some, ends included."""
        curve = np.array([self.solution(s, self.weight).chi2 for s in shifts])
        inner = np.concatenate([[np.inf], curve, [np.inf]])
        places = np.flatnonzero((curve <= inner[:-2]) & (curve <= inner[2:]))
        return [shifts[int(place)] for place in places[np.argsort(curve[places], kind="stable")][:_LOOKED_AT]]

    def _columns(self, shift: int) -> FloatArray:
        moved = self.rows[:, self.start - shift : self.start - shift + self.flux.size]
        return np.concatenate([self.poly * moved[:1], moved[1:]])

    def solution(self, shift: int, weight: FloatArray) -> Solution:
        columns = self._columns(shift)
        return solve(columns, self.flux, weight, self.limits * trial_scale(columns[0], self.flux, weight))

    def model(self, shift: int, weight: FloatArray) -> FloatArray:
        """Return the best model at a shift, (n,)."""
        return np.asarray(np.einsum("k,kn", self.solution(shift, weight).coefficients, self._columns(shift)))

    def is_upright(self, shift: int, weight: FloatArray) -> bool:
        """Return whether the best model at a shift is light, as the template is, and not its negative."""
        return bool(np.einsum("i,i,i", weight, self._columns(shift)[0], self.model(shift, weight)) > 0)

    def weighed(self, shifts: list[int]) -> tuple[int, FloatArray]:
        """Return the best of some shifts and the weights without what it leaves unexplained."""
        found: list[tuple[float, int, FloatArray]] = []
        for shift in shifts:
            weight = self.weight
            for _ in range(2):
                model = self.model(shift, weight)
                weight = less_outliers(self.flux, model, self.weight, self.is_quasar)
            found.append((self.cost(model), shift, weight))
        _, shift, weight = min(found, key=lambda one: one[:2])
        return shift, weight

    def minimum(self, curve: dict[int, float], weight: FloatArray, shifts: range) -> Minimum:
        shift = min(curve, key=curve.__getitem__)
        lowest = curve[shift]
        edge = shift in (shifts[0], shifts[-1])
        left, right = curve.get(shift - 1, np.inf), curve.get(shift + 1, np.inf)
        offset, curvature = (0.0, 1.0) if edge else _parabola(left, lowest, right)
        used = int(np.count_nonzero(weight > 0.1 * self.weight))
        kind = self.template.spectype
        unit = max(1.0, lowest / max(used - self.limits.shape[1], 1)) * _TOGETHER[kind]
        step_kms = STEP_KMS * self.step
        z = self.z(shift + offset)
        error_kms = np.hypot(np.sqrt(2.0 * unit / curvature) * step_kms, _FLOOR_KMS[kind])
        far = [chi2 for s, chi2 in curve.items() if abs(s - shift) * step_kms > _APART_KMS]
        return Minimum(
            z=z,
            z_error=float(error_kms) / LIGHT_KMS * (1.0 + z),
            cost=self.cost(self.model(shift, weight)),
            delta_chi2=(min(far) - lowest) / unit if far else 0.0,
            template=self.template.name,
            at_edge=edge,
        )

    def cost(self, model: FloatArray) -> float:
        """Return how badly a model does, where one wild sample counts little more than a bad one."""
        return float(np.sum(np.log1p((self.flux - model) ** 2 * self.weight / 9.0)))


@lru_cache(maxsize=64)
def _on_grid(template: Template, step: int) -> tuple[FloatArray, int]:
    """Return the rows of a template averaged to samples of ``step`` grid steps, and the first sample's number."""
    low = int(np.ceil(np.log10(template.wavelength[0]) / DEX + 1e-6))
    high = int(np.floor(np.log10(template.wavelength[-1]) / DEX - 1e-6))
    low = -(-low // step)
    high = (high + 1) // step - 1
    fine = 10.0 ** (DEX * (step * low + np.arange(step * (high - low + 1)) - 0.5 * (step - 1)))
    rows = np.array([np.interp(fine, template.wavelength, row) for row in template.basis])
    return rows.reshape(len(rows), -1, step).mean(axis=2), low


def _parabola(left: float, lowest: float, right: float) -> tuple[float, float]:
    """Return the offset of the minimum (in steps) and the second difference of three chi2 values."""
    curvature = left - 2 * lowest + right
    if not (np.isfinite(curvature) and curvature > 0):
        return 0.0, 1e-12
    return 0.5 * (left - right) / curvature, curvature
