"""What a worker does for a round: train one member (scoring: ``score_tasks.py``, ``race_tasks.py``).

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
from qnet_tui.workflows.round_files import RoundFiles, read_npz
from storage.shards import file_crc32


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
    from qnet_tui.quasarnet.training_checkpoint import OtherTraining
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
    trainer = trainer_of(
        chosen.layers,
        chosen.filters,
        chosen.dropout,
        on.n_pixels,
        chosen.epochs,
        chosen.learning_rate,
        chosen.batch,
        chosen.train_engine,
        chosen.precision,
        grid,
    )
    # Written when a member takes more than a minute, so that a lost worker's is not begun anew.
    checkpoint = target.with_name(f"{target.stem}.checkpoint")
    try:
        trained = trainer.train(data["x"][drawn], targets, network_seed, checkpoint=checkpoint)
    except OtherTraining:  # Of a processor with another precision, or damaged.
        checkpoint.unlink()
        trained = trainer.train(data["x"][drawn], targets, network_seed, checkpoint=checkpoint)
    write_weights(target, trained.weights, {"seed": network_seed, "member": member, "c_th": chosen.c_threshold})
    checkpoint.unlink(missing_ok=True)
    return Done(str(target), file_crc32(target), time.monotonic() - began, {"loss": float(trained.history[-1].loss)})


# A worker process meets many tasks of one architecture: the traced graph is kept for the next one.
@functools.lru_cache(maxsize=2)
def trainer_of(
    layers: int,
    filters: int,
    dropout: float,
    n_pixels: int,
    epochs: int,
    learning_rate: float,
    batch: int,
    engine: str,
    precision: str,
    grid: str,
) -> Any:
    """The trainer of committee members of one architecture on one grid, for this process."""
    from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
    from qnet_tui.quasarnet.training import trainer_for
    from qnet_tui.spectra.grids import grid_named

    return trainer_for(
        NetworkSettings(layers=layers, filters=filters, dropout=dropout, n_pixels=n_pixels),
        TrainingSettings(epochs=epochs, learning_rate=learning_rate, batch=batch, keep="last", record_start=False),
        grid_named(grid),
        engine,
        precision=precision,
    )
