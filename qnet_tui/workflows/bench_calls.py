"""What bfloat16 changes, counted: calls before and after the recheck, and the errors that the recheck must cover."""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.calls import call_classes
from qnet_tui.workflows.bench_networks import TrainedCommittee
from qnet_tui.workflows.progress import Progress, silent

if TYPE_CHECKING:
    from qnet_tui.quasarnet.inference import Predictor
    from qnet_tui.quasarnet.settings import NetworkSettings
    from qnet_tui.quasarnet.weights import Weights

_NEAR = 1.5
"""Confidences this near the threshold (in the logit) decide something: only their error matters to the margin."""


@dataclass
class CallsCounted:
    """Counts over all networks and spectra; the errors are the largest seen, ``*_margins`` in units of the margin."""

    calls: int = 0
    quasars: int = 0
    changed_before: int = 0
    changed_after: int = 0
    rechecked: int = 0
    confidence_error: float = 0.0
    near_error_margins: float = 0.0
    box_error_margins: float = 0.0
    offset_error_margins: float = 0.0

    def add(self, other: "CallsCounted") -> None:
        """Take in another count."""
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            setattr(self, field.name, mine + theirs if isinstance(mine, int) else max(mine, theirs))


def count_calls(committee: TrainedCommittee, most_rows: int, progress: Progress = silent) -> Iterator[CallsCounted]:
    """Each network's count on ``most_rows`` spectra of the committee."""
    for done, weights in enumerate(committee.networks):
        progress("counting calls", done, len(committee.networks))
        yield count_network(weights, committee.blocks(most_rows), committee)
    progress("counting calls", len(committee.networks), len(committee.networks))


def count_network(
    weights: "Weights", blocks: Iterable[NDArray[np.float32]], rule: TrainedCommittee, looked_into: int = 4096
) -> CallsCounted:
    """Count one network's calls in float32, in bfloat16 and in bfloat16 with the recheck.

    The errors of single boxes and offsets are looked for in the first ``looked_into`` rows of a block, those of the
    deciding confidence in all.
    """
    from qnet_tui.quasarnet.boxes import confidence_and_redshift
    from qnet_tui.quasarnet.inference import MARGINS
    from qnet_tui.quasarnet.recheck import logit

    exact, coarse = _predictors(weights.settings)
    network_exact, network_coarse = exact.prepare(weights), coarse.prepare(weights)
    margins, grid, total = MARGINS["bfloat16"], weights.grid, CallsCounted()
    decide = {"c_threshold": rule.c_threshold, "z_split": rule.z_split}
    at = logit(np.array([rule.c_threshold]))
    for x in blocks:
        true = exact.answers(network_exact, x, grid, rule.n_lines, **decide)
        final = coarse.answers(network_coarse, x, grid, rule.n_lines, **decide)
        heads = coarse.predict(network_coarse, x)
        c_coarse, z_coarse = confidence_and_redshift(heads, grid, rule.n_lines)
        calls = call_classes(true.c_qso, true.zbest, **decide)
        before = call_classes(c_coarse, z_coarse.astype(np.float32), **decide)
        after = call_classes(final.c_qso, final.zbest, **decide)
        logits = logit(true.c_qso)
        error = np.abs(logit(c_coarse) - logits)[np.abs(logits - at) < _NEAR]
        few = exact.predict(network_exact, x[:looked_into])
        n_boxes = weights.settings.n_boxes
        boxes = logit(few[:6, :, :n_boxes])
        box_error = np.abs(logit(heads[:6, :looked_into, :n_boxes]) - boxes) / margins.of(boxes)
        offset_error = np.abs(heads[:6, :looked_into, n_boxes:] - few[:6, :, n_boxes:])
        total.add(
            CallsCounted(
                calls=len(x),
                quasars=int(np.count_nonzero(calls)),
                changed_before=int(np.count_nonzero(before != calls)),
                changed_after=int(np.count_nonzero(after != calls)),
                rechecked=final.rechecked,
                confidence_error=float(np.abs(c_coarse - true.c_qso).max(initial=0)),
                near_error_margins=float((error / margins.of(at)).max(initial=0)),
                # Confidences nearer to 0 or 1 than this have too few digits for a logit, and decide nothing.
                box_error_margins=float(box_error[np.abs(boxes) < 12].max(initial=0)),
                offset_error_margins=float(offset_error.max(initial=0) / margins.offset),
            )
        )
    return total


# One pair for all networks of a shape: each traces its own graphs, which takes longer than a thousand spectra.
@functools.lru_cache(maxsize=1)
def _predictors(settings: "NetworkSettings") -> "tuple[Predictor, Predictor]":
    from qnet_tui.quasarnet.inference import Predictor

    return Predictor(settings), Predictor(settings, "bfloat16")
