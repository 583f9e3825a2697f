"""What is recorded of a training: the loss of every epoch and how it did on the validation set."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.boxes import Targets, confidence_and_redshift
from qnet_tui.quasarnet.loss import network_loss
from qnet_tui.spectra.grids import Grid


@dataclass(frozen=True)
class EpochRecord:
    """One epoch; epoch 0 is the network before training.

    ``loss``: mean over the training spectra, during the epoch and with dropout (of epoch 0 without). The
    others are of the validation set and None without one: ``val_loss`` (of answers in the precision of the
    training), and with the quasar rule of the training settings the counts ``tp``, ``fp``, ``fn`` (those of
    float32), completeness tp/(tp + fn) and purity tp/(tp + fp). A ratio 0/0 is None. Completeness and purity
    have no redshift condition (Green et al. 2025, equations 4.1 and 4.2).
    """

    epoch: int
    loss: float
    val_loss: float | None = None
    completeness: float | None = None
    purity: float | None = None
    tp: int | None = None
    fp: int | None = None
    fn: int | None = None


@dataclass(frozen=True, eq=False)
class ValidationSet:
    """Spectra that a network is measured on and never trained on.

    ``x`` (n, n_pixels) float32 vectors, ``targets`` of n spectra, ``is_qso`` (n,) the truth.

    Raises:
        BadInput: there is no spectrum, or the three have not the same length.

    """

    x: NDArray[np.float32]
    targets: Targets
    is_qso: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Refuse an empty or uneven set."""
        if not len(self.x) == len(self.targets) == len(self.is_qso):
            raise BadInput(
                f"validation set of {len(self.x)} vectors, {len(self.targets)} targets and {len(self.is_qso)} labels"
            )
        if len(self.x) == 0:
            raise BadInput("the validation set is empty", mend="train without one or give it some objects")


def validation_record(
    epoch: int,
    loss: float,
    validation: ValidationSet,
    heads: NDArray[Any],
    grid: Grid,
    *,
    c_threshold: float,
    n_lines: int,
) -> EpochRecord:
    """The record of an epoch from the answers (7, n, 26) to the validation set."""
    c_qso, _ = confidence_and_redshift(heads, grid, n_lines)
    called = c_qso > c_threshold
    truth = validation.is_qso.astype(bool)
    tp = int(np.sum(called & truth))
    fp = int(np.sum(called & ~truth))
    fn = int(np.sum(~called & truth))
    return EpochRecord(
        epoch=epoch,
        loss=loss,
        val_loss=network_loss(validation.targets, heads),
        completeness=tp / (tp + fn) if tp + fn else None,
        purity=tp / (tp + fp) if tp + fp else None,
        tp=tp,
        fp=fp,
        fn=fn,
    )
