"""How a round scores its pool: every network for every row, or a race in which rows leave that cannot be selected.

A race goes in this order, each step leaving files that are whole or absent:

1. *plan*: rows that the map keeps, and those that it rejects when some of them are wanted, race among themselves. Each
   group is cut into blocks; each block gets a random order of the networks of its own.
2. *opening*: the first networks of a block's order answer for all its rows, the next for those on which these disagree.
3. *candidates*: the rows of the most disputed objects after the opening (and, to calibrate, rows drawn at random) are
   asked to the end. The entropy of the K-th of their objects, ``h_low``, is never above that of the true cut.
4. *rule*: from ``h_low`` alone (and, calibrated, from the completed rows): who leaves after how many networks.
5. *race*: the other networks, in the block's order, about whoever is still in it.

So every row that is selected has the calls of all networks, and the others have as many as they were asked.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import storage.rounds as rounds_store
from qnet_tui.active_learning.calls import call_classes
from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.pool import Pool
from qnet_tui.active_learning.race.calibrated import calibrated_rule, pilot_rows
from qnet_tui.active_learning.race.candidates import (
    CANDIDATES_PER_OBJECT,
    Candidates,
    choose_candidates,
    kth_object_entropy,
)
from qnet_tui.active_learning.race.exact import exact_rule
from qnet_tui.active_learning.race.far import call_margins
from qnet_tui.active_learning.race.orders import network_orders
from qnet_tui.active_learning.race.rule import MAXIMUM_NETWORKS, MINIMUM_NETWORKS, OPENING, RaceRule, write_rule
from qnet_tui.active_learning.race.sound import sound_rule
from qnet_tui.active_learning.selection import MapColumns
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.race_outcome import race_outcome
from qnet_tui.workflows.race_tasks import asked_first, complete_candidates, open_block, opening_answers, race_block
from qnet_tui.workflows.round_files import (
    GROUPS,
    RaceFiles,
    RoundFiles,
    committee_members,
    read_npz,
    write_npy,
    write_npz,
)
from qnet_tui.workflows.round_plan import read_pool, selection_settings
from qnet_tui.workflows.round_runner import RoundTask, Runner
from qnet_tui.workflows.round_scores import (
    PoolScores,
    calls_of,
    candidate_answers,
    pool_scores,
    stored,
)
from qnet_tui.workflows.round_selection import with_spare
from qnet_tui.workflows.score_tasks import score_members, score_validation
from storage.files import write_durably

BLOCKS_AT_LEAST, ROWS_AT_LEAST = 16, 512
"""A small pool is cut into so many blocks to keep several workers busy, but not into blocks of fewer rows."""

HANDFUL = 8
"""Networks of one task at most: a block's vectors are read once for all of them."""


@dataclass(frozen=True)
class Scored:
    """What scoring left: the ``members`` that were asked, what they ``said``, and the ``race`` for the result."""

    members: list[int]
    said: PoolScores
    race: dict[str, Any]


@dataclass(frozen=True)
class _Round:
    """What every step of the scoring of a round knows."""

    runner: Runner
    files: RoundFiles
    members: list[int]
    settings: RoundSettings
    number: int
    grid: str

    @property
    def common(self) -> dict[str, Any]:
        """Arguments of every task."""
        return {"round_dir": str(self.files.root), "settings": self.settings.as_dict(), "grid": self.grid}

    def seed(self, *key: int) -> np.random.SeedSequence:
        """The seed of something random in the race, from the round's (4: the race; 2 is the map)."""
        return np.random.SeedSequence([self.settings.seed, self.number, 4, *key])


@dataclass(frozen=True)
class _Group:
    """Rows that race among themselves for ``wanted`` objects; without ``raced`` they are all asked to the end."""

    name: str
    files: RaceFiles
    wanted: int
    raced: bool

    @property
    def index(self) -> int:
        """For seeds."""
        return GROUPS.index(self.name)

    @property
    def blocks(self) -> int:
        """Number of its blocks."""
        return len(np.load(self.files.starts, allow_pickle=False)) - 1


def score_round(
    runner: Runner, files: RoundFiles, members: list[int], settings: RoundSettings, number: int, grid: str
) -> Scored:
    """Score the pool and the held-out rows of a planned round with the networks ``members``.

    A race that was begun goes on with the committee that began it. Errors: :class:`QnetError` when a task fails; what
    was finished is kept.
    """
    pool, on_map = read_pool(files)
    begun = committee_members(files)
    this = _Round(runner, files, members if begun is None else begun, settings, number, grid)
    if begun is None:
        why = why_full(settings, len(members), pool, on_map)
        if why:
            return _full(this, pool, why)
        _plan_race(this, pool, on_map)
    groups = _groups(files)
    _opening(this, groups)
    raced = [g for g in groups if g.raced]
    for group in raced:
        if not group.files.candidates.exists():
            _choose_candidates(this, group, pool)
    _complete_candidates(this, raced)
    for group in raced:
        if not group.files.rule.exists():
            write_rule(group.files.rule, _rule(this, group, pool))
    _race(this, groups)
    said = pool_scores(files, this.members, pool.object_key, settings, runner.clock.progress)
    facts = {
        g.name: race_outcome(files, g.files, this.members, settings, pool, said, _selected(settings, g), raced=g.raced)
        for g in groups
    }
    regular = facts.pop("regular")
    return Scored(this.members, said, {**regular, **facts})


