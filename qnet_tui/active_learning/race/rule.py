"""When a row leaves the race: a table for every look, and what such a rule loses, exactly.

After n networks a look asks of every row still in the race whether its pattern of calls is in the table of n. What a
rule loses is not estimated: with the networks in random order, the share of orders that are dropped somewhere on the
way follows from one walk over the patterns (:mod:`qnet_tui.active_learning.race.patterns`), for all final counts at
once. A calibrated rule may also let rows go that are agreed on and far from any other call
(:mod:`qnet_tui.active_learning.race.far`).
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.race.far import FarLooks, lost_far
from qnet_tui.active_learning.race.patterns import Floats, Lattice, patterns_of
from qnet_tui.errors import QnetError
from qnet_tui.whole_files import whole_file

OPENING = 4
"""Networks that every row is asked before a race."""
SCOUTING = 12
"""Networks that rows on which those of the opening disagree are asked before a race, or more: :func:`scouting`."""
MINIMUM_NETWORKS = 16
"""A smaller committee is not raced: there is nothing to save."""
MAXIMUM_NETWORKS = 400
"""Nor is a larger one: its tables would take minutes and gigabytes (both grow with its third power)."""
KINDS = ("sound", "exact", "calibrated")
FORMATS = (1, 2)
"""Of the file; 1 knows no margins. The last is written."""


def scouting(kind: str, n_networks: int) -> int:
    """How many networks rows on which those of the opening disagree are asked before a race by a rule of this kind.

    A sound or exact rule lets hardly any such row go before an eighth of the networks, so knowing more of it costs
    nothing and brings ``h_low`` nearer to the cut; a calibrated one lets them go sooner.
    """
    return SCOUTING if kind == "calibrated" else max(SCOUTING, n_networks // 8)


@dataclass(frozen=True, eq=False)
class RaceRule:
    """Says, after n networks, which rows are not asked further.

    ``looks`` ascend and lie below ``n_networks``; ``tables`` hold one bool array per look, indexed
    [smallest, middle] count of a row's calls: True drops. ``h_low`` is in bits. ``delta``: of a sound rule the most
    that any row of that entropy or more is lost with; of a calibrated one the expected share of them; of the exact
    rule 0. ``note`` says what a reader should know (a calibrated rule that fell back to the sound one). ``far``: after
    how many networks, and at which margin, rows leave that are agreed on by calls farther than it from any other.
    """

    kind: str
    n_networks: int
    looks: tuple[int, ...]
    h_low: float
    delta: float
    tables: tuple[NDArray[np.bool_], ...]
    note: str = ""
    far: FarLooks = ()

    @property
    def moments(self) -> tuple[int, ...]:
        """After how many networks rows may leave, ascending: the looks, and those at margins."""
        return tuple(sorted({*self.looks, *(n for n, _ in self.far)}))

    def dropped(
        self, n: int, counts: NDArray[np.integer[Any]], nearest: NDArray[np.floating[Any]] | None = None
    ) -> NDArray[np.bool_]:
        """Which rows leave the race after ``n`` networks.

        ``counts`` (m, 3) of the three calls; a row whose calls do not sum to ``n`` (a network gave it no answer)
        never leaves. ``nearest`` (m,): the smallest margin of its calls so far, by default 0: nothing is far. Returns
        bool (m,). Raises ValueError when ``n`` is no moment of this rule.
        """
        if n not in self.moments:
            raise ValueError(f"after {n} networks this rule does not look")
        ordered = np.sort(np.asarray(counts), axis=1)
        whole = ordered.sum(axis=1) == n
        ordered = np.where(whole[:, None], ordered, 0)
        gone = np.zeros(len(ordered), dtype=bool)
        if n in self.looks:
            gone |= self.tables[self.looks.index(n)][ordered[:, 0], ordered[:, 1]]
        margin = dict(self.far).get(n)
        if margin is not None and nearest is not None:
            gone |= (ordered[:, 2] == n) & (np.asarray(nearest) > margin)
        return np.asarray(gone & whole)

    def loss_probability(
        self,
        finals: NDArray[np.integer[Any]],
        calls: NDArray[np.integer[Any]] | None = None,
        margins: NDArray[np.floating[Any]] | None = None,
    ) -> Floats:
        """Probability, over the order of the networks, that a row of these final counts is ever dropped.

        ``finals`` (k, 3), each summing to ``n_networks``. Exact without looks at margins; with them the sum of leaving
        for the pattern and for being far, from ``calls`` and ``margins`` (k, n_networks): at most this.
        """
        finals = np.asarray(finals, dtype=np.int64).reshape(-1, 3)
        if np.any(finals.sum(axis=1) != self.n_networks) or np.any(finals < 0):
            raise ValueError(f"final counts must sum to the {self.n_networks} networks")
        lattice = Lattice(self.n_networks)
        lost = lost_share(lattice, self.drops(lattice))[lattice.place(finals)]
        if not self.far:
            return lost
        if calls is None or margins is None:
            raise ValueError("what a rule with looks at margins loses depends on calls and margins")
        return np.asarray(np.minimum(lost + lost_far(self.far, calls, margins), 1.0))

    def drops(self, lattice: Lattice) -> dict[int, NDArray[np.bool_]]:
        """The tables as one bool per pattern of the lattice, by look."""
        return {
            n: table[lattice.patterns[n][:, 0], lattice.patterns[n][:, 1]]
            for n, table in zip(self.looks, self.tables, strict=True)
        }

    @property
    def first_unanimous_drop(self) -> int:
        """After how many networks a row on which all agree leaves, however near; ``n_networks`` when it never does."""
        return next((n for n, t in zip(self.looks, self.tables, strict=True) if t[0, 0]), self.n_networks)


def rule_from_drops(
    kind: str, n_networks: int, h_low: float, delta: float, drops: dict[int, NDArray[np.bool_]], note: str = ""
) -> RaceRule:
    """A rule from one bool per pattern by look; looks that drop nothing are left out."""
    looks = tuple(sorted(n for n, d in drops.items() if d.any()))
    tables = []
    for n in looks:
        table = np.zeros((n // 3 + 1, n // 2 + 1), dtype=bool)
        of = patterns_of(n)[drops[n]]
        table[of[:, 0], of[:, 1]] = True
        tables.append(table)
    return RaceRule(kind, n_networks, looks, float(h_low), float(delta), tuple(tables), note)


def lost_share(lattice: Lattice, drops: dict[int, NDArray[np.bool_]]) -> Floats:
    """Share of the orders of the networks that are dropped somewhere, for every pattern of the finals, f8 (m,)."""
    alive = np.ones(1)
    for n in range(1, lattice.n_networks + 1):
        alive = lattice.forward(n, alive)
        if n in drops:
            alive = np.where(drops[n], 0.0, alive)
    # Walking keeps sums of at most 1 up to rounding.
    return np.asarray(np.clip(1.0 - alive, 0.0, 1.0))


def write_rule(path: Path, rule: RaceRule) -> None:
    """Write a rule as npz: there whole or not at all. Errors: :class:`QnetError`."""
    facts = {
        "format": FORMATS[-1], "kind": rule.kind, "n_networks": rule.n_networks, "looks": rule.looks,
        "h_low": rule.h_low, "delta": rule.delta, "note": rule.note, "far": rule.far,
    }  # fmt: skip
    arrays = {f"look_{n}": table for n, table in zip(rule.looks, rule.tables, strict=True)}
    with whole_file(path) as temporary, temporary.open("wb") as handle:
        np.savez(handle, rule=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]


def read_rule(path: Path) -> RaceRule:
    """Read what :func:`write_rule` wrote. Errors: :class:`QnetError` when it is missing, cut off or another format."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            facts = json.loads(str(stored["rule"]))
            if facts.pop("format") not in FORMATS:
                raise QnetError("a race rule of another format", file=path, mend="run the round again")
            looks = tuple(int(n) for n in facts.pop("looks"))
            tables = tuple(np.asarray(stored[f"look_{n}"], dtype=bool) for n in looks)
            far = tuple((int(n), float(margin)) for n, margin in facts.pop("far", ()))
    except QnetError:
        raise
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise QnetError(f"the race rule cannot be read: {error}", file=path, mend="run the round again") from error
    return RaceRule(looks=looks, tables=tables, far=far, **facts)


def renamed(rule: RaceRule, kind: str, note: str) -> RaceRule:
    """The same tables under another kind, with a note."""
    return replace(rule, kind=kind, note=note)
