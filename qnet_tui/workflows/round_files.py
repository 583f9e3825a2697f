"""Where the files of one round lie, and how a result file comes into being whole or not at all.

``rounds/NNN/``: ``plan/`` (what the committee trains on and scores, written once), ``map.npz``, ``bmu.npy``,
``networks/net-0007.h5``, ``selection.csv``, ``spectra/<object>.npz`` (full resolution, what the inspectors look at) and
``log``. What the committee said lies in ``scores/``:

- ``precision``: the arithmetic that the first worker chose for the whole round, one word;
- ``net-0007/validation.npy`` and, where every network answered for every row, ``net-0007/00003.npy`` (one block of one
  network): float32 (n, 2), confidence and redshift;
- where networks stopped being asked, ``race/committee.json`` and a folder for each group of rows (:class:`RaceFiles`).
"""

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.files import durable_stream, make_directory, temporary_name, write_durably
from storage.shards import write_array

BLOCK_VALIDATION = "validation"
OUTLIERS = "outliers"
"""Folder below a round for what its map rejected, when that is scored after the run."""

GROUPS = ("regular", "outliers")
"""Rows that race against each other: those that the map keeps, and those that it rejects."""


@dataclass(frozen=True)
class RaceFiles:
    """Paths of one group of rows that raced: ``scores/race/GROUP/``.

    ``rows.npy``, ``starts.npy`` and ``orders.npy`` are the race's plan. ``opening/00003.npz`` has the answers of the
    first networks for one block; ``candidates.npz`` the rows that every network was asked about at once,
    ``candidates/net-0007.npy`` their answers; ``rule.npz`` when rows are dropped; ``blocks/00003.npz`` what came of the
    other rows of a block; and ``race.json`` the facts of the race with its certificate.
    """

    root: Path

    @property
    def rows(self) -> Path:
        """Rows of the pool in this group, ascending, int32 (n,)."""
        return self.root / "rows.npy"

    @property
    def starts(self) -> Path:
        """Where each block begins in ``rows``, and the end of the last, int64 (blocks + 1,)."""
        return self.root / "starts.npy"

    @property
    def orders(self) -> Path:
        """Uint16 (blocks, networks): in which order each block asks the committee (places in its list of members)."""
        return self.root / "orders.npy"

    @property
    def candidates(self) -> Path:
        """Rows asked to the end at once, and what the opening said of them (:mod:`qnet_tui.workflows.round_race`)."""
        return self.root / "candidates.npz"

    @property
    def rule(self) -> Path:
        """When a row is asked no further; absent where nothing is dropped."""
        return self.root / "rule.npz"

    @property
    def facts(self) -> Path:
        """What the race was, saved and promises."""
        return self.root / "race.json"

    def opening(self, block: int) -> Path:
        """Answers of the opening for one block: ``c`` and ``z`` float32 (n, opening), in the block's order."""
        return self.root / "opening" / f"{block:05d}.npz"

    def candidate(self, member: int) -> Path:
        """Answers of one member for the candidates, float32 (m, 2)."""
        return self.root / "candidates" / f"net-{member:04d}.npy"

    def block(self, block: int) -> Path:
        """What came of a block.

        ``counts`` int16 (n, 3) and ``asked`` int16 (n,) of its rows (0 for candidates), ``complete`` int32 (k,) those
        asked to the end, ``c`` and ``z`` float32 (k, networks) their answers in the order of the members.
        """
        return self.root / "blocks" / f"{block:05d}.npz"

    def make_folders(self) -> None:
        """Make the folders before several workers want them at once."""
        for name in ("opening", "candidates", "blocks"):
            make_directory(self.root / name)


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

    @property
    def precision(self) -> Path:
        """Which arithmetic the committee answers in, one word; the first worker that scores writes it."""
        return self.root / "scores" / "precision"

    @property
    def committee(self) -> Path:
        """The members that race, JSON; absent where every network answers for every row."""
        return self.root / "scores" / "race" / "committee.json"

    def race(self, group: str) -> RaceFiles:
        """Files of the race of one of :data:`GROUPS`."""
        return RaceFiles(self.root / "scores" / "race" / group)

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


def write_once(path: Path, word: str) -> str:
    """Write a word unless somebody did already; return what stands there, the same for all who ask at once."""
    make_directory(path.parent)
    if not path.exists():
        mine = temporary_name(path)
        write_durably(mine, word.encode())
        # A link, unlike a rename, fails when the name is taken; file systems without links rename, a moment less sure.
        try:
            os.link(mine, path)
        except FileExistsError:
            pass
        except OSError:
            mine.replace(path)
        finally:
            mine.unlink(missing_ok=True)
    return path.read_text().strip()


def committee_members(files: RoundFiles) -> list[int] | None:
    """The members that race in this round, ascending; None where every network answers for every row."""
    try:
        return [int(m) for m in json.loads(files.committee.read_text())["members"]]
    except FileNotFoundError:
        return None


def write_npz(path: Path, **arrays: NDArray[Any]) -> None:
    """Write arrays as one file that is whole or absent, readable and replaceable by the group."""
    with durable_stream(path) as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """One array, whole or absent."""
    write_array(path, array)


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a file that :func:`write_npz` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
