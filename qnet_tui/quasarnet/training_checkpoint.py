"""The state of a training between two epochs, as a file that is whole or absent.

It holds everything that the next epoch depends on but what the seed gives again (order of the spectra, dropout masks),
and says of which training it is: another one does not go on from it.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.quasarnet.boxes import Targets
from qnet_tui.quasarnet.epochs import Task
from qnet_tui.quasarnet.history import EpochRecord, ValidationSet
from qnet_tui.quasarnet.weights import Float32
from qnet_tui.whole_files import write_whole

_LAYOUT = 1
_KEPT = "kept_"
_WORDS = {
    "layout": "layout of the file",
    "precision": "precision",
    "seed": "seed",
    "data": "training spectra",
    "validation": "validation spectra",
    "grid": "wavelength grid",
}
_SUMS = ("data", "validation", "grid")


class OtherTraining(BadInput):
    """The checkpoint is not of this training, or cannot be read."""


@dataclass(frozen=True)
class Checkpoint:
    """A training after ``epoch`` epochs.

    ``state``: arrays of the network and of its optimiser by name; ``history`` of the epochs so far; ``kept_epoch`` the
    one to hand back so far and ``kept`` its arrays, empty where the last epoch is kept anyway.
    """

    epoch: int
    state: Mapping[str, Float32]
    history: tuple[EpochRecord, ...]
    kept_epoch: int
    kept: Mapping[str, Float32]


def description(
    task: Task, precision: str, seed: int, x: Float32, targets: Targets, validation: ValidationSet | None
) -> dict[str, Any]:
    """What a checkpoint says of its training: every setting, the seed, and sums over all data."""
    return {
        "layout": _LAYOUT,
        **{f"network {name}": value for name, value in asdict(task.settings).items()},
        **{f"training {name}": value for name, value in asdict(task.training).items()},
        "grid": _sum_of(task.grid.wave),
        "precision": precision,
        "seed": seed,
        "data": _sum_of(x, targets.values, targets.weights),
        "validation": None
        if validation is None
        else _sum_of(validation.x, validation.targets.values, validation.targets.weights, validation.is_qso),
    }


def write_checkpoint(path: Path, of: Mapping[str, Any], checkpoint: Checkpoint) -> None:
    """Write the file in one step; raises :class:`QnetError` where that cannot be done."""
    said = {
        "of": dict(of),
        "epoch": checkpoint.epoch,
        "history": [asdict(record) for record in checkpoint.history],
        "kept_epoch": checkpoint.kept_epoch,
    }
    stream = io.BytesIO()
    kept = {f"{_KEPT}{name}": array for name, array in checkpoint.kept.items()}
    np.savez(stream, allow_pickle=False, said=np.array(json.dumps(said)), **checkpoint.state, **kept)
    write_whole(path, stream.getvalue())


def read_checkpoint(path: Path, of: Mapping[str, Any]) -> Checkpoint | None:
    """The checkpoint, or None where there is no file.

    Raises:
        OtherTraining: it is of another training (the message says in what they differ), or damaged.
        QnetError: it may not be read.

    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise QnetError(f"cannot be read: {error.strerror}", file=path) from error
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        said = json.loads(str(arrays.pop("said")))
        theirs = said["of"]
        history = tuple(EpochRecord(**record) for record in said["history"])
        epoch, kept_epoch = int(said["epoch"]), int(said["kept_epoch"])
    except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise OtherTraining(
            "is not a readable checkpoint of a training", mend="remove it to start over", file=path
        ) from error
    # As JSON gives them back.
    mine = json.loads(json.dumps(dict(of)))
    other = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
    if other:
        name = other[0]
        raise OtherTraining(
            f"is the checkpoint of another training: its {_WORDS.get(name, name)} "
            + ("differ" if name in _SUMS else f"is {theirs.get(name)}, not {mine.get(name)}"),
            mend="remove it to start over, or train with the same settings",
            file=path,
        )
    return Checkpoint(
        epoch,
        {name: array for name, array in arrays.items() if not name.startswith(_KEPT)},
        history,
        kept_epoch,
        {name.removeprefix(_KEPT): array for name, array in arrays.items() if name.startswith(_KEPT)},
    )


def _sum_of(*arrays: Any) -> str:
    total = 0
    for array in arrays:
        total = zlib.crc32(np.ascontiguousarray(array).view(np.uint8).data, total)
    return f"{total:08x}"
