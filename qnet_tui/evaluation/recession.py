"""Recession velocities of two redshifts and how often they agree (Green et al. 2025, section 4.3.2 and Fig. 10).

v(z) = H(z) D_c(z) / (1 + z), with the comoving distance D_c = (c / H0) ∫ dz' / E(z') and
E² = Ωm (1 + z)³ + Ωk (1 + z)² + ΩΛ. The constants are those of the authors' notebook, whose table of 2,500 redshifts
from -0.1 to 6 is interpolated; H0 cancels. A network can answer redshifts outside that table (its Halpha reaches down
to -0.45, its LYA up to 7.19): ours goes on at the same step, so that such answers count as what they are, agreement or
disagreement, and are not left out. The two cuts of the paper (89 % and 97.6 %) are lost from its text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.evaluation.intervals import wilson

AGREEMENT_CUTS = (1000.0, 3000.0, 6000.0, 12000.0)
"""km/s, not from the paper."""
DEFAULT_CUTS = (3000.0, 6000.0)
"""km/s, not from the paper either: the pair drawn in the chart; at the second a redshift is called another one."""

_PAPER_FIRST, _PAPER_LAST, _PAPER_POINTS = -0.1, 6.0, 2500
_STEPS_BELOW, _STEPS_ABOVE = 250, 900  # Steps of the paper's table added: it then goes from -0.71 to 8.2.


@dataclass(frozen=True, slots=True)
class Cosmology:
    """Densities today, H0 in km/s/Mpc and c in km/s; the defaults are those of the paper, with c = 3e5."""

    omega_m: float = 0.284
    omega_lambda: float = 0.651
    omega_k: float = 0.065
    h0: float = 68.0
    speed_of_light: float = 3.0e5

    def expansion(self, z: ArrayLike) -> NDArray[np.float64]:
        """E(z) = H(z) / H0, f8 of the shape of ``z``."""
        a = 1.0 + np.asarray(z, dtype=np.float64)
        return np.asarray(np.sqrt(self.omega_m * a**3 + self.omega_k * a**2 + self.omega_lambda))


PAPER = Cosmology()


def recession_velocity(z: ArrayLike, cosmology: Cosmology = PAPER) -> NDArray[np.float64]:
    """v(z) in km/s, f8 of the shape of ``z``; NaN for a NaN redshift and outside -0.71 … 8.2."""
    redshift = np.asarray(z, dtype=np.float64)
    nodes, velocity = _table(cosmology)
    return np.asarray(np.interp(redshift, nodes, velocity, left=np.nan, right=np.nan))


def velocity_difference(z_new: ArrayLike, z_old: ArrayLike, cosmology: Cosmology = PAPER) -> NDArray[np.float64]:
    """Δv = v(z_new) - v(z_old) in km/s, f8 (n,), NaN where either redshift has no velocity."""
    return recession_velocity(z_new, cosmology) - recession_velocity(z_old, cosmology)


@lru_cache(maxsize=8)
def _table(cosmology: Cosmology) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Redshifts and velocities between which :func:`recession_velocity` interpolates."""
    step = (_PAPER_LAST - _PAPER_FIRST) / (_PAPER_POINTS - 1)
    steps = np.arange(-_STEPS_BELOW, _PAPER_POINTS + _STEPS_ABOVE)
    nodes: NDArray[np.float64] = np.asarray(_PAPER_FIRST + step * steps, dtype=np.float64)
    # Five Gauss points an interval: exact to the last digits, so that the table is as good as its interpolation.
    points, weights = np.polynomial.legendre.leggauss(5)

    def integrals(lo: NDArray[np.float64], hi: NDArray[np.float64]) -> NDArray[np.float64]:
        half = 0.5 * (hi - lo)
        at = lo[:, None] + half[:, None] * (1.0 + points)
        return np.asarray((weights / cosmology.expansion(at)).sum(axis=1) * half)

    whole = np.concatenate([[0.0], np.cumsum(integrals(nodes[:-1], nodes[1:]))])
    before = int(np.searchsorted(nodes, 0.0)) - 1
    to_zero = whole[before] + integrals(nodes[before : before + 1], np.zeros(1))[0]
    distance = cosmology.speed_of_light / cosmology.h0 * (whole - to_zero)
    velocity: NDArray[np.float64] = np.asarray(cosmology.h0 * cosmology.expansion(nodes) * distance / (1.0 + nodes))
    nodes.flags.writeable = velocity.flags.writeable = False
    return nodes, velocity


@dataclass(frozen=True, slots=True)
class Agreement:
    """``k`` of ``n`` pairs of redshifts agree within ``within_kms``; ``lo``, ``hi`` is the Wilson interval."""

    within_kms: float
    k: int
    n: int
    fraction: float
    lo: float
    hi: float


def agreement(dv_kms: ArrayLike, cuts: Sequence[float] = AGREEMENT_CUTS, level: float = 0.95) -> tuple[Agreement, ...]:
    r"""Of the pairs with a Δv, how many have \|Δv\| <= each cut (km/s); NaN is left out of ``n``."""
    dv = np.abs(np.asarray(dv_kms, dtype=np.float64))
    dv = dv[~np.isnan(dv)]
    out = []
    for cut in cuts:
        k = int(np.count_nonzero(dv <= cut))
        lo, hi = wilson(k, int(dv.size), level)
        out.append(Agreement(float(cut), k, int(dv.size), k / dv.size if dv.size else float("nan"), lo, hi))
    return tuple(out)
