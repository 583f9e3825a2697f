"""What one network says of one spectrum: NOT, LOW-Z or HIGH-Z (Green et al. 2025, section 3).

A network calls a spectrum a quasar when enough of the six lines are found with a confidence above the
threshold; a quasar is LOW-Z below the split redshift and HIGH-Z from it upward.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

NOT, LOW_Z, HIGH_Z = 0, 1, 2
NO_CALL = -1
"""The call of a network that gave no finite answer (it failed): left out of every count."""

CLASS_NAMES = ("NOT", "LOW-Z", "HIGH-Z")
C_THRESHOLD = 0.95
Z_SPLIT = 2.1


def call_classes(
    c_qso: NDArray[np.floating[Any]],
    zbest: NDArray[np.floating[Any]],
    *,
    c_threshold: float = C_THRESHOLD,
    z_split: float = Z_SPLIT,
) -> NDArray[np.int8]:
    """Turn confidences and redshifts into calls.

    ``c_qso`` (…,) is the confidence of the n_lines-th most confident of the six lines, so that
    ``c_qso > c_threshold`` (strictly) is the quasar call itself; ``zbest`` (…,) is the redshift of the most
    confident line. Both are compared in their own precision, as the confidences of the lines are.
    Returns int8 (…,): 0 NOT, 1 LOW-Z (zbest < z_split), 2 HIGH-Z (zbest >= z_split), -1 where either is not
    finite.
    """
    c, z = np.asarray(c_qso), np.asarray(zbest)
    # Python floats take the precision of the arrays: 0.95 is not representable, and a float32 confidence
    # that equals float32(0.95) must not count as "above".
    quasar = c > float(c_threshold)
    calls = np.where(quasar, np.where(z >= float(z_split), np.int8(HIGH_Z), np.int8(LOW_Z)), np.int8(NOT))
    return np.where(np.isfinite(c) & np.isfinite(z), calls, np.int8(NO_CALL)).astype(np.int8, copy=False)


def call_counts(calls: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Count the calls of each class over the networks (the numerators of Eq. 3.1).

    ``calls`` is (n_rows, n_networks); returns i8 (n_rows, 3) in the order NOT, LOW-Z, HIGH-Z. Networks
    without a call are in no column, so the sum over a row is the number of networks that answered.
    """
    table = np.asarray(calls)
    if table.ndim != 2:
        raise ValueError(f"calls must be (n_rows, n_networks), not {table.shape}")
    return np.stack([np.count_nonzero(table == k, axis=1) for k in (NOT, LOW_Z, HIGH_Z)], axis=1).astype(np.int64)
