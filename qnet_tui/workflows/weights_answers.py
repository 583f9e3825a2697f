"""What a weights file says of every row of a workspace, kept: ``answers/<hash of the file>-<offsets>/``.

``facts.json`` names the file, its SHA-256, its grid and the versions that answered; ``00000.npz`` and so on have up to
20,000 rows each: ``row_id`` i8 (n,), ``c_line`` and ``z_line`` f4 (6, n), ``zbest`` f8 (n,). A block is whole or
absent, so a killed scoring goes on where it was, and rows that came to the workspace since become new blocks. Always
in float32: these confidences are shown.
"""

import contextlib
import hashlib
import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.settings as campaign
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_files import read_npz
from qnet_tui.workflows.round_runner import Runner
from qnet_tui.workflows.versions import versions
from qnet_tui.workflows.weights import load_weights
from qnet_tui.workflows.weights_scoring import Scoring
from storage.files import TEMPORARY, make_directory, write_durably
from storage.workspace import Workspace

BLOCK_ROWS = 20_000

_DAMAGED = (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile)
_ATTEMPTS = 3
_DAY = 86_400.0


@dataclass(frozen=True, eq=False)
class AnswersBlock:
    """Answers for n rows: ``row_id`` i8 (n,), ``c_line`` and ``z_line`` f4 (6, n), ``zbest`` f8 (n,)."""

    row_id: NDArray[np.int64]
    c_line: NDArray[np.float32]
    z_line: NDArray[np.float32]
    zbest: NDArray[np.float64]

    def take(self, rows: NDArray[Any]) -> "AnswersBlock":
        """Some of the rows, by a mask or by their places."""
        return AnswersBlock(self.row_id[rows], self.c_line[:, rows], self.z_line[:, rows], self.zbest[rows])


@dataclass(frozen=True)
class AnswersFiles:
    """The answers of one weights file, read block by block.

    ``facts`` is what ``facts.json`` says; ``not_scored`` has for each reason the number of rows without an answer.
    """

    root: Path
    facts: dict[str, Any]
    not_scored: dict[str, int]

    def blocks(self) -> Iterator[AnswersBlock]:
        """One block after the other; each row is in one of them only.

        Errors: :class:`QnetError` naming the file, when one is damaged.
        """
        seen = np.zeros(0, dtype=bool)
        for path in _block_files(self.root):
            try:
                block = AnswersBlock(**read_npz(path))
            except _DAMAGED as error:
                raise _damaged(path, error) from error
            last = int(block.row_id.max(initial=0))
            if last >= seen.size:
                seen = np.concatenate([seen, np.zeros(last + 1 - seen.size, dtype=bool)])
            # Two people who scored at once may have written a row twice.
            yield block.take(~seen[block.row_id])
            seen[block.row_id] = True

    def of_rows(self, row_ids: NDArray[np.int64]) -> AnswersBlock:
        """The answers for some rows, all different, in their order; NaN where there is none."""
        n = len(row_ids)
        out = AnswersBlock(
            row_ids, np.full((6, n), np.nan, np.float32), np.full((6, n), np.nan, np.float32), np.full(n, np.nan)
        )
        order = np.argsort(row_ids)
        for block in self.blocks():
            mine, theirs = places(row_ids[order], block.row_id)
            place = order[mine]
            out.c_line[:, place], out.z_line[:, place] = block.c_line[:, theirs], block.z_line[:, theirs]
            out.zbest[place] = block.zbest[theirs]
        return out


