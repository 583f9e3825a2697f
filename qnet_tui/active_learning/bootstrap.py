"""Bootstrap of the labelled set: what makes the members of a committee differ.

Green et al. 2025, section 3, step 2: every network is trained with the same settings on as many spectra as
there are labels, drawn from the labels with replacement.
"""

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from qnet_tui.errors import BadInput


def bootstrap_indices(n: int, seed: SeedSequence) -> NDArray[np.int64]:
    """Draw ``n`` positions out of ``n`` with replacement.

    Returns i8 (n,) with values in 0 … n-1. The same ``seed`` always gives the same draw; ``seed`` is not
    changed. Raises BadInput when there is nothing to draw from.
    """
    if n < 1:
        raise BadInput("no labelled spectra to draw a training set from", mend="import a truth table first")
    return np.random.default_rng(seed).integers(0, n, size=n, dtype=np.int64)


def member_seeds(seed: SeedSequence, n_members: int) -> tuple[SeedSequence, ...]:
    """One independent seed for each member of a committee.

    They are what ``seed.spawn(n_members)`` gives on a fresh ``seed``, but ``seed`` keeps no count of its
    children: a resumed run that asks again, or for more members, gets the same seeds for the same members.
    """
    return tuple(
        SeedSequence(entropy=seed.entropy, spawn_key=(*seed.spawn_key, i), pool_size=seed.pool_size)
        for i in range(n_members)
    )
