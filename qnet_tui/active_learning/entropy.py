"""Entropy of a committee's calls, in bits (Green et al. 2025, Eqs. 3.1 and 3.2)."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_ENTROPY_BITS = math.log2(3)
"""Three classes called equally often."""


def entropy_bits(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Entropy ``H = -sum c_i log2 c_i`` with ``c_i = N_i / N`` and 0·log 0 = 0.

    ``counts`` (…, k) are non-negative: how many networks called each of the k classes, or probabilities.
    Returns f8 (…,) in bits, between 0 (all agree) and log2 k; NaN where all counts of a row are 0, because
    nobody was asked. Raises ValueError on a negative count.
    """
    # Sorted, so that a permutation of the same counts gives the same number to the last bit: spectra of equal
    # entropy are then ordered by TARGETID and not by rounding.
    c = np.sort(np.asarray(counts, dtype=np.float64), axis=-1)
    if c.size and c[..., 0].min() < 0:
        raise ValueError("counts must not be negative")
    total = c.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = c / total
        terms = np.where(p > 0, p * np.log2(p), 0.0)
    h = np.abs(terms.sum(axis=-1))
    return np.where(total[..., 0] > 0, h, np.nan)
