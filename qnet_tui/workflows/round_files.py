"""Where the files of one round lie, and how a result file comes into being whole or not at all.

``rounds/NNN/``: ``plan/`` (what the committee trains on and scores, written once), ``map.npz``, ``bmu.npy``,
``networks/net-0007.h5``, ``scores/net-0007/00003.npy`` (one block of one network: float32 confidence and redshift),
``selection.csv``, ``spectra/<object>.npz`` (full resolution, what the inspectors look at) and ``log``.
"""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.files import make_directory, write_durably


@dataclass(frozen=True)
class RoundFiles:
    """Paths below one round's folder."""

    root: Path

    @property
    def training(self) -> Path:
        """Training vectors and targets of the committee."""
        return self.root / "plan" / "training.npz"

    @property
    def pool(self) -> Path:
        """Rows that the committee scores: shard files and positions."""
        return self.root / "plan" / "pool.npz"

    @property
    def validation(self) -> Path:
        """Validation vectors and their truth; absent when nothing is held out."""
        return self.root / "plan" / "validation.npz"

    @property
    def map(self) -> Path:
        """The trained map."""
        return self.root / "map.npz"

    @property
    def best_matching_units(self) -> Path:
        """Row ids and their cells of every row, int64 (n, 2)."""
        return self.root / "bmu.npy"

    @property
    def selection(self) -> Path:
        """The selection as a table, the same bytes as ``qnet export selection``."""
        return self.root / "selection.csv"

    def make_folders(self, members: int) -> None:
        """Make the round's folders, group-writable, before several workers want them at once."""
        for name in ("plan", "networks", "spectra"):
            make_directory(self.root / name)
        for member in range(members):
            make_directory(self.scores(member, 0).parent)

    def network(self, member: int) -> Path:
        """Weights of one member."""
        return self.root / "networks" / f"net-{member:04d}.h5"

    def scores(self, member: int, block: int | str) -> Path:
        """What one member says of one block of rows."""
        name = f"{block:05d}" if isinstance(block, int) else block
        return self.root / "scores" / f"net-{member:04d}" / f"{name}.npy"

    @property
    def log(self) -> Path:
        """What the workers of the round and its copies had to say, one line each."""
        return self.root / "log"

    def add_note(self, line: str) -> None:
        """Append one line to the log; a log that cannot be written stops nobody."""
        with contextlib.suppress(OSError), self.log.open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")

    def spectrum(self, object_id: int) -> Path:
        """Full-resolution spectrum of a selected object."""
        return self.root / "spectra" / f"{object_id}.npz"


def write_npz(path: Path, **arrays: NDArray[Any]) -> None:
    """Write arrays as one file that is whole or absent, readable and replaceable by the group."""
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    write_durably(path, stream.getbuffer())


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """One array, whole or absent."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    write_durably(path, stream.getbuffer())


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a file that :func:`write_npz` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
