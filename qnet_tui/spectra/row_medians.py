"""The median of each row of a wide table: exact, and most values are only compared, never ordered.

An even sample of a row gives a first guess and how far apart its values lie; counting how many lie below the guess
says how far it is off; and only the few per cent of the values around the better guess are ordered. A row for which
this fails (many equal values, a distribution that the sample does not show) is ordered as a whole.
"""

import numpy as np
from numpy.typing import NDArray

_SAMPLE_STEP = 32
_SMALL = 4096  # columns below which a sample would be too small: such rows are ordered at once
_TOO_MANY = 8  # a row is ordered as a whole when one value in so many would have to be ordered anyway
_SPACING_REACH = 2.0  # the spacing is that of the sample's √n times so many values on either side of its median
_REACH = 150  # so many values on either side of the better guess are ordered
_BYTE = 255  # so many truth values add up in a byte


def countable_length(n: int) -> int:
    """The smallest number of columns ≥ ``n`` that :func:`row_medians` takes: it counts eight of them at a time."""
    words = -(-n // 8)
    groups = -(-words // _BYTE)
    return 8 * groups * -(-words // groups)


def row_medians(values: NDArray[np.float32], counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Median of the ``counts[i]`` smallest values of each row; NaN where there are none or it is not finite.

    ``values`` (n, m) float32 in C order without NaN, m as :func:`countable_length` makes it; whatever is not a value
    of the row is +inf. Of an even count the mean of the two in the middle.
    """
    lower, upper = np.maximum(counts - 1, 0) // 2, np.minimum(counts // 2, values.shape[1] - 1)
    if values.shape[1] < _SMALL:
        low, high = _ranked(values, lower, upper)
    else:
        inside, below = _around_the_middle(values, counts)
        n_inside = _number_true(inside)
        enough = (below <= lower) & (upper < below + n_inside) & (n_inside * _TOO_MANY <= values.shape[1])
        inside[~enough] = False
        n_inside[~enough] = 0
        low, high = _ranked_inside(values, inside, n_inside, lower - below, upper - below)
        rest = np.flatnonzero(~enough & (counts > 0))
        if len(rest):
            low[rest], high[rest] = _ranked(values[rest], lower[rest], upper[rest])
    with np.errstate(over="ignore", invalid="ignore"):
        medians = low / 2 + high / 2
    return np.where((counts > 0) & np.isfinite(medians), medians, np.float32(np.nan))


def _around_the_middle(
    values: NDArray[np.float32], counts: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which values (n, m) lie around the expected median of their row, and how many (n,) lie below those."""
    row = np.arange(len(values))
    sample = np.sort(values[:, ::_SAMPLE_STEP], axis=1)
    last = np.maximum(np.count_nonzero(sample < np.inf, axis=1) - 1, 0)
    reach = (_SPACING_REACH * np.sqrt(last)).astype(np.int64)
    first, guess, final = (sample[row, np.maximum(last // 2 + side, 0)] for side in (-reach, 0, reach))
    off = (counts - 1) / 2 - _number_true(values < guess[:, np.newaxis])
    # Not finite where a row has too few values or too equal ones: then nothing is inside and the row is left over.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        spacing = (final - first) / (2 * _SAMPLE_STEP * reach).astype(np.float32)
        guess += spacing * off.astype(np.float32)
        inside = values >= (guess - _REACH * spacing)[:, np.newaxis]
        below = values.shape[1] - _number_true(inside)
        inside &= values <= (guess + _REACH * spacing)[:, np.newaxis]
    return inside, below


def _ranked_inside(
    values: NDArray[np.float32],
    inside: NDArray[np.bool_],
    n_inside: NDArray[np.int64],
    lower: NDArray[np.int64],
    upper: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The values of ranks ``lower`` and ``upper`` (``lower`` or the next) among those inside; any where none is."""
    # So many -inf go before the values of each row that the wanted rank is the same column of all rows.
    lower = np.where(n_inside > 0, lower, 0)
    rank = int(lower.max(initial=0))
    before = rank - lower
    table = np.full((len(values), int((before + n_inside).max(initial=0)) + 2), np.inf, dtype=np.float32)
    column = np.arange(table.shape[1])
    is_before = column < before[:, np.newaxis]
    table[is_before] = -np.inf
    table[(column < (before + n_inside)[:, np.newaxis]) & ~is_before] = values.reshape(-1)[np.flatnonzero(inside)]
    table.partition(rank, axis=1)
    low = table[:, rank]
    return low, np.where(upper > lower, table[:, rank + 1 :].min(axis=1), low)


def _ranked(
    values: NDArray[np.float32], lower: NDArray[np.int64], upper: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The values of ranks ``lower`` and ``upper`` of each row."""
    ordered = np.partition(values, np.unique(np.concatenate([lower, upper])), axis=1)
    row = np.arange(len(values))
    return ordered[row, lower], ordered[row, upper]


def _number_true(which: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many are true in each row (n, m) -> (n,): eight at a time, added up as the bytes of machine words."""
    words = which.view(np.uint64)
    groups = -(-words.shape[1] // _BYTE)
    sums = words.reshape(len(words), groups, -1).sum(axis=2)
    number: NDArray[np.int64] = sums.view(np.uint8).sum(axis=1, dtype=np.int64)
    return number
