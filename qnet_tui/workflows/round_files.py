"""Where the files of one round lie, and how a result file comes into being whole or not at all.

``rounds/NNN/``: ``plan/`` (what the committee trains on and scores, written once), ``map.npz``, ``bmu.npy``,
``networks/net-0007.h5``, ``scores/net-0007/00003.npy`` (one block of one network: float32 confidence and redshift),
``selection.csv``, ``spectra/<object>.npz`` (full resolution, what the inspectors look at) and ``log``.
"""

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


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

    def network(self, member: int) -> Path:
        """Weights of one member."""
        return self.root / "networks" / f"net-{member:04d}.h5"

    def scores(self, member: int, block: int | str) -> Path:
        """What one member says of one block of rows."""
        name = f"{block:05d}" if isinstance(block, int) else block
        return self.root / "scores" / f"net-{member:04d}" / f"{name}.npy"

    def spectrum(self, object_id: int) -> Path:
        """Full-resolution spectrum of a selected object."""
        return self.root / "spectra" / f"{object_id}.npz"


def write_npz(path: Path, **arrays: NDArray[Any]) -> None:
    """Write arrays under a temporary name, flush to disk, rename: the file is whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp.{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """One array, whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp.{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            np.save(stream, array, allow_pickle=False)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a file that :func:`write_npz` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def crc32_of(path: Path) -> int:
    """Checksum of a file as the database records it."""
    crc = 0
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            crc = zlib.crc32(chunk, crc)
    return crc
