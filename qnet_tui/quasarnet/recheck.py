"""Which answers in a coarser arithmetic could call a spectrum otherwise than float32 does.

A call is NOT, LOW-Z or HIGH-Z. It is decided by the confidence of the ``n_lines``-th most confident line against the
threshold, and for a quasar by the side of the split redshift on which the best box of the best line lies. So a row is
done again when its confidence is too near the threshold, or when it may be a quasar and a box that could be the best
one, with its offset as far off as offsets are, gives a redshift on the other side. Nothing else can change its call.

Confidences are compared as logits, where the error hardly depends on the value: a confidence of 0.5 is off by up to
0.02 in bfloat16, one of 0.95 by 0.007, both by 0.1 in the logit.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.quasarnet.lines import LINES, N_LINES
from qnet_tui.spectra.grids import Grid

_RESTS = np.array([rest for _, rest in LINES])
_KNEE = 4.0
"""Logits beyond this have errors in proportion to them (a relative rounding), below it one that is the same for all."""
_NEAREST_TO_ONE = 6e-8
"""Half the spacing of float32 below 1: confidences are held this far from 0 and 1 before their logit is taken."""


@dataclass(frozen=True)
class Margins:
    """How far an answer may be from that of float32: ``logit`` of a box below 4, and ``offset`` within its box."""

    logit: float
    offset: float

    def of(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """The margin of each of these logits."""
        return self.logit * np.maximum(1.0, np.abs(logits) / _KNEE)


def unsettled(
    heads: NDArray[np.float32],
    c_qso: NDArray[np.float32],
    grid: Grid,
    margins: Margins,
    *,
    c_threshold: float,
    z_split: float,
) -> NDArray[np.bool_]:
    """Tell which of n rows could be called otherwise, (n,).

    Args:
        heads: (7, n, 2·n_boxes) answers, [boxes | offsets] per head.
        c_qso: (n,) confidence that is compared with the threshold.
        grid: the grid of the network.
        margins: how far the answers may be off.
        c_threshold: a quasar's confidence is above it.
        z_split: HIGH-Z from this redshift upward.

    """
    at = logit(np.array([c_threshold]))
    near = margins.of(at)
    distance = logit(c_qso) - at
    again = np.asarray(np.abs(distance) < near)
    quasars = np.flatnonzero(distance >= near)
    n_boxes = heads.shape[2] // 2
    boxes = heads[:N_LINES, quasars, :n_boxes]
    best = logit(boxes.max(axis=(0, 2)))
    # Back to a confidence: one comparison a box instead of a logarithm.
    least = (1.0 / (1.0 + np.exp(2.0 * margins.of(best) - best))).astype(np.float32)
    line, row, box = np.nonzero(boxes >= least[None, :, None])
    offset = heads[line, quasars[row], n_boxes + box].astype(np.float64)
    sides = []
    for error in (-margins.offset, margins.offset):
        index = (box + offset + error) * (grid.n_pixels / n_boxes)
        wave = np.interp(index, np.arange(grid.n_pixels, dtype=np.float64), grid.wave)
        sides.append(wave / _RESTS[line] - 1.0 >= z_split)
    may_be_low = np.bincount(row[~sides[0]], minlength=len(quasars)) > 0
    may_be_high = np.bincount(row[sides[1]], minlength=len(quasars)) > 0
    again[quasars] = may_be_low & may_be_high
    return again


def logit(confidence: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Logarithm of the odds of confidences of any shape, at most ±16.6: float32 says no more of one that near 1."""
    c = np.clip(confidence.astype(np.float64), _NEAREST_TO_ONE, 1.0 - _NEAREST_TO_ONE)
    return np.asarray(np.log(c / (1.0 - c)))
