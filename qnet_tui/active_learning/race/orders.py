"""The order in which networks are asked: drawn at random, once for every block of rows, and recorded.

The rules hold because the order is random and knows nothing of the networks: an order by quality would break them.
Rows of a block share an order, so their fates are not independent, but each row's chances are those of the rule.
"""

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray


def network_orders(n_networks: int, n_blocks: int, seed: SeedSequence) -> NDArray[np.uint16]:
    """One random order of the networks per block, uint16 (n_blocks, n_networks).

    A block's order depends on ``seed``, ``n_networks`` and its number alone, not on how many blocks there are.
    ``seed`` is not changed.
    """
    orders = np.empty((n_blocks, n_networks), dtype=np.uint16)
    for block in range(n_blocks):
        own = SeedSequence(entropy=seed.entropy, spawn_key=(*seed.spawn_key, block), pool_size=seed.pool_size)
        orders[block] = np.random.default_rng(own).permutation(n_networks)
    return orders
