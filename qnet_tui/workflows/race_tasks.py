"""What a worker does in a race of the rows: the opening of a block, the candidates, and the rest of a block.

Every block of rows asks the networks in a random order of its own, recorded with the round; the rules of
:mod:`qnet_tui.active_learning.race` hold because of that. Each task writes one file that is whole or absent (the
candidates' one for each of a handful of networks) and opens no database.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.calls import call_classes
from qnet_tui.active_learning.race.far import call_margins
from qnet_tui.active_learning.race.rule import OPENING, RaceRule, read_rule, scouting
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.round_files import RaceFiles, RoundFiles, committee_members, read_npz, write_npy, write_npz
from qnet_tui.workflows.run_al_tasks import Done
from qnet_tui.workflows.score_tasks import Committee, committee
from storage.shards import file_crc32


def open_block(round_dir: str, group: str, block: int, settings: dict[str, Any], grid: str) -> Done:
    """Ask the first networks of a block's order about all its rows, and some more where these disagree."""
    began = time.monotonic()
    files = RoundFiles(Path(round_dir))
    race = files.race(group)
    target = race.opening(block)
    rows = _rows(race, block)
    if not target.exists():
        from qnet_tui.workflows.round_plan import pool_vectors

        x, networks = pool_vectors(files, rows), committee(round_dir, settings, grid)
        order = _order(files, race, block)
        first = _answers(networks, order[:OPENING], x)
        s = RoundSettings(**settings)
        calls = call_classes(first[:, :, 0], first[:, :, 1], c_threshold=s.c_threshold, z_split=s.z_split)
        disputed = np.flatnonzero((calls != calls[:, :1]).any(axis=1))
        more = _answers(networks, order[OPENING : scouting(s.race, len(order))], x[disputed])
        write_npz(
            target,
            c=first[:, :, 0],
            z=first[:, :, 1],
            disputed=disputed.astype(np.int32),
            c_more=more[:, :, 0],
            z_more=more[:, :, 1],
        )
    return _done(target, began, int(asked_first(read_npz(target)).sum()))