def places(ascending: NDArray[np.int64], ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the ``ids`` stand in the ``ascending`` ones, and which of them are there: two i8 arrays of one length."""
    at = np.searchsorted(ascending, ids)
    there = np.flatnonzero(at < len(ascending))
    there = there[ascending[at[there]] == ids[there]]
    return at[there], there


def answers_folder(ws: Workspace, weights_file: Path, offsets: str = "as-trained") -> Path:
    """Where the answers of a weights file lie, whether they are there or not."""
    return ws.root / "answers" / f"{_sha256(weights_file)[:16]}-{offsets}"


def answers(
    ws: Workspace,
    weights_file: Path,
    offsets: str = "as-trained",
    *,
    jobs: int = 1,
    progress: Progress = silent,
    runner: Runner | None = None,
    block_rows: int = BLOCK_ROWS,
) -> AnswersFiles:
    """Let a weights file answer for every row of the workspace that has no answer yet.

    A file on another grid than the workspace's gets the originals rebinned (kept in shards of their own); rows whose
    original is gone are left out and counted. ``runner`` takes the tasks into a registered run; without one, ``jobs``
    worker processes do them. Errors: :class:`BadInput` for a file that is no QuasarNET or is on a grid of its own.
    """
    grid = load_weights(weights_file, offsets).grid.name
    own = str(campaign.get_setting(ws, "grid", "log"))
    if grid == "custom":
        raise BadInput("its wavelength grid is none of the published ones", file=weights_file,
                       mend="give a file on the log or the linear grid")  # fmt: skip
    root = answers_folder(ws, weights_file, offsets)
    make_directory(root)
    _sweep(root)
    facts = _facts(root, weights_file, offsets, grid)
    scoring = Scoring(ws, weights_file, offsets, grid, own, jobs, runner)
    for _ in range(_ATTEMPTS):  # Rows can be ingested, or scored by somebody else, in the meantime.
        rows = all_rows(ws)
        known = np.concatenate([_answered(root), scoring.lost_rows()])
        missing = scoring.without_originals(rows[~np.isin(rows["id"], known)])
        if not len(missing):
            break
        taken = {int(path.stem) for path in _block_files(root)}
        free = (number for number in range(len(taken) + len(missing)) if number not in taken)
        parts = [missing[i : i + block_rows] for i in range(0, len(missing), block_rows)]
        blocks = [(root / f"{next(free):05d}.npz", part) for part in parts]
        scoring.score(blocks, progress, len(rows) - len(missing), len(rows))
    lost = {why: sum(len(ids) for ids in some) for why, some in sorted(scoring.lost.items())}
    return AnswersFiles(root, facts, lost)


def _sweep(root: Path) -> None:
    """Remove what killed scorings left: temporary files of yesterday and before."""
    for path in root.glob(f"*{TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _DAY:
                path.unlink()


def _block_files(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("*.npz") if path.stem.isdigit())


def _answered(root: Path) -> NDArray[np.int64]:
    """Rows that have an answer; a block that cannot be read is removed, and so scored again."""
    found = [np.empty(0, dtype=np.int64)]
    for path in _block_files(root):
        try:
            with np.load(path, allow_pickle=False) as block:
                found.append(block["row_id"])
        except _DAMAGED:
            with contextlib.suppress(OSError):
                path.unlink()
    return np.concatenate(found)


def _facts(root: Path, weights_file: Path, offsets: str, grid: str) -> dict[str, Any]:
    path = root / "facts.json"
    if not path.exists():
        facts = {"file": weights_file.name, "sha256": _sha256(weights_file), "grid": grid, "offsets": offsets,
                 "versions": versions()}  # fmt: skip
        write_durably(path, (json.dumps(facts, indent=1) + "\n").encode())
    try:
        stored: Any = json.loads(path.read_text())
        if not isinstance(stored, dict) or not {"sha256", "grid", "offsets"} <= stored.keys():
            raise ValueError("it does not say of which file they are")
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    # The same content under another name is the same file; it is called what it is called now.
    return {**stored, "file": weights_file.name}


def _damaged(path: Path, error: Exception) -> QnetError:
    return QnetError(f"these answers are damaged ({' '.join(str(error).split())})", file=path,
                     mend="remove the file and compare again: what is missing is scored anew")  # fmt: skip


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
