"""Networks that were really trained, and spectra for them: those of a round, or of the sample for want of one."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput
from qnet_tui.workflows.pool_files import pool_size, pool_vectors
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_files import RoundFiles

if TYPE_CHECKING:
    from qnet_tui.quasarnet.weights import Weights

_ROWS = 20_000
_NOISE = (0.0, 0.3, 0.6, 1.0)


@dataclass(frozen=True, eq=False)
class TrainedCommittee:
    """Networks of one architecture, the spectra that they are asked about, and ``said``: what they are.

    The spectra are ``x``, or the pool of ``round_files``.
    """

    networks: tuple["Weights", ...]
    said: str
    x: NDArray[np.float32] | None = None
    round_files: RoundFiles | None = None
    c_threshold: float = 0.95
    z_split: float = 2.1
    n_lines: int = 1

    def __len__(self) -> int:
        """Count the spectra."""
        if self.x is not None:
            return len(self.x)
        return 0 if self.round_files is None else pool_size(self.round_files)

    def blocks(self, most: int) -> Iterator[NDArray[np.float32]]:
        """``most`` rows, evenly taken from all, in blocks of 20,000."""
        chosen = np.linspace(0, len(self) - 1, min(most, len(self))).astype(np.int64)
        for start in range(0, len(chosen), _ROWS):
            rows = chosen[start : start + _ROWS]
            if self.x is not None:
                yield self.x[rows]
            elif self.round_files is not None:
                yield pool_vectors(self.round_files, rows)


def committee_of_round(root: Path, number: int | None) -> TrainedCommittee:
    """Networks and pool of a scored round (the last one by default).

    Errors: :class:`BadInput` when there is none.
    """
    from qnet_tui.quasarnet.weights_file import read_weights
    from qnet_tui.workflows.given_round import last_scored_round
    from qnet_tui.workflows.round_selection import scored_round
    from storage.workspace import Workspace

    with Workspace.open(root) as ws:
        number = last_scored_round(ws) if number is None else number
        files, members, settings = scored_round(ws, number)
    networks = tuple(read_weights(files.network(member)) for member in members)
    if not networks or not pool_size(files):
        raise BadInput(f"round {number} has no networks or no pool", mend="give a round that was scored")
    return TrainedCommittee(
        networks,
        f"{len(networks)} networks and the pool of round {number} ({pool_size(files):,} rows)",
        round_files=files,
        c_threshold=settings.c_threshold,
        z_split=settings.z_split,
        n_lines=settings.n_lines,
    )


def committee_of_sample(quick: bool, progress: Progress = silent) -> TrainedCommittee:
    """Train networks of the paper's shape on the sample for a moment; ask them about it with more and more noise.

    They are no good networks, but trained ones: their confidences lie on both sides of the threshold.
    """
    from qnet_tui.quasarnet.boxes import encode
    from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
    from qnet_tui.quasarnet.training import trainer_for
    from qnet_tui.spectra.grids import log_grid

    count, epochs = (2, 12) if quick else (3, 40)
    x, z, is_qso = _sample_vectors()
    training = TrainingSettings(epochs=epochs, learning_rate=2e-3, batch=16, keep="last", record_start=False)
    trainer = trainer_for(NetworkSettings(), training, log_grid(), "graph")
    networks = []
    for seed in range(count):
        progress("training networks", seed, count)
        rows = np.random.default_rng([1, seed]).integers(0, len(x), len(x))
        targets = encode(z[rows], is_qso[rows], np.zeros(len(rows), np.int64), log_grid())
        networks.append(trainer.train(x[rows], targets, seed).weights)
    rng = np.random.default_rng(2)
    noise = rng.choice(_NOISE, (_ROWS // 10 if quick else _ROWS, 1))
    noisy = x[rng.integers(0, len(x), len(noise))] + noise * rng.standard_normal((len(noise), x.shape[1]))
    noisy = (noisy - noisy.mean(axis=1, keepdims=True)) / noisy.std(axis=1, keepdims=True)
    return TrainedCommittee(
        tuple(networks),
        f"{count} networks trained for {epochs} epochs on the {len(x)} spectra of the sample, asked about "
        f"{len(noisy):,} copies of these with noise",
        x=noisy.astype(np.float32),
    )


def _sample_vectors() -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_]]:
    from qnet_tui.spectra.grids import log_grid
    from qnet_tui.spectra.read import read_spectra
    from qnet_tui.spectra.vectors import make_vectors
    from qnet_tui.workflows.demo import sample_folder

    folder = sample_folder()
    with (folder / "known.csv").open(encoding="utf-8", newline="") as stream:
        known = {(row["FILE"], int(row["ROW"])): row for row in csv.DictReader(stream)}
    x, z, is_qso = [], [], []
    for name in sorted({file for file, _ in known}):
        made = make_vectors(read_spectra(folder / name, masks=False, quality=False), log_grid())
        x.append(made.x)
        for row in made.kept:
            one = known[name, int(row)]
            is_qso.append(one["CLASS"] == "QSO")
            z.append(float(one["Z"]) if is_qso[-1] else 0.0)
    return np.concatenate(x), np.array(z), np.array(is_qso)
