"""Which of DESI's pipelines a hand-over table imitates: thresholds, rule, width of the priors and columns together.

``current`` is the quasar afterburner (desispec ``qsoqn``) since August 2024: priors as wide as two boxes of the
network, Δλ/λ constant. ``dr1`` is what made EDR and DR1: a width of 0.1 everywhere, so that redrock is asked again
beyond |Δz| = 0.05 (algorithm.md 8, 12.13). Both call a row a quasar at c > 0.5 in one line; the catalogues made of the
tables cut again, at 0.95 (DR1) and 0.99 (DR2).
"""

from dataclasses import dataclass
from typing import Literal

from qnet_tui.errors import BadInput

Rule = Literal["desispec", "paper"]
RULES: tuple[Rule, ...] = ("desispec", "paper")


@dataclass(frozen=True)
class Pipeline:
    """One pipeline: its name, when a row is a quasar, whom redrock is asked again about, how wide its priors are.

    ``constant_width`` is the full width of every prior in z, None for a width of a·(1 + z) with a from the grid.
    """

    name: str
    c_threshold: float = 0.5
    n_lines: int = 1
    rule: Rule = "desispec"
    constant_width: float | None = None


PIPELINES = {"current": Pipeline("current"), "dr1": Pipeline("dr1", constant_width=0.1)}


def pipeline_named(name: str) -> Pipeline:
    """The pipeline of that name; BadInput for another name."""
    if name not in PIPELINES:
        raise BadInput(f"no pipeline is called {name!r}", mend=f"choose {' or '.join(PIPELINES)}")
    return PIPELINES[name]


def rule_named(name: str) -> Rule:
    """The rule of that name; BadInput for another name."""
    for rule in RULES:
        if name == rule:
            return rule
    raise BadInput(f"no rule is called {name!r}", mend=f"choose {' or '.join(RULES)}")
