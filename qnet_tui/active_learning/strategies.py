"""Rules that say which spectra are worth asking people about, interchangeable by name.

All of them see the same two tables of a committee's answers, one column per network: ``c_qso``, the
confidence of the n_lines-th most confident of the six lines, and ``zbest``. A higher score means more worth
asking. The calls at the paper's threshold are always counted too, so that every table of a selection carries
entropy, C_NOT, C_QSO_LZ, C_QSO_HZ and N_NETWORKS whatever rule made it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.calls import C_THRESHOLD, Z_SPLIT, call_classes, call_counts
from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.errors import BadInput

BLOCK_VALUES = 1_000_000
"""Rows × networks worked on at once: some ten temporaries of 8 MB, whatever the size of the pool."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class StrategySettings:
    """What the rules need to know.

    ``c_threshold`` and ``z_split`` define the calls (the paper: 0.95 and 2.1); ``thresholds`` are those that
    ``entropy-averaged`` averages over; ``seed`` is that of ``random``.
    """

    c_threshold: float = C_THRESHOLD
    z_split: float = Z_SPLIT
    thresholds: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse thresholds that no confidence can be compared with."""
        for c in (self.c_threshold, *self.thresholds):
            if not 0.0 <= c < 1.0:
                raise BadInput(f"confidence threshold {c} is not in [0, 1)")
        if not self.thresholds:
            raise BadInput("entropy-averaged needs at least one threshold")
        if self.seed < 0:
            raise BadInput(f"seed {self.seed} is negative")


@dataclass(frozen=True)
class RowScores:
    """Scores of n rows: ``score`` f8 (n,), ``entropy`` f8 (n,) of the calls in bits, ``counts`` integers (n, 3)."""

    score: NDArray[np.float64]
    entropy: NDArray[np.float64]
    counts: NDArray[np.integer[Any]]

    @property
    def n_networks(self) -> NDArray[np.int64]:
        """How many networks answered for each row, i8 (n,)."""
        return np.asarray(self.counts.sum(axis=1, dtype=np.int64))

    @property
    def fractions(self) -> NDArray[np.float64]:
        """C_NOT, C_QSO_LZ, C_QSO_HZ (Eq. 3.1), f8 (n, 3); NaN where no network answered."""
        total = self.n_networks[:, None]
        return np.asarray(np.divide(self.counts, total, out=np.full(self.counts.shape, np.nan), where=total > 0))

    def part(self, rows: slice) -> "RowScores":
        """Those of some rows."""
        return RowScores(self.score[rows], self.entropy[rows], self.counts[rows])

    def spread(self, rows: NDArray[np.integer[Any]], n: int) -> "RowScores":
        """The same scores as those of the ``rows`` among ``n``; the others have NaN and no networks."""
        score, entropy = np.full(n, np.nan), np.full(n, np.nan)
        counts = np.zeros((n, 3), dtype=np.int32)
        score[rows], entropy[rows], counts[rows] = self.score, self.entropy, self.counts
        return RowScores(score, entropy, counts)


Rule = Callable[[Floats, Floats, StrategySettings, NDArray[np.int64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Strategy:
    """A rule with its name and the sentence that explains it."""

    name: str
    meaning: str
    rule: Rule

    def score(
        self, c_qso: Floats, zbest: Floats, settings: StrategySettings, rng_keys: NDArray[np.integer[Any]]
    ) -> NDArray[np.float64]:
        """Score rows; higher means more worth asking.

        ``c_qso`` and ``zbest`` are (n, N) over N networks (arrays or memory maps; NaN where a network
        failed), ``rng_keys`` i8 (n,) the object of each row. Returns f8 (n,), NaN where no network answered
        (never with ``random``). Worked in blocks of rows; a row's score depends on that row alone.
        """
        keys = _checked(c_qso, zbest, rng_keys)
        out = np.empty(len(keys), dtype=np.float64)
        for rows in _blocks(*np.shape(c_qso)):
            out[rows] = self.rule(np.asarray(c_qso[rows]), np.asarray(zbest[rows]), settings, keys[rows])
        return out


def _checked(c_qso: Floats, zbest: Floats, keys: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    if np.ndim(c_qso) != 2 or np.shape(c_qso) != np.shape(zbest) or np.shape(keys) != (len(c_qso),):
        raise ValueError(f"c_qso {np.shape(c_qso)}, zbest {np.shape(zbest)} and keys {np.shape(keys)} do not match")
    return np.asarray(keys).astype(np.int64, copy=False)


def _blocks(n_rows: int, n_networks: int) -> list[slice]:
    step = max(1, BLOCK_VALUES // max(1, n_networks))
    return [slice(a, min(a + step, n_rows)) for a in range(0, n_rows, step)]


def _counts_at(c: Floats, z: Floats, c_threshold: float, z_split: float) -> NDArray[np.int64]:
    return call_counts(call_classes(c, z, c_threshold=c_threshold, z_split=z_split))


def _entropy(c: Floats, z: Floats, s: StrategySettings, _keys: NDArray[np.int64]) -> NDArray[np.float64]:
    return entropy_bits(_counts_at(c, z, s.c_threshold, s.z_split))


def _entropy_averaged(c: Floats, z: Floats, s: StrategySettings, _keys: NDArray[np.int64]) -> NDArray[np.float64]:
    levels = [entropy_bits(_counts_at(c, z, t, s.z_split)) for t in s.thresholds]
    return np.asarray(np.mean(levels, axis=0))


def class_probabilities(
    c_qso: Floats, zbest: Floats, z_split: float = Z_SPLIT
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Three-class probabilities of every network of every row.

    A network's confidence ``c`` is read as its probability that the spectrum is a quasar, and all of it goes
    to the side of the split where its ``zbest`` lies: p = (1-c, c, 0) when zbest < z_split and (1-c, 0, c)
    when zbest >= z_split. Returns p f8 (3, n, N) and which answers count, bool (n, N); p is 0 elsewhere.
    """
    answered = np.isfinite(c_qso) & np.isfinite(zbest)
    c = np.where(answered, c_qso, 0.0).astype(np.float64)
    high = answered & (np.asarray(zbest) >= float(z_split))
    p = np.stack([np.where(answered, 1.0 - c, 0.0), np.where(high, 0.0, c), np.where(high, c, 0.0)])
    return p, answered


