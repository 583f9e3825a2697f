"""The calibrated rule: empirical Bayes, its loss measured on completed rows of the pool itself.

The candidates and a random pilot have all calls, and the chance of each completed row of being one of them is known.
Weighted by its inverse they say how often each final count occurs above the cut. The rule is then the cheapest one
whose loss of such rows, at the upper end of its error, stays within what the wanted recall allows. Where margins are
known a part of that is spent first on rows that are agreed on by calls far from any other, the rest on patterns.

Unlike the sound rule's, this is a promise about this pool and about its rows together, not about any single row.
"""

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.race.candidates import Candidates
from qnet_tui.active_learning.race.far import FarLooks, all_among, far_counts
from qnet_tui.active_learning.race.optimal import Drops, Masses, best_drops, masses
from qnet_tui.active_learning.race.patterns import ENTROPY_TOLERANCE, Floats, Ints, Lattice, multiplicity
from qnet_tui.active_learning.race.rule import OPENING, RaceRule, lost_share, renamed, rule_from_drops
from qnet_tui.active_learning.race.sound import confused_finals, sound_rule

FEWEST_TOP_ROWS = 50
"""With fewer completed rows above the cut (counted by their weights) there is nothing to calibrate on."""
SMOOTHING = 0.05
"""Share of the top's mass spread evenly over every final count above the cut: unseen is not impossible."""
ONE_SIDED_95 = 1.645
RESERVE = 0.3
"""Of the loss that is allowed, what is kept back: the rule is chosen on the rows that its loss is predicted from."""
FAR_AFTER = (4, 6, 9)
"""Networks after which rows may leave for being far; the margin falls from one to the next."""
FAR_MARGINS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
SETTLED_AFTER = 14
"""Networks that an agreed row is asked for about that is not far: to weigh the looks against each other."""
FAR_SHARE = 0.5
"""Of the loss that is allowed, what leaving for being far may take."""


