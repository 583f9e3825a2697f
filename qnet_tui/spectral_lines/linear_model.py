"""Weighted least squares with Gaussian spreads on the coefficients, and the polynomials that calibrate a template."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.spectral_lines.rest_grid import FloatArray

# Tilt, curvature and wiggle that multiply a template: reddening and flux calibration are of this order.
POLYNOMIAL_SPREAD = (np.inf, 1.0, 0.5, 0.25)
N_POLYNOMIALS = len(POLYNOMIAL_SPREAD)

_PIECE = 200
_MOST_ROUNDS = 4


@dataclass(frozen=True, eq=False)
class Solution:
    """A fit: ``chi2`` with the penalty of the spreads in it, and the coefficients (k,)."""

    chi2: float
    coefficients: FloatArray


def polynomials(wave: FloatArray, low: float, high: float) -> FloatArray:
    """Return Legendre polynomials in log ``wave`` (n,), scaled to -1..1 between two wavelengths, level beyond.

    They are (4, n), the first one constant; the spreads of their coefficients are ``POLYNOMIAL_SPREAD``.
    """
    width = max(float(np.log(high / low)), 1e-6)
    x = np.clip(2.0 * np.log(wave / low) / width - 1.0, -1.0, 1.0)
    return np.array([np.ones_like(x), x, 1.5 * x**2 - 0.5, 2.5 * x**3 - 1.5 * x])


def coefficient_limits(spread: FloatArray, bounds: FloatArray, some: NDArray[np.bool_]) -> FloatArray:
    """Return spread, lowest and highest value (3, 4 + m) of a fit's coefficients: polynomials, then ``some`` rows.

    They are in units of the coefficient of the first row. Eigenspectra (no finite spread at all) calibrate themselves
    in part, so the polynomials on their first row are held closer.
    """
    poly = np.array(POLYNOMIAL_SPREAD)
    if not np.isfinite(spread).any():
        poly[1:] = np.minimum(poly[1:], 0.5)
    rest = some.copy()
    rest[0] = False
    free = np.full(poly.size, np.inf)
    made = np.array([poly, -free, free])
    return np.concatenate([made, np.array([spread[rest], *bounds[:, rest]])], axis=1)


def trial_scale(model: FloatArray, flux: FloatArray, weight: FloatArray) -> float:
    """Return the positive scale of a spectrum against a model (n,), against which spreads are measured."""
    weighted = weight * model
    power = float(np.einsum("i,i", weighted, model))
    if not power > 0:
        return 1.0
    # A spectrum of noise around zero has the scale of its noise, not none.
    return max(abs(float(np.einsum("i,i", weighted, flux))) / power, 1.0 / float(np.sqrt(power)))


def solve(columns: FloatArray, flux: FloatArray, weight: FloatArray, limits: FloatArray) -> Solution:
    """Return the coefficients (k,) of columns (k, n) that minimise chi2 plus sum((coefficient / spread)^2).

    ``limits`` (3, k) are the spread, the lowest and the highest value of each: an emission line is not absorption.
    """
    spread, lowest, highest = limits
    products = _products(np.concatenate([columns, flux[None]]), weight)
    matrix, right = products[:-1, :-1], products[:-1, -1]
    power = matrix.diagonal().copy()
    # A column without power here has no say; the small constant keeps it from making the matrix singular.
    matrix[np.diag_indices_from(matrix)] += 1.0 / spread**2 + 1e-9 * power + np.where(power > 0, 0.0, 1.0)
    coefficients = np.asarray(np.linalg.solve(matrix, right), np.float64)
    free = np.ones(coefficients.size, np.bool_)
    # Those at their limit are held there and the others solved again: exact for a few, near enough for more.
    for _ in range(_MOST_ROUNDS):
        outside = free & ((coefficients < lowest) | (coefficients > highest))
        if not outside.any():
            break
        free &= ~outside
        coefficients[~free] = np.clip(coefficients, lowest, highest)[~free]
        rest = right[free] - matrix[np.ix_(free, ~free)] @ coefficients[~free]
        coefficients[free] = np.linalg.solve(matrix[np.ix_(free, free)], rest)
    chi2 = products[-1, -1] - 2.0 * (coefficients @ right) + coefficients @ matrix @ coefficients
    return Solution(float(chi2), coefficients)


def _products(rows: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the weighted sums of the products of all pairs of rows (k, n), as (k, k).

    They are summed in pieces. A matrix product of the whole length would wake the threads of the linear algebra
    library, which on a busy login node costs twenty times what the product does.
    """
    k, n = rows.shape
    pieces = -(-n // _PIECE)
    padded = np.zeros((2, k, pieces * _PIECE))
    padded[0, :, :n] = rows
    np.multiply(rows, weight, out=padded[1, :, :n])
    left, right = padded.reshape(2, k, pieces, _PIECE).transpose(0, 2, 1, 3)
    made: FloatArray = np.matmul(left, right.transpose(0, 2, 1)).sum(axis=0)
    return made
