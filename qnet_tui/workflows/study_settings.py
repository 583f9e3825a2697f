"""What one ``qnet study`` is made of: its settings, its arms, and where its files lie."""

import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qnet_tui.active_learning.replay import START_BIASES
from qnet_tui.active_learning.strategies import STRATEGIES, strategy_named
from qnet_tui.errors import BadInput

MAPS = ("both", "on", "off")
START, RANDOM = "start", "random"
CURVE_STEPS = 6
STEPS_AN_EPOCH = 75
"""At least so many steps are one call of the graph: fewer would spend the time between calls."""


@dataclass(frozen=True)
class Arm:
    """One way of choosing labels: a strategy, with the map's rejection or without."""

    strategy: str
    map: bool

    @property
    def name(self) -> str:
        """As files and tables call it."""
        return f"{self.strategy}+map" if self.map else self.strategy


@dataclass(frozen=True)
class StudySettings:
    """Every choice of a study; stored with its run.

    ``start`` secure labels to begin with, then ``rounds`` times ``ask`` labels; ``networks`` in a committee, each
    trained for ``steps`` batches of ``batch`` spectra whatever the number of labels; ``seeds`` replicas;
    ``random_labels`` the counts of the comparison curve, () for six multiples of ``ask``.
    """

    start: int = 1500
    ask: int = 300
    rounds: int = 2
    networks: int = 6
    layers: int = 6
    filters: int = 24
    dropout: float = 0.2
    steps: int = 1500
    batch: int = 128
    learning_rate: float = 1e-3
    precision: str = "auto"
    seeds: int = 3
    strategies: tuple[str, ...] = tuple(STRATEGIES)
    map: str = "both"
    random_labels: tuple[int, ...] = ()
    start_bias: str = "bright"
    percentile: float = 15.0
    c_threshold: float = 0.95
    z_split: float = 2.1
    seed: int = 91701

    def __post_init__(self) -> None:
        """Refuse what cannot be studied. Raises BadInput."""
        lowest = {"start": 10, "ask": 1, "rounds": 1, "networks": 1, "filters": 1, "steps": 1, "batch": 1, "seeds": 1}
        for name, low in lowest.items():
            if getattr(self, name) < low:
                raise BadInput(f"--{name} {getattr(self, name)} is below {low}")
        if self.seed < 0:
            raise BadInput(f"--seed {self.seed} is negative")
        if self.map not in MAPS:
            raise BadInput(f"--map {self.map!r} is no choice", mend=f"choose {', '.join(MAPS)}")
        if self.start_bias not in START_BIASES:
            raise BadInput(f"--start-bias {self.start_bias!r} is no choice", mend=f"choose {', '.join(START_BIASES)}")
        if not 0 <= self.percentile <= 100:
            raise BadInput(f"percentile {self.percentile} is not in 0 … 100")
        if not self.strategies:
            raise BadInput("no strategy to study", mend=f"choose some of {', '.join(STRATEGIES)}")
        for name in self.strategies:
            strategy_named(name)
        if not self.arms:
            raise BadInput("random labels without the map are what the others are compared with", mend="add a strategy")
        if any(n < 1 for n in self.random_labels):
            raise BadInput(f"--random-labels {min(self.random_labels)} is below 1")

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The ways that are compared with random labels (which are the curve, and no arm, without the map)."""
        maps = {"both": (False, True), "on": (True,), "off": (False,)}[self.map]
        unique = dict.fromkeys(self.strategies)
        return tuple(Arm(s, m) for s in unique for m in maps if s != RANDOM or m)

    @property
    def curve(self) -> tuple[int, ...]:
        """Counts of random labels, rising: those asked for, and those that an arm has spent after a round."""
        spent = [self.ask * n for n in range(1, self.rounds + 1)]
        asked = self.random_labels or [self.ask * n for n in range(1, CURVE_STEPS + 1)]
        return tuple(sorted({*spent, *asked}))

    @property
    def most_labels(self) -> int:
        """The most labels that one committee trains on."""
        return self.start + self.curve[-1]

    @property
    def committees(self) -> int:
        """Committees of the whole study: start, curve and arms of every replica."""
        return self.seeds * (1 + len(self.curve) + self.rounds * len(self.arms))

    def epochs(self) -> tuple[int, int]:
        """(epochs, steps in each): an epoch holds all labels where ``steps`` allow it."""
        least = max(STEPS_AN_EPOCH, -(-self.most_labels // self.batch))
        epochs = max(1, self.steps // least)
        return epochs, round(self.steps / epochs)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def recorded_study(recorded: Mapping[str, Any]) -> StudySettings:
    """The settings that a run of ``study`` stored with itself."""
    values = dict(recorded)
    for name in ("strategies", "random_labels"):
        values[name] = tuple(values[name])
    return StudySettings(**values)


def seed_of(settings: StudySettings, replica: int, arm: str, spent: int, member: int) -> np.random.SeedSequence:
    """The seed of one draw: of a network, or with ``member`` -1 of what all members of a committee share.

    Arms are told apart by their names, so the draws of one do not depend on which others are studied.
    """
    return np.random.SeedSequence([settings.seed, replica, zlib.crc32(arm.encode()), spent, member + 1])


@dataclass(frozen=True)
class StudyFiles:
    """Paths below the folder of one study's run.

    ``plan.npz`` truth of pool and test objects, ``pool.npy`` and ``test.npy`` their vectors, ``replica-00/map.npz`` the
    cells of a replica, ``replica-00/ARM-00300.npz`` one committee (:mod:`qnet_tui.workflows.study_tasks`) after so many
    labels, and ``curves.json`` what came of it.
    """

    root: Path

    @property
    def plan(self) -> Path:
        """Truth and S/N of the pool, truth of the test objects."""
        return self.root / "plan.npz"

    @property
    def pool(self) -> Path:
        """Vectors of the pool, float32 (n, n_pixels)."""
        return self.root / "pool.npy"

    @property
    def test(self) -> Path:
        """Vectors of the test objects."""
        return self.root / "test.npy"

    @property
    def curves(self) -> Path:
        """The rows and the verdicts."""
        return self.root / "curves.json"

    def replica(self, replica: int) -> Path:
        """Folder of one replica."""
        return self.root / f"replica-{replica:02d}"

    def cells(self, replica: int) -> Path:
        """Which cell of the replica's map each object of the pool lies in, and which cells are rejected."""
        return self.replica(replica) / "map.npz"

    def committee(self, replica: int, arm: str, spent: int) -> Path:
        """What one committee said, and what it had asked."""
        return self.replica(replica) / f"{arm}-{spent:05d}.npz"
