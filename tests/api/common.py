"""Small simulated micrographs, in memory."""

from functools import cache

import deepcryopicker as d

SHAPE = (384, 448)
DIAMETER_ANGSTROM = 130.0


@cache
def simulated(seed=1):
    return d.simulate_micrograph("apoferritin", shape=SHAPE, seed=seed)