def why_full(settings: RoundSettings, networks: int, pool: Pool, on_map: MapColumns) -> str:
    """Why a round asks every network about every row; "" when it can race."""
    if settings.race == "full":
        return "as asked"
    if settings.strategy != "entropy":
        return f"the strategy {settings.strategy} needs every answer"
    if networks < MINIMUM_NETWORKS:
        return f"fewer than {MINIMUM_NETWORKS} networks"
    if networks > MAXIMUM_NETWORKS:
        return f"more than {MAXIMUM_NETWORKS} networks"
    regular = ~on_map.rejected[on_map.bmu]
    if with_spare(selection_settings(settings)).select >= len(np.unique(pool.object_key[regular])):
        return "nearly every object is wanted"
    return ""


def handfuls(members: Sequence[int], blocks: int) -> list[list[int]]:
    """The members in groups of up to eight; of fewer where there would be few tasks, whatever the number of workers."""
    size = min(HANDFUL, max(1, len(members) * blocks // 64))
    return [list(members[first : first + size]) for first in range(0, len(members), size)]


def full_tasks(
    files: RoundFiles, members: Sequence[int], rows: int, common: dict[str, Any], below: str = ""
) -> list[RoundTask]:
    """Tasks in which every network answers for each of ``rows`` rows of a pool (:func:`score_members`)."""
    blocks = -(-rows // int(common["settings"]["block_rows"]))
    here = RoundFiles(files.root / below)
    return [
        RoundTask(
            f"score {some[0]}-{some[-1]} {block}",
            score_members,
            {**common, "members": some, "block": block, "below": below},
            tuple(here.scores(m, block) for m in some),
        )
        for block in range(blocks)
        for some in handfuls(members, blocks)
    ]


def _validation_tasks(this: _Round) -> list[RoundTask]:
    if not this.files.validation.exists():
        return []
    files = this.files
    return [
        RoundTask(
            f"score {some[0]}-{some[-1]} validation",
            score_validation,
            {**this.common, "members": some},
            tuple(files.scores(m, "validation") for m in some),
        )
        for some in handfuls(this.members, 4)
    ]


def _full(this: _Round, pool: Pool, why: str) -> Scored:
    tasks = full_tasks(this.files, this.members, len(pool), this.common)
    this.runner.run_all([*_validation_tasks(this), *tasks], "scoring")
    said = pool_scores(this.files, this.members, pool.object_key, this.settings, this.runner.clock.progress)
    return Scored(this.members, said, {"rule": "full", "why": why})


def _plan_race(this: _Round, pool: Pool, on_map: MapColumns) -> None:
    """Write rows, blocks and orders of each group, and last who the committee is: then the plan is whole."""
    wanted = with_spare(selection_settings(this.settings))
    # What was queued since the plan was written would be counted among the K most disputed and raise the cut.
    free = ~np.isin(pool.object_key, np.fromiter(rounds_store.ever_queued(this.runner.ws), dtype=np.int64))
    outlying = on_map.rejected[on_map.bmu]
    masks = {"regular": free & ~outlying}
    if this.settings.outliers:
        # An object of which another row lies among many others is no outlier.
        masks["outliers"] = free & outlying & ~np.isin(pool.object_key, pool.object_key[~outlying])
    told = []
    for name, number in (("regular", wanted.select), ("outliers", wanted.outliers)):
        rows = np.flatnonzero(masks.get(name, np.zeros(0, dtype=bool)))
        if not len(rows):
            continue
        race = this.files.race(name)
        race.make_folders()
        size = min(this.settings.block_rows, max(ROWS_AT_LEAST, -(-len(rows) // BLOCKS_AT_LEAST)))
        starts = np.append(np.arange(0, len(rows), size), len(rows))
        orders = network_orders(len(this.members), len(starts) - 1, this.seed(GROUPS.index(name)))
        write_npy(race.orders, orders)
        write_npy(race.starts, starts)
        write_npy(race.rows, rows.astype(np.int32))
        told.append({"name": name, "wanted": number, "raced": number < len(np.unique(pool.object_key[rows]))})
    text = json.dumps({"members": this.members, "seed": [this.settings.seed, this.number, 4], "groups": told})
    write_durably(this.files.committee, text.encode())


def _groups(files: RoundFiles) -> list[_Group]:
    return [
        _Group(g["name"], files.race(g["name"]), int(g["wanted"]), bool(g["raced"]))
        for g in json.loads(files.committee.read_text())["groups"]
    ]


def _opening(this: _Round, groups: list[_Group]) -> None:
    tasks = [
        RoundTask(
            f"opening {g.name} {block}",
            open_block,
            {**this.common, "group": g.name, "block": block},
            (g.files.opening(block),),
        )
        for g in groups
        if g.raced
        for block in range(g.blocks)
    ]
    this.runner.run_all([*_validation_tasks(this), *tasks], "asking the first networks")


def _choose_candidates(this: _Round, group: _Group, pool: Pool) -> None:
    """Write which rows are asked to the end at once, with what the opening said of them."""
    race, rows, starts = group.files, np.load(group.files.rows), np.load(group.files.starts)
    counts = np.empty((len(rows), 3), dtype=np.int16)
    for block in range(group.blocks):
        c, z = opening_answers(_opened(race, block))
        counts[starts[block] : starts[block + 1]] = calls_of(c, z, this.settings)
    keys = pool.object_key[rows]
    chosen = choose_candidates(counts, keys, CANDIDATES_PER_OBJECT * group.wanted, this.seed(group.index, 1), OPENING)
    pilot = np.empty(0, dtype=np.int64)
    if this.settings.race == "calibrated":
        pilot = pilot_rows(len(rows), this.seed(group.index, 2))
    both = np.union1d(chosen.positions, pilot)
    block_of = np.searchsorted(starts, both, side="right") - 1
    opened, confidences, redshifts = [], [], []
    orders = np.load(race.orders)
    for block in np.unique(block_of):
        here = both[block_of == block] - starts[block]
        opening = _opened(race, int(block))
        c, z = (said[here] for said in opening_answers(opening))
        confidences.append(c)
        redshifts.append(z)
        first = np.asarray(this.members, dtype=np.int32)[orders[block][: c.shape[1]]]
        asked = np.arange(c.shape[1]) < asked_first(opening)[here, None]
        opened.append(np.where(asked, first, -1))
    write_npz(
        race.candidates,
        rows=rows[both],
        in_pilot=np.isin(both, pilot),
        is_candidate=np.isin(both, chosen.positions),
        opened=np.concatenate(opened),
        c=np.concatenate(confidences),
        z=np.concatenate(redshifts),
        chosen=np.array([chosen.opening, chosen.threshold, chosen.tie_share]),
    )


def _opened(race: RaceFiles, block: int) -> dict[str, Any]:
    with stored(race.opening(block)) as said:
        return dict(said)


def _complete_candidates(this: _Round, groups: list[_Group]) -> None:
    tasks = [
        RoundTask(
            f"candidates {g.name} {some[0]}-{some[-1]}",
            complete_candidates,
            {**this.common, "group": g.name, "members": some},
            tuple(g.files.candidate(m) for m in some),
        )
        for g in groups
        for some in handfuls(this.members, 4)
    ]
    this.runner.run_all(tasks, "asking about the most disputed")


def _rule(this: _Round, group: _Group, pool: Pool) -> RaceRule:
    """The rule, from what the completed rows say of the cut."""
    said = candidate_answers(group.files, this.members)
    finals = calls_of(said.c_qso, said.zbest, this.settings)
    networks, delta = len(this.members), this.settings.race_delta
    h_low = kth_object_entropy(entropy_bits(finals), pool.object_key[said.rows], group.wanted)
    if this.settings.race == "exact":
        return exact_rule(networks, h_low)
    if this.settings.race == "calibrated":
        facts = read_npz(group.files.candidates)
        opening, threshold, tie_share = facts["chosen"].tolist()
        positions = np.flatnonzero(facts["is_candidate"])
        rows = np.load(group.files.rows, mmap_mode="r")
        keys, repeats = np.unique(pool.object_key[rows], return_counts=True)
        return calibrated_rule(
            networks,
            h_low,
            finals=finals,
            in_pilot=facts["in_pilot"],
            chosen=Candidates(positions, int(opening), threshold, tie_share, OPENING),
            pilot_share=float(facts["in_pilot"].sum()) / len(rows),
            calls=call_classes(said.c_qso, said.zbest, **_edges(this)),
            margins=call_margins(said.c_qso, said.zbest, **_edges(this)),
            k=group.wanted,
            rows_of_object=repeats[np.searchsorted(keys, pool.object_key[said.rows])],
            delta=delta,
        )
    return sound_rule(networks, h_low, delta, cache=this.runner.ws.root / "runs" / "race-rules")


def _race(this: _Round, groups: list[_Group]) -> None:
    tasks = [
        RoundTask(
            f"race {g.name} {block}",
            race_block,
            {**this.common, "group": g.name, "block": block},
            (g.files.block(block),),
        )
        for g in groups
        for block in range(g.blocks)
    ]
    this.runner.run_all(tasks, "racing")


def _edges(this: _Round) -> dict[str, float]:
    return {"c_threshold": this.settings.c_threshold, "z_split": this.settings.z_split}


def _selected(settings: RoundSettings, group: _Group) -> int:
    return settings.select if group.name == "regular" else settings.outliers
