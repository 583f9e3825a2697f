"""What a worker does to score: some networks of a round answer for a block of rows, or for the held-out ones.

A task reads a block's vectors once for a handful of networks and writes one file for each of them. A task that is run
twice (a lost worker, a resumed run) costs nothing and changes nothing. It opens no database.
"""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.round_files import BLOCK_VALIDATION, RoundFiles, read_npz, write_npy, write_once
from qnet_tui.workflows.run_al_tasks import Done
from storage.shards import file_crc32


@dataclass(frozen=True)
class Committee:
    """The networks of a round as they answer, in one arithmetic: "float32" or "bfloat16"."""

    files: RoundFiles
    settings: RoundSettings
    grid: str
    precision: str

    def answer(self, member: int, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """What network ``member`` says of the vectors ``x`` (n, n_pixels).

        Returns float32 (n, 2): the confidence of the ``n_lines``-th most confident line (a row is called a quasar when
        it exceeds the threshold) and the redshift of the most confident one.
        """
        from qnet_tui.spectra.grids import grid_named

        if not len(x):
            return np.empty((0, 2), dtype=np.float32)
        s, path = self.settings, self.files.network(member)
        architecture = (s.layers, s.filters, x.shape[1], self.precision)
        said = _predictor(*architecture).answers(
            _network(architecture, path, path.stat().st_mtime_ns), x, grid_named(self.grid), s.n_lines,
            c_threshold=s.c_threshold, z_split=s.z_split,
        )  # fmt: skip
        return np.stack([said.c_qso, said.zbest], axis=1).astype(np.float32, copy=False)


def committee(round_dir: str, settings: dict[str, Any], grid: str) -> Committee:
    """The committee of a round for rows of its pool; the first to ask chooses the precision for all of them."""
    files, chosen = RoundFiles(Path(round_dir)), RoundSettings(**settings)
    return Committee(files, chosen, grid, settled_precision(files, chosen))


def settled_precision(files: RoundFiles, settings: RoundSettings) -> str:
    """The arithmetic of a round's committee, chosen once and recorded, so that no resume and no other node mixes two.

    Only calls are the same in both: a strategy that reads the confidences themselves gets float32.
    """
    if settings.strategy != "entropy":
        return "float32"
    if not files.precision.exists():
        from qnet_tui.quasarnet.precision import choose

        return write_once(files.precision, choose(settings.precision))
    return files.precision.read_text().strip()


def score_members(
    round_dir: str, members: list[int], block: int, settings: dict[str, Any], grid: str, below: str = ""
) -> Done:
    """Score one block of the pool with the networks ``members``.

    ``below`` is the folder in the round that has the pool and gets the scores, "" for the round itself. Writes for each
    network what :meth:`Committee.answer` returns.
    """
    from qnet_tui.workflows.round_plan import pool_vectors

    here = RoundFiles(Path(round_dir) / below)
    rows = int(settings["block_rows"])

    def vectors() -> NDArray[np.float32]:
        return pool_vectors(here, slice(block * rows, (block + 1) * rows))

    return _score(here, members, block, vectors, functools.partial(committee, round_dir, settings, grid))


def score_validation(round_dir: str, members: list[int], settings: dict[str, Any], grid: str) -> Done:
    """Score the held-out rows with the networks ``members``.

    In float32 always: completeness and purity are shown at other thresholds than the one that is rechecked.
    """
    files = RoundFiles(Path(round_dir))
    return _score(
        files,
        members,
        BLOCK_VALIDATION,
        lambda: read_npz(files.validation)["x"],
        lambda: Committee(files, RoundSettings(**settings), grid, "float32"),
    )


def _score(
    here: RoundFiles,
    members: list[int],
    block: int | str,
    vectors: Callable[[], NDArray[np.float32]],
    ready: Callable[[], Committee],
) -> Done:
    began = time.monotonic()
    missing = [m for m in members if not here.scores(m, block).exists()]
    evaluations = 0
    if missing:
        x, networks = vectors(), ready()
        for member in missing:
            write_npy(here.scores(member, block), networks.answer(member, x))
        evaluations = len(x) * len(missing)
    last = here.scores(members[-1], block)
    return Done(str(last), file_crc32(last), time.monotonic() - began, {"evaluations": float(evaluations)})


# Reading a weights file takes as long as scoring some fifty rows, and in a race the same networks are asked about few
# rows again and again. Of the paper's architecture 64 networks take 160 MB.
@functools.lru_cache(maxsize=64)
def _network(architecture: tuple[int, int, int, str], path: Path, _written: int) -> Any:
    from qnet_tui.quasarnet.weights_file import read_weights

    return _predictor(*architecture).prepare(read_weights(path))


# A worker process meets many tasks of one architecture: the traced graph is kept for the next one.
@functools.lru_cache(maxsize=2)
def _predictor(layers: int, filters: int, n_pixels: int, precision: str) -> Any:
    from qnet_tui.quasarnet.inference import Predictor
    from qnet_tui.quasarnet.precision import choose
    from qnet_tui.quasarnet.settings import NetworkSettings

    return Predictor(NetworkSettings(layers=layers, filters=filters, n_pixels=n_pixels), choose(precision))
