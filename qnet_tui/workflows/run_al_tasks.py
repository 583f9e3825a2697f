"""What a worker does for a round: train one member, or score one block with one member.

A task reads files, writes one file and returns something tiny. It first looks whether its file is there, so a task
that is run twice (a lost worker, a resumed run) costs nothing and changes nothing. It opens no database.
"""

import functools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.round_files import RoundFiles, read_npz, write_npy
from storage.shards import file_crc32, gather_files

BLOCK_VALIDATION = "validation"
OUTLIERS = "outliers"
"""Folder below a round for what its map rejected, when that is scored after the run."""


@dataclass(frozen=True)
class Done:
    """What a task says of the file it made."""

    path: str
    crc32: int
    seconds: float
    detail: dict[str, float]


def member_seeds(settings: RoundSettings, round_number: int, member: int) -> tuple[np.random.SeedSequence, int]:
    """The bootstrap's seed sequence and the network's integer seed of one member.

    Both are spawned from (seed, round), so they do not depend on workers, order or what ran before.
    """
    bootstrap, networks = np.random.SeedSequence([settings.seed, round_number]).spawn(2)
    return (
        np.random.SeedSequence(bootstrap.entropy, spawn_key=(*bootstrap.spawn_key, member)),
        int(
            np.random.SeedSequence(networks.entropy, spawn_key=(*networks.spawn_key, member)).generate_state(1)[0] >> 1
        ),
    )


def train_member(round_dir: str, round_number: int, member: int, settings: dict[str, Any], grid: str) -> Done:
    """Train network ``member`` on its bootstrap of the round's training set and write its weights."""
    from qnet_tui.active_learning.bootstrap import bootstrap_indices
    from qnet_tui.quasarnet.boxes import encode
    from qnet_tui.quasarnet.weights_file import write_weights
    from qnet_tui.spectra.grids import grid_named

    began = time.monotonic()
    files = RoundFiles(Path(round_dir))
    target = files.network(member)
    if target.exists():
        return Done(str(target), file_crc32(target), 0.0, {})
    chosen = RoundSettings(**settings)
    bootstrap_seed, network_seed = member_seeds(chosen, round_number, member)
    data = read_npz(files.training)
    drawn = bootstrap_indices(len(data["x"]), bootstrap_seed)
    on = grid_named(grid)
    targets = encode(data["z"][drawn], data["is_qso"][drawn], data["bal"][drawn], on)
    trained = _trainer(
        chosen.layers,
        chosen.filters,
        chosen.dropout,
        on.n_pixels,
        chosen.epochs,
        chosen.learning_rate,
        chosen.batch,
        grid,
    ).train(data["x"][drawn], targets, network_seed)
    write_weights(target, trained.weights, {"seed": network_seed, "member": member, "c_th": chosen.c_threshold})
    return Done(str(target), file_crc32(target), time.monotonic() - began, {"loss": float(trained.history[-1].loss)})


def score_member(
    round_dir: str, member: int, block: int | str, settings: dict[str, Any], grid: str, below: str = ""
) -> Done:
    """Score one block of the pool (or the validation rows) with network ``member``.

    ``below`` is the folder in the round that has the pool and gets the scores, "" for the round itself.

    Writes float32 (n, 2): the confidence of the ``n_lines``-th most confident line (the row is called a quasar when
    it exceeds the threshold) and the redshift of the most confident one.
    """
    from qnet_tui.quasarnet.boxes import confidence_and_redshift
    from qnet_tui.quasarnet.weights_file import read_weights
    from qnet_tui.spectra.grids import grid_named

    began = time.monotonic()
    files = RoundFiles(Path(round_dir))
    here = RoundFiles(files.root / below)
    target = here.scores(member, block)
    if target.exists():
        return Done(str(target), file_crc32(target), 0.0, {})
    chosen = RoundSettings(**settings)
    if isinstance(block, int):
        pool = read_npz(here.pool)
        part = slice(block * chosen.block_rows, (block + 1) * chosen.block_rows)
        x = gather_files(
            [Path(str(p)) for p in pool["shard_files"]], pool["shard_index"][part], pool["shard_row"][part]
        )
    else:
        x = read_npz(files.validation)["x"]
    weights = read_weights(files.network(member))
    heads = _predictor(chosen.layers, chosen.filters, x.shape[1]).predict(weights, x)
    c_qso, zbest = confidence_and_redshift(heads, grid_named(grid), chosen.n_lines)
    write_npy(target, np.stack([c_qso, zbest], axis=1).astype(np.float32))
    return Done(str(target), file_crc32(target), time.monotonic() - began, {"rows": float(len(x))})


# A worker process meets many tasks of one architecture: the traced graph is kept for the next one.
@functools.lru_cache(maxsize=2)
def _predictor(layers: int, filters: int, n_pixels: int) -> Any:
    from qnet_tui.quasarnet.inference import Predictor
    from qnet_tui.quasarnet.settings import NetworkSettings

    return Predictor(NetworkSettings(layers=layers, filters=filters, n_pixels=n_pixels))


@functools.lru_cache(maxsize=2)
def _trainer(
    layers: int,
    filters: int,
    dropout: float,
    n_pixels: int,
    epochs: int,
    learning_rate: float,
    batch: int,
    grid: str,
) -> Any:
    from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
    from qnet_tui.quasarnet.training import Trainer
    from qnet_tui.spectra.grids import grid_named

    return Trainer(
        NetworkSettings(layers=layers, filters=filters, dropout=dropout, n_pixels=n_pixels),
        TrainingSettings(epochs=epochs, learning_rate=learning_rate, batch=batch, keep="last", record_start=False),
        grid_named(grid),
    )
