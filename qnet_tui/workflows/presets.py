"""What one round is made of: every choice of ``qnet run-al`` in one frozen object, and the three presets.

``paper``  Green et al. 2025: 200 networks of 6 layers and 100 filters, 10 epochs at a learning rate of 2e-4, 1000
spectra, a 45×45 map. ``laptop`` what two cores finish in an hour or two for 20,000 rows and some 4,000 labels: 40
networks (the lists of two such committees overlap by 70 % and inform as well as that of 200, docs/science.md), 20
epochs at 1e-3 because a small training set gives few steps an epoch: 3.2 million training samples at 750 a second and
core are 36 minutes on two, 800,000 evaluations at 3,800 less than two, the map half a minute. ``smoke`` the demo: a few
small networks, minutes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from qnet_tui.errors import BadInput

PRESETS = ("paper", "laptop", "smoke")
CHOICES: dict[str, tuple[str, ...]] = {
    "train_engine": ("graph", "keras"),
    "map_engine": ("batch", "minisom"),
    "precision": ("auto", "float32", "bfloat16"),
    "race": ("sound", "exact", "calibrated", "full"),
}
"""What the settings of the engines may be; the first is the default."""


@dataclass(frozen=True)
class RoundSettings:
    """Every choice of a round; stored with its run and printed in full by ``qnet runs show``."""

    preset: str = "paper"
    # the committee
    networks: int = 200
    layers: int = 6
    filters: int = 100
    dropout: float = 0.2
    epochs: int = 10
    learning_rate: float = 2e-4
    batch: int = 256
    train_engine: str = "graph"
    # calls and entropy
    c_threshold: float = 0.95
    n_lines: int = 1
    z_split: float = 2.1
    strategy: str = "entropy"
    precision: str = "auto"
    race: str = "sound"
    race_delta: float = 1e-3
    # the map
    map_side: int | None = 45
    map_trained_on: str = "labelled"
    map_torus: bool = True
    map_engine: str = "batch"
    percentile: float = 15.0
    percentile_cells: str = "all"
    # the selection
    select: int = 1000
    outliers: int = 0
    filter_missing_arm: bool = True
    filter_sky: bool = True
    filter_labelled: bool = True
    exclude_file: str | None = None
    where: str | None = None
    # the truth
    keep_bad_as_negative: bool = False
    supplement: str | None = None
    # everything random comes from this one
    seed: int = 91701
    block_rows: int = 20_000

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


_BEFORE_ENGINES = {"train_engine": "keras", "map_engine": "minisom", "precision": "float32", "race": "full"}
"""What a run did that recorded none of these settings: it goes on, and is read, as it began."""


def recorded_settings(recorded: Mapping[str, Any]) -> RoundSettings:
    """The settings that a run stored with itself, of this version or an older one."""
    return RoundSettings(**{**_BEFORE_ENGINES, **recorded})


_PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "laptop": {"networks": 40, "epochs": 20, "learning_rate": 1e-3, "select": 200, "map_side": None},
    "smoke": {
        "networks": 6,
        "filters": 24,
        "epochs": 30,
        "learning_rate": 2e-3,
        "batch": 64,
        "select": 20,
        "map_side": None,
    },
}


def round_settings(preset: str, **changes: Any) -> RoundSettings:
    """The preset with the given changes (None leaves the preset's value).

    Errors: :class:`BadInput` for an unknown preset or a value out of range.
    """
    if preset not in _PRESETS:
        raise BadInput(f"no preset is called {preset!r}", mend=f"choose {', '.join(PRESETS)}")
    given = {name: value for name, value in changes.items() if value is not None}
    settings = replace(RoundSettings(preset=preset, **_PRESETS[preset]), **given)
    ranges = {
        "networks": (2, 10_000),
        "epochs": (1, 100_000),
        "select": (1, 10_000_000),
        "outliers": (0, 10_000_000),
        "percentile": (0, 100),
        "c_threshold": (0, 1),
        "n_lines": (1, 6),
        "race_delta": (1e-9, 0.5),
    }
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise BadInput(f"{name.replace('_', '-')} {value} is not between {low} and {high}")
    for name, choices in CHOICES.items():
        if getattr(settings, name) not in choices:
            option = name.replace("_", "-")
            raise BadInput(f"no {option} is called {getattr(settings, name)!r}", mend=f"choose {', '.join(choices)}")
    return settings
