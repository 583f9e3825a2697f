"""Active learning replayed where all labels are known: the draws of the start and of random labels, and the picks.

Everything is drawn from a ``numpy.random.SeedSequence`` that the caller makes for one replica, so a killed replay
draws the same again.
"""

from typing import Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from qnet_tui.errors import BadInput

START_BIASES = ("bright", "none")


def start_set(
    snr: NDArray[np.floating[Any]], allowed: NDArray[np.bool_], n: int, bias: str, seed: SeedSequence
) -> NDArray[np.int64]:
    """Draw the labels that a campaign begins with: ``n`` of the ``allowed`` (m,) objects, without replacement.

    With ``bias`` "bright" the chance of an object is proportional to its S/N ``snr`` (m,), as the first labels of a
    survey come from deep tiles (Efraimidis & Spirakis 2006: the smallest exponential deviates of those rates); an S/N
    that is not known or not positive counts as the smallest that is. "none" draws evenly. Returns ascending i8 (n,)
    positions. Raises BadInput for another bias or too few objects.
    """
    if bias not in START_BIASES:
        raise BadInput(f"no start bias is called {bias!r}", mend=f"choose {', '.join(START_BIASES)}")
    candidates = np.flatnonzero(allowed)
    if n > len(candidates):
        raise BadInput(f"a start of {n:,} labels out of {len(candidates):,} objects is not possible")
    weight = np.ones(len(candidates))
    if bias == "bright":
        here = np.asarray(snr, dtype=np.float64)[candidates]
        known = np.isfinite(here) & (here > 0)
        weight = np.where(known, here, here[known].min(initial=np.inf)) if known.any() else weight
    deviates = np.random.default_rng(seed).standard_exponential(len(candidates)) / weight
    return np.sort(candidates[np.argsort(deviates, kind="stable")[:n]]).astype(np.int64)


def random_order(allowed: NDArray[np.bool_], seed: SeedSequence) -> NDArray[np.int64]:
    """The ``allowed`` (m,) objects in one random order, i8: its beginnings are nested random label sets."""
    return np.random.default_rng(seed).permutation(np.flatnonzero(allowed)).astype(np.int64)


def highest_scores(
    score: NDArray[np.floating[Any]], allowed: NDArray[np.bool_], n: int, seed: SeedSequence
) -> NDArray[np.int64]:
    """The ``n`` of the ``allowed`` (m,) objects with the highest ``score`` (m,), best first, i8.

    Equal scores, of which a small committee gives many, are put in an order drawn from ``seed``: any fixed order would
    prefer some file or some part of the sky. A NaN score comes last. Raises BadInput where fewer than ``n`` are
    allowed.
    """
    candidates = np.flatnonzero(allowed)
    if n > len(candidates):
        raise BadInput(f"{n:,} objects are to be asked about, {len(candidates):,} are left")
    chance = np.random.default_rng(seed).random(len(score))[candidates]
    worst_last = np.nan_to_num(np.asarray(score, dtype=np.float64)[candidates], nan=-np.inf)
    order = np.lexsort((chance, -worst_last))
    return candidates[order[:n]].astype(np.int64)