def pilot_rows(n_rows: int, seed: SeedSequence) -> Ints:
    """Random rows to complete for the calibration, positions i8 ascending: 1 in 1000, 300 to 5000."""
    size = min(n_rows, max(300, min(n_rows // 1000, 5000)))
    return np.sort(np.random.default_rng(seed).choice(n_rows, size, replace=False, shuffle=False)).astype(np.int64)


def joint_inclusion(chosen: Candidates, finals: NDArray[np.integer[Any]], pilot_share: float) -> Floats:
    """Chance of a row of these final counts (k, 3) of being a candidate or in the pilot, f8 (k,)."""
    return 1.0 - (1.0 - chosen.inclusion(finals)) * (1.0 - pilot_share)


@dataclass(frozen=True)
class Prediction:
    """Share of the top that a rule loses, by the weighted completed rows, and its standard error."""

    lost: float
    error: float


def calibrated_rule(
    n_networks: int,
    h_low: float,
    *,
    finals: NDArray[np.integer[Any]],
    in_pilot: NDArray[np.bool_],
    chosen: Candidates,
    pilot_share: float,
    calls: NDArray[np.integer[Any]] | None = None,
    margins: NDArray[np.floating[Any]] | None = None,
    k: int | None = None,
    rows_of_object: NDArray[np.integer[Any]] | None = None,
    recall: float = 0.999,
    delta: float = 1e-3,
) -> RaceRule:
    """The cheapest rule that keeps a share ``recall`` of the rows of ``h_low`` bits or more.

    Args:
        n_networks: of the committee.
        h_low: bits.
        finals: (k, 3) final counts of the completed rows, each row once: candidates and pilot. Rows whose calls do
            not sum to ``n_networks`` are left out.
        in_pilot: (k,) which of them were drawn at random.
        chosen: how the candidates were chosen.
        pilot_share: the pilot's share of the pool, 0 … 1.
        calls: (k, n_networks) of the completed rows, in any order of the networks, and
        margins: of these calls (:func:`~qnet_tui.active_learning.race.far.call_margins`). Without them no row leaves
            for being far.
        k: how many objects are wanted. ``h_low`` is what their cut is at least; with ``k`` the rule keeps the rows
            above the cut as the weighted rows have it, at the lower end of its error: its own ``h_low``.
        rows_of_object: (k,) how many rows of the pool the object of each completed row has; by default 1.
        recall: to be kept, at the upper end (95 %, one-sided) of the error of the predicted loss.
        delta: of the sound rule that is handed back, with a note, when there is too little to calibrate on.

    """
    every = np.asarray(finals, dtype=np.int64).reshape(-1, 3)
    whole = every.sum(axis=1) == n_networks
    every, in_pilot = every[whole], np.asarray(in_pilot, dtype=bool)[whole]
    entropy = entropy_bits(every)
    top = np.flatnonzero(entropy >= h_low - ENTROPY_TOLERANCE)
    weights = 1.0 / joint_inclusion(chosen, every[top], pilot_share)
    # Of an object several rows may lie above the cut: each counts for its part, so objects are never overcounted.
    part = np.ones(len(whole)) if rows_of_object is None else 1.0 / np.asarray(rows_of_object)
    cut = h_low if k is None else max(h_low, estimated_cut(entropy[top], weights, k, part[whole][top]))
    above = entropy[top] >= cut - ENTROPY_TOLERANCE
    top, weights = top[above], weights[above]
    effective = float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0
    if effective < FEWEST_TOP_ROWS or not in_pilot.any():
        why = f"too few completed rows above the cut to calibrate on ({effective:.0f} of {FEWEST_TOP_ROWS}): sound rule"
        return renamed(sound_rule(n_networks, h_low, delta), "sound", why)
    allowed = (1.0 - RESERVE) * (1.0 - recall)
    far, gone, stay = _nothing_far(len(top), int(in_pilot.sum()))
    if calls is not None and margins is not None:
        shares = _FarShares.of(calls[whole], margins[whole])
        far = shares.choose(top, in_pilot, weights, FAR_SHARE * allowed)
        gone, stay = shares.lost(far)[top], 1.0 - shares.lost(far)[in_pilot]
    lattice = Lattice(n_networks)
    of_top = masses(lattice, smoothed_top(lattice, cut, every[top], weights))
    of_bulk = masses(lattice, smoothed_bulk(lattice, every[in_pilot], stay))
    drops, lost = _priced(lattice, of_top, of_bulk, every[top], weights, allowed, gone)
    if not drops:
        why = f"no calibrated rule keeps {recall:.4f} of the rows above the cut: sound rule"
        return renamed(sound_rule(n_networks, h_low, delta), "sound", why)
    return replace(rule_from_drops("calibrated", n_networks, cut, lost, drops), far=far)


def estimated_cut(entropy: Floats, weights: Floats, k: int, part: Floats | None = None) -> float:
    """An entropy in bits that ``k`` rows of the pool surely reach; 0.0 when the weighted rows do not say so.

    ``entropy`` and inverse chances ``weights`` (m,) of completed rows; ``part`` (m,), by default 1, is what each counts
    for. Horvitz and Thompson's count of the rows at or above an entropy, less 1.645 times its error, is at least ``k``
    there.
    """
    order = np.argsort(-entropy, kind="stable")
    w, part = weights[order], np.ones(len(order)) if part is None else part[order]
    sure = np.cumsum(part * w) - ONE_SIDED_95 * np.sqrt(np.cumsum(part**2 * w * (w - 1.0)))
    # From there down the count stays at k or more: an early peak of the lower end is not taken for it.
    enough = np.logical_and.accumulate((sure >= k)[::-1])[::-1]
    return float(entropy[order][np.argmax(enough)]) if enough.any() else 0.0


def smoothed_top(lattice: Lattice, h_low: float, finals: Ints, weights: Floats) -> Floats:
    """The top's share on the finals, per single counts, part of it spread over every final above the cut."""
    spread = lattice.mass(confused_finals(lattice.n_networks, h_low))
    seen = lattice.mass(finals, weights / weights.sum())
    return np.asarray((1.0 - SMOOTHING) * seen + SMOOTHING * spread / _rows(lattice, spread))


def smoothed_bulk(lattice: Lattice, finals: Ints, stay: Floats) -> Floats:
    """The bulk's share on the finals, per single counts, with one more row spread over all of them.

    ``stay`` (k,) is the chance of each row that it is still there for the patterns.
    """
    seen = lattice.mass(finals, stay)
    spread = lattice.mass(lattice.patterns[lattice.n_networks])
    return np.asarray((seen + spread / _rows(lattice, spread)) / (len(finals) + 1))


def _rows(lattice: Lattice, mass: Floats) -> float:
    return float((mass * multiplicity(lattice.patterns[lattice.n_networks])).sum())


def predicted_loss(lost: Floats, weights: Floats) -> Prediction:
    """Weighted mean of the loss probabilities of completed top rows, with the error of a ratio of two sums.

    The row that adds most is counted twice: another one like it may not have been completed.
    """
    total = weights.sum()
    mean = float((weights * lost).sum() / total)
    return Prediction(
        mean + float((weights * lost).max() / total), float(np.sqrt(((weights * (lost - mean)) ** 2).sum()) / total)
    )


def _priced(
    lattice: Lattice, top: Masses, bulk: Masses, finals: Ints, weights: Floats, allowed: float, gone: Floats
) -> tuple[Drops, float]:
    """The rule of the lowest price of a lost row whose predicted loss is within ``allowed``, and that loss.

    ``gone`` (k,) is what each of the rows of these ``finals`` is lost with before.
    """
    place = lattice.place(finals)
    kept: tuple[Drops, float] = ({}, 0.0)
    low, high = 0.0, 60.0
    for _ in range(22):
        middle = (low + high) / 2
        drops = best_drops(lattice, top, bulk, float(np.exp(middle)), OPENING)
        found = predicted_loss(np.minimum(gone + lost_share(lattice, drops)[place], 1.0), weights)
        if found.lost + ONE_SIDED_95 * found.error <= allowed:
            kept, high = (drops, found.lost), middle
        else:
            low = middle
    return kept


@dataclass(frozen=True, eq=False)
class _FarShares:
    """Chances f8 (k,) of completed rows of being far after n networks at a margin, by both."""

    at: dict[tuple[int, float], Floats]

    @classmethod
    def of(cls, calls: NDArray[np.integer[Any]], margins: NDArray[np.floating[Any]]) -> "_FarShares":
        at, n_networks = {}, calls.shape[1]
        for margin in FAR_MARGINS:
            counts = far_counts(calls, margins, margin)
            for n in FAR_AFTER:
                at[n, margin] = all_among(counts, n, n_networks).sum(axis=1)
        return cls(at)

    def lost(self, far: FarLooks) -> Floats:
        """At most the chance of each row of leaving for being far."""
        none = np.zeros(len(next(iter(self.at.values()))))
        return np.asarray(np.minimum(sum((self.at[look] for look in far), none), 1.0))

    def choose(self, top: Ints, bulk: NDArray[np.bool_], weights: Floats, allowed: float) -> FarLooks:
        """The looks after which fewest answers are asked of the ``bulk``, within the ``allowed`` loss of the ``top``.

        None when nothing is within it: few rows above the cut make the error of the loss large.
        """
        best: FarLooks = ()
        least = float("inf")
        falling = (float("inf"), *reversed(FAR_MARGINS))
        for margins in itertools.combinations_with_replacement(falling, len(FAR_AFTER)):
            # With the margin of the look before, whoever is far has left already.
            before = (falling[0], *margins)
            far = tuple((n, m) for n, m, b in zip(FAR_AFTER, margins, before, strict=False) if m < b)
            found = predicted_loss(self.lost(far)[top], weights)
            if found.lost + ONE_SIDED_95 * found.error > allowed:
                continue
            asked, stay = 0.0, 1.0
            for n, after in itertools.pairwise((*FAR_AFTER, SETTLED_AFTER)):
                gone = [self.at[look][bulk].mean() for look in far if look[0] == n]
                stay = min(stay, 1.0 - float(gone[0])) if gone else stay
                asked += stay * (after - n)
            if asked < least:
                best, least = far, asked
        return best


def _nothing_far(top: int, bulk: int) -> tuple[FarLooks, Floats, Floats]:
    return (), np.zeros(top), np.ones(bulk)