def _mean_over_networks(values: NDArray[np.float64], answered: NDArray[np.bool_]) -> NDArray[np.float64]:
    n = np.count_nonzero(answered, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: NDArray[np.float64] = values.sum(axis=-1) / n
    return mean


def _bald(c: Floats, z: Floats, s: StrategySettings, _keys: NDArray[np.int64]) -> NDArray[np.float64]:
    p, answered = class_probabilities(c, z, s.z_split)
    mean_p = _mean_over_networks(p, answered)
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = np.where(p > 0, -p * np.log2(p), 0.0)
        total = np.where(mean_p > 0, -mean_p * np.log2(mean_p), 0.0).sum(axis=0)
    own = _mean_over_networks(terms.sum(axis=0), answered)
    # Rounding can leave -1e-17 where all networks say the same.
    return np.where(answered.any(axis=-1), np.maximum(total - own, 0.0), np.nan)


def _margin(c: Floats, z: Floats, s: StrategySettings, _keys: NDArray[np.int64]) -> NDArray[np.float64]:
    p, answered = class_probabilities(c, z, s.z_split)
    top = np.sort(_mean_over_networks(p, answered), axis=0)
    margin: NDArray[np.float64] = 1.0 - (top[2] - top[1])
    return margin


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Steele, Lea and Flood's SplitMix64 finaliser: each bit of a key changes half the bits of the result."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _random(_c: Floats, _z: Floats, s: StrategySettings, keys: NDArray[np.int64]) -> NDArray[np.float64]:
    # Hashed and not drawn: a draw in row order would change when the same files are read in another order.
    start = np.random.SeedSequence(s.seed).generate_state(1, np.uint64)
    mixed = _mixed(_mixed(keys.view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)) ^ start)
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        s.name: s
        for s in (
            Strategy("entropy", "entropy of the calls at one threshold (the paper)", _entropy),
            Strategy("entropy-averaged", "entropy of the calls averaged over ten thresholds", _entropy_averaged),
            Strategy("bald", "mutual information between the answer and the network", _bald),
            Strategy("margin", "smallest gap between the two most probable classes", _margin),
            Strategy("random", "a draw by object, for comparison", _random),
        )
    }
)
"""The rules by name. Exactly, over the networks that answered:

- ``entropy``: Eq. 3.2 on the calls at ``c_threshold``, bits;
- ``entropy-averaged``: the mean of Eq. 3.2 on the calls at each of ``thresholds``, bits;
- ``bald``: H(mean over networks of p) - mean over networks of H(p), bits, with p of
  :func:`class_probabilities`: high where networks are each sure and contradict each other, 0 where they
  agree, also where they agree to be unsure;
- ``margin``: 1 - (p1 - p2), p1 and p2 being the two largest of the mean p of :func:`class_probabilities`;
- ``random``: uniform in [0, 1), a function of ``seed`` and the object alone.
"""


def strategy_named(name: str) -> Strategy:
    """Look a rule up. Raises BadInput that lists the names."""
    if name not in STRATEGIES:
        raise BadInput(f"no strategy '{name}'", mend=f"choose one of {', '.join(STRATEGIES)}")
    return STRATEGIES[name]


def score_rows(
    c_qso: Floats,
    zbest: Floats,
    rng_keys: NDArray[np.integer[Any]],
    *,
    strategy: str = "entropy",
    settings: StrategySettings | None = None,
    on_rows: Callable[[int], None] | None = None,
) -> RowScores:
    """Score rows by the named rule and count their calls, in one walk over the two tables.

    Shapes and NaN as in :meth:`Strategy.score`. ``on_rows`` hears how many rows are done. Raises BadInput for
    an unknown name.
    """
    chosen, s = strategy_named(strategy), settings or StrategySettings()
    keys = _checked(c_qso, zbest, rng_keys)
    score = np.empty(len(keys), dtype=np.float64)
    counts = np.empty((len(keys), 3), dtype=np.int32)
    for rows in _blocks(*np.shape(c_qso)):
        c, z = np.asarray(c_qso[rows]), np.asarray(zbest[rows])
        counts[rows] = _counts_at(c, z, s.c_threshold, s.z_split)
        score[rows] = chosen.rule(c, z, s, keys[rows])
        if on_rows is not None:
            on_rows(rows.stop)
    return RowScores(score=score, entropy=entropy_bits(counts), counts=counts)
