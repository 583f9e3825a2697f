"""One petal of a tile: up to 500 fibres, observed together, written as one coadd file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.catalogue import Objects, describe, seed_mark, sky_fibres, together
from qnet_tui.simulation.inspectors import Inspection, inspect
from qnet_tui.simulation.legibility import feature_significance
from qnet_tui.simulation.observation import (
    ArmData,
    Conditions,
    coadd,
    draw_conditions,
    expose,
    median_snr,
)
from qnet_tui.simulation.population import draw_targets
from qnet_tui.simulation.redrock_answers import RedrockAnswers, answer
from qnet_tui.simulation.settings import SimulationSettings

FIBRES = 500
FIRST_EXPOSURE = 300_001


@dataclass(frozen=True)
class Petal:
    """Everything about one file: who sits on which fibre, what was recorded, what people and redrock said.

    ``objects`` and all per-row arrays are in the order of ``fibre``; ``exposures`` is empty unless single
    exposures were asked for, and then the coadd is made of them. ``lost_arm`` is the index of a row's dead
    camera or -1; ``snr`` the median S/N per pixel as recorded.
    """

    tile: int
    petal: int
    conditions: Conditions
    objects: Objects
    fibre: NDArray[np.int64]
    lost_arm: NDArray[np.int64]
    arms: list[ArmData]
    exposures: list[list[ArmData]]
    expids: NDArray[np.int64]
    snr: NDArray[np.float64]
    inspection: Inspection
    redrock: RedrockAnswers

    @property
    def n_rows(self) -> int:
        """Number of rows of the coadd."""
        return len(self.fibre)


def observe_petal(
    seed: np.random.SeedSequence,
    settings: SimulationSettings,
    number: int,
    n_rows: int,
    earlier: Objects | None,
) -> Petal:
    """Simulate file ``number`` (0, 1, …) with ``n_rows`` rows; some re-observe objects of ``earlier``.

    The bytes depend on ``seed``, the settings, the number and the earlier objects only.
    """
    rng = np.random.default_rng(seed)
    place = (settings.first_tile + number, number % 10)
    conditions = draw_conditions(rng, settings.exposures)
    n_sky = round(settings.sky * n_rows)
    n_again = 0
    if earlier is not None:
        n_again = min(round(settings.repeats * n_rows), len(earlier.table), n_rows - n_sky)
    lots = [
        describe(
            rng,
            draw_targets(rng, n_rows - n_sky - n_again, settings),
            place,
            seed_mark(settings.seed),
            conditions,
        )
    ]
    if n_sky:
        lots.append(sky_fibres(rng, n_sky, place))
    if earlier is not None and n_again:
        lots.append(earlier.take(np.sort(rng.choice(len(earlier.table), n_again, replace=False))))
    objects = together(lots)
    objects = objects.take(rng.permutation(n_rows))
    fibre = place[1] * FIBRES + np.sort(rng.choice(FIBRES, n_rows, replace=False)).astype(np.int64)

    lost = np.where(rng.random(n_rows) < settings.lost_arm, rng.integers(0, 3, n_rows), -1).astype(np.int64)
    stretch = rng.random(n_rows) < settings.masked_stretch
    through = np.clip(rng.normal(1.0, 0.06, n_rows), 0.7, 1.3)
    exposures: list[list[ArmData]] = []
    if settings.exposures:
        depth = conditions.depth * through
        exposures += [expose(rng, objects.flux, depth, conditions, lost, stretch) for _ in range(settings.exposures)]
        arms = coadd(exposures)
    else:
        depth = conditions.depth * conditions.n_exposures * through
        arms = expose(rng, objects.flux, depth, conditions, lost, stretch)

    significance = feature_significance(objects.flux, arms)
    n_good = np.sum([np.count_nonzero(a.ivar, axis=1) for a in arms], axis=0).astype(np.int64)
    redrock = answer(rng, objects.table, significance, n_good)
    inspection = inspect(rng, objects.table, significance, lost >= 0, redrock)
    expids = FIRST_EXPOSURE + 20 * number + np.arange(conditions.n_exposures, dtype=np.int64)
    return Petal(
        tile=place[0],
        petal=place[1],
        conditions=conditions,
        objects=objects,
        fibre=fibre,
        lost_arm=lost,
        arms=arms,
        exposures=exposures,
        expids=expids,
        snr=median_snr(arms),
        inspection=inspection,
        redrock=redrock,
    )


def returning(petal: Petal) -> Objects:
    """The objects of a petal that a later tile may observe again: everything with a class."""
    classed = np.isin(petal.objects.table["spectral_class"], ("QSO", "GALAXY", "STAR"))
    own = petal.objects.table["targetid"] >> 22 & 0xFFFFF == petal.tile
    return petal.objects.take(np.flatnonzero(classed & own))
