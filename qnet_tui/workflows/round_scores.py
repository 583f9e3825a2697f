"""Everything that the committee of a round said, read from its files: the one place that knows how they lie.

A round is *full* (every network answered for every row: one file per member and block of rows) or *raced* (networks
stopped being asked where a row could no longer be among the most disputed: :mod:`qnet_tui.workflows.round_race`).
Whoever reads calls, scores or confidences need not know which.
"""

import itertools
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.calls import call_classes, call_counts
from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.strategies import RowScores, score_rows
from qnet_tui.errors import QnetError
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_files import BLOCK_VALIDATION, GROUPS, RaceFiles, RoundFiles, committee_members

Float32 = NDArray[np.float32]

_ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class PoolScores:
    """What the committee said of the n rows of a pool.

    ``scores``: the score is NaN where a row was not asked to the end, so it cannot be selected; entropy and counts are
    those of the networks that were asked. ``asked`` int16 (n,): how many that were, of ``networks``.
    """

    scores: RowScores
    asked: NDArray[np.int16]
    networks: int

    @property
    def stopped(self) -> NDArray[np.bool_]:
        """Rows that not every network was asked about, bool (n,)."""
        return np.asarray(self.asked < self.networks)

    @property
    def evaluations(self) -> int:
        """Answers that were computed."""
        return int(self.asked.sum(dtype=np.int64))


@dataclass(frozen=True)
class Answers:
    """Confidence and redshift of some rows by every member, in their order: float32 (k, networks) each."""

    rows: NDArray[np.int64]
    c_qso: Float32
    zbest: Float32


def pool_scores(
    files: RoundFiles, members: list[int], keys: NDArray[Any], settings: RoundSettings, progress: Progress = silent
) -> PoolScores:
    """Score, calls and number of networks asked of every row of the pool; ``keys`` int64 (n,) are the rows' objects.

    Memory: 26 bytes a row, and one block of answers. Errors: :class:`QnetError` when a file is gone or cut off.
    """
    if committee_members(files) is not None:
        return _raced(files, members, len(keys), settings, progress)
    from qnet_tui.workflows.round_plan import selection_settings

    chosen = selection_settings(settings)
    n = len(keys)
    score, counts = np.empty(n), np.empty((n, 3), dtype=np.int16)
    entropy = score if chosen.strategy == "entropy" else np.empty(n)
    for first in range(0, n, settings.block_rows):
        part = slice(first, min(first + settings.block_rows, n))
        c_qso, zbest = block_answers(files, members, first // settings.block_rows)
        said = score_rows(c_qso, zbest, keys[part], strategy=chosen.strategy, settings=chosen.scoring)
        score[part], entropy[part], counts[part] = said.score, said.entropy, said.counts
        progress("counting calls", part.stop, n)
    return PoolScores(RowScores(score, entropy, counts), np.full(n, len(members), np.int16), len(members))


def _raced(files: RoundFiles, members: list[int], n: int, settings: RoundSettings, progress: Progress) -> PoolScores:
    counts, asked = np.zeros((n, 3), dtype=np.int16), np.zeros(n, dtype=np.int16)
    for race in races(files):
        rows, starts = np.load(race.rows, mmap_mode="r"), np.load(race.starts)
        for block, (first, last) in enumerate(itertools.pairwise(starts)):
            with stored(race.block(block)) as said:
                here = rows[first:last]
                counts[here], asked[here] = said["counts"], said["asked"]
            progress("counting calls", int(last), len(rows))
        if race.candidates.exists():
            said = candidate_answers(race, members)
            counts[said.rows] = calls_of(said.c_qso, said.zbest, settings)
            asked[said.rows] = len(members)
    entropy = np.empty(n)
    for first in range(0, n, _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        entropy[part] = entropy_bits(counts[part])
    score = np.where(asked == len(members), entropy, np.nan)
    return PoolScores(RowScores(score, entropy, counts), asked, len(members))


def complete_answers(files: RoundFiles, members: list[int], settings: RoundSettings, n: int) -> Iterator[Answers]:
    """Confidences and redshifts of the rows of a pool of ``n`` that every network was asked about, some at a time."""
    if committee_members(files) is None:
        for first in range(0, n, settings.block_rows):
            here = np.arange(first, min(first + settings.block_rows, n))
            yield Answers(here, *block_answers(files, members, first // settings.block_rows))
        return
    for race in races(files):
        rows, starts = np.load(race.rows, mmap_mode="r"), np.load(race.starts)
        for block in range(len(starts) - 1):
            with stored(race.block(block)) as said:
                here = rows[starts[block] + said["complete"]].astype(np.int64)
                yield Answers(here, said["c"], said["z"])
        if race.candidates.exists():
            yield candidate_answers(race, members)


def block_answers(files: RoundFiles, members: list[int], block: int | str) -> tuple[Float32, Float32]:
    """Confidence and redshift of one block of a full round by every member: two float32 arrays (n, networks)."""
    return _side_by_side([files.scores(member, block) for member in members])


def validation_answers(files: RoundFiles, members: list[int]) -> tuple[Float32, Float32]:
    """Confidence and redshift of the held-out rows by every member: two float32 arrays (n, networks)."""
    return block_answers(files, members, BLOCK_VALIDATION)


def candidate_answers(race: RaceFiles, members: list[int]) -> Answers:
    """What every member said of the rows that were asked to the end at once."""
    with stored(race.candidates) as chosen:
        rows = chosen["rows"].astype(np.int64)
    return Answers(rows, *_side_by_side([race.candidate(member) for member in members]))


def races(files: RoundFiles) -> list[RaceFiles]:
    """The groups of rows that raced in a round."""
    return [race for race in map(files.race, GROUPS) if race.rows.exists()]


def calls_of(c_qso: Float32, zbest: Float32, settings: RoundSettings) -> NDArray[np.int16]:
    """How many networks said NOT, LOW-Z and HIGH-Z: int16 (n, 3) from two arrays (n, networks)."""
    calls = call_classes(c_qso, zbest, c_threshold=settings.c_threshold, z_split=settings.z_split)
    return call_counts(calls).astype(np.int16)


def _side_by_side(paths: list[Path]) -> tuple[Float32, Float32]:
    c_qso = zbest = np.empty((0, 0), dtype=np.float32)
    for k, path in enumerate(paths):
        with stored(path) as part:
            if not k:
                c_qso, zbest = (np.empty((len(part), len(paths)), dtype=np.float32) for _ in range(2))
            c_qso[:, k], zbest[:, k] = part[:, 0], part[:, 1]
    return c_qso, zbest


@contextmanager
def stored(path: Path) -> Iterator[Any]:
    """A file of scores as it lies; a damaged one is named in one line."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            yield loaded
            return
        with loaded:
            yield loaded
    except FileNotFoundError:
        raise QnetError("these scores are gone", file=path, mend="restore them from a copy of the workspace") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise QnetError(
            f"these scores are damaged ({' '.join(str(error).split())})",
            file=path,
            mend="remove the file and resume the run, or restore it from a copy of the workspace",
        ) from error