def asked_first(opening: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """How many networks the opening of a block asked about each of its rows, i8 (n,)."""
    asked = np.full(len(opening["c"]), opening["c"].shape[1], dtype=np.int64)
    asked[opening["disputed"]] += opening["c_more"].shape[1]
    return asked


def opening_answers(opening: dict[str, NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the opening of a block said, confidences and redshifts (n, networks) in its order; NaN where not asked."""
    both = []
    for name in ("c", "z"):
        first, more = opening[name], opening[f"{name}_more"]
        said = np.full((len(first), first.shape[1] + more.shape[1]), np.nan, dtype=np.float32)
        said[:, : first.shape[1]] = first
        said[opening["disputed"], first.shape[1] :] = more
        both.append(said)
    return both[0], both[1]


def complete_candidates(round_dir: str, group: str, members: list[int], settings: dict[str, Any], grid: str) -> Done:
    """Ask a handful of networks about every candidate whom they have not answered for in the opening."""
    began = time.monotonic()
    files = RoundFiles(Path(round_dir))
    race = files.race(group)
    missing = [m for m in members if not race.candidate(m).exists()]
    evaluations = 0
    if missing:
        from qnet_tui.workflows.round_plan import pool_vectors

        candidates = read_npz(race.candidates)
        x, networks = pool_vectors(files, candidates["rows"]), committee(round_dir, settings, grid)
        for member in missing:
            said = np.stack([candidates["c"], candidates["z"]], axis=2)
            row, place = np.nonzero(candidates["opened"] == member)
            answers = np.empty((len(x), 2), dtype=np.float32)
            answers[row] = said[row, place]
            new = np.ones(len(x), dtype=bool)
            new[row] = False
            answers[new] = networks.answer(member, x[new])
            evaluations += int(new.sum())
            write_npy(race.candidate(member), answers)
    return _done(race.candidate(members[-1]), began, evaluations)


def race_block(round_dir: str, group: str, block: int, settings: dict[str, Any], grid: str) -> Done:
    """Ask the other networks about the rows of a block that are no candidates, as long as the rule lets them stay.

    Without a rule every row is asked to the end; without an opening from the first network on.
    """
    began = time.monotonic()
    files = RoundFiles(Path(round_dir))
    race = files.race(group)
    target = race.block(block)
    if not target.exists():
        from qnet_tui.workflows.round_plan import pool_vectors

        rows = _rows(race, block)
        running = np.arange(len(rows))
        c, z = (np.empty((len(rows), 0), dtype=np.float32) for _ in range(2))
        begun = np.zeros(len(rows), dtype=np.int64)
        if race.candidates.exists():
            running = np.flatnonzero(~np.isin(rows, read_npz(race.candidates)["rows"]))
        if race.opening(block).exists():
            opening = read_npz(race.opening(block))
            c, z = (said[running] for said in opening_answers(opening))
            begun = asked_first(opening)[running]
        rule = read_rule(race.rule) if race.rule.exists() else None
        order = _order(files, race, block)
        heat = _Heat(RoundSettings(**settings), rule, len(order), c, z, begun)
        if len(heat.alive):
            heat.run(order, pool_vectors(files, rows[running[heat.alive]]), committee(round_dir, settings, grid))
        counts, asked = np.zeros((len(rows), 3), dtype=np.int16), np.zeros(len(rows), dtype=np.int16)
        counts[running], asked[running] = heat.counts, heat.asked
        places = np.argsort(order)
        write_npz(
            target,
            counts=counts,
            asked=asked,
            complete=running[heat.alive].astype(np.int32),
            c=heat.c[:, places],
            z=heat.z[:, places],
        )
    asked = read_npz(target)["asked"]
    before = asked_first(read_npz(race.opening(block)))[asked > 0].sum() if race.opening(block).exists() else 0
    return _done(target, began, int(asked.sum(dtype=np.int64)) - int(before))


class _Heat:
    """The rows of one block that run: who is still asked, and what was said so far.

    ``alive`` (k,) are places of those still asked; ``c`` and ``z`` (k, networks) their answers in the block's order, of
    which the first ``begun`` (k,) were given before, and ``nearest`` (k,) the smallest margin of those that were
    counted; ``counts`` (n, 3) and ``asked`` (n,) are those of all.
    """

    def __init__(
        self,
        settings: RoundSettings,
        rule: RaceRule | None,
        networks: int,
        c: NDArray[np.float32],
        z: NDArray[np.float32],
        begun: NDArray[np.int64],
    ) -> None:
        """Begin with the answers ``c`` and ``z`` (n, width) of the networks asked before, ``begun`` (n,) of a row."""
        n, width = c.shape
        self.settings, self.rule, self.networks, self.begun = settings, rule, networks, begun
        self.alive = np.arange(n)
        self.counts = np.zeros((n, 3), dtype=np.int16)
        self.asked = begun.astype(np.int16)
        self.c, self.z = (np.empty((n, networks), dtype=np.float32) for _ in range(2))
        self.c[:, :width], self.z[:, :width] = c, z
        self.nearest = np.full(n, np.inf, dtype=np.float32)
        self.last_far = max((k for k, _ in rule.far), default=0) if rule is not None else 0
        self.first_asked = int(begun.min(initial=networks))
        for k in range(self.first_asked):
            self._step(k)

    def run(self, order: list[int], x: NDArray[np.float32], networks: Committee) -> None:
        """Ask the other networks about the rows ``x`` (k, n_pixels) still there, dropping rows at each look."""
        at = self.alive
        for k in range(self.first_asked, self.networks):
            # Rows that left are taken out of the vectors now and then: each time would copy them 200 times.
            if len(self.alive) < 0.8 * len(at):
                x = x[np.searchsorted(at, self.alive)]
                at = self.alive
            new = np.flatnonzero(self.begun <= k)
            said = networks.answer(order[k], x if len(new) == len(at) else x[np.searchsorted(at, self.alive[new])])
            self.c[new, k], self.z[new, k] = said.T
            self.asked[self.alive[new]] = k + 1
            self._step(k)
            if not len(self.alive):
                return

    def _step(self, k: int) -> None:
        """Count the answers of the network at place ``k`` and let rows leave."""
        self._count(self.alive, self.c[:, k], self.z[:, k])
        if k < self.last_far:
            s = self.settings
            margin = call_margins(self.c[:, k], self.z[:, k], c_threshold=s.c_threshold, z_split=s.z_split)
            self.nearest = np.minimum(self.nearest, margin)
        if self.rule is None or k + 1 not in self.rule.moments:
            return
        leaves = self.rule.dropped(k + 1, self.counts[self.alive], self.nearest)
        if not leaves.any():
            return
        # What was asked before and is not looked at any more was asked all the same.
        for late in range(k + 1, int(self.begun[leaves].max())):
            some = leaves & (self.begun > late)
            self._count(self.alive[some], self.c[some, late], self.z[some, late])
        stays = ~leaves
        self.alive, self.c, self.z = self.alive[stays], self.c[stays], self.z[stays]
        self.begun, self.nearest = self.begun[stays], self.nearest[stays]

    def _count(self, rows: NDArray[np.int64], c: NDArray[np.float32], z: NDArray[np.float32]) -> None:
        s = self.settings
        calls = call_classes(c, z, c_threshold=s.c_threshold, z_split=s.z_split)
        for kind in range(3):
            self.counts[rows, kind] += calls == kind


def _answers(networks: Committee, members: list[int], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Confidence and redshift by every one of ``members``, float32 (n, members, 2)."""
    said = np.empty((len(x), len(members), 2), dtype=np.float32)
    for k, member in enumerate(members):
        said[:, k] = networks.answer(member, x)
    return said


def _rows(race: RaceFiles, block: int) -> NDArray[np.int64]:
    starts = np.load(race.starts, allow_pickle=False)
    part = np.load(race.rows, mmap_mode="r", allow_pickle=False)[starts[block] : starts[block + 1]]
    return np.asarray(part, dtype=np.int64)


def _order(files: RoundFiles, race: RaceFiles, block: int) -> list[int]:
    members = committee_members(files) or []
    return [members[place] for place in np.load(race.orders, mmap_mode="r", allow_pickle=False)[block]]


def _done(target: Path, began: float, evaluations: int) -> Done:
    return Done(str(target), file_crc32(target), time.monotonic() - began, {"evaluations": float(evaluations)})
