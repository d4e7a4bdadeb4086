"""Varied micrographs: every kind, every instrument, random particles or given structures.

All conditions are drawn from ranges wider than those of real micrographs, so that a network learns
their common features. Particles have about the size at which networks are applied, so that a
micrograph takes half a second.
"""

import numpy as np

from deepcryopicker.dataset.simulator.instruments.catalogued import INSTRUMENTS
from deepcryopicker.dataset.simulator.instruments.export import spoiled
from deepcryopicker.dataset.simulator.micrographs.composed import expose_composed
from deepcryopicker.dataset.simulator.micrographs.micrograph_kinds import KINDS_OF_MICROGRAPHS
from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.micrographs.randomised import expose_randomised
from deepcryopicker.dataset.simulator.scene import SimulatedMicrograph
from deepcryopicker.types import Floats, Mask


def simulate_any(side: float, seed: int, variety: Variety | None = None) -> SimulatedMicrograph:
    """Simulate one micrograph with random conditions; equal arguments give identical bytes.

    Parameters
    ----------
    side : float
        Side of a square image, particle diameters; of another shape, that of its area's square.
    seed : int
    variety : Variety, optional
        Default: everything, without structures.

    Returns
    -------
    SimulatedMicrograph
        Grey values in [0, 255]. `diameter` is that given by a user; the true diameter differs by
        up to 18 %. No particle is on a micrograph of a kind without particles.
    """
    planned = plan(seed, variety)
    kind, instrument = KINDS_OF_MICROGRAPHS[planned.kind], INSTRUMENTS[planned.instrument]
    conditions = planned.conditions
    rng = np.random.default_rng([seed, 2])
    length, stretch = side * conditions.diameter, np.sqrt(instrument.aspect)
    shape = (round(length / stretch), round(length * stretch))
    if kind.draw is None:
        exposed = expose_randomised(shape, conditions, rng)
    else:
        exposed = expose_composed(shape, planned, kind, instrument, rng)
    image = exposed.image
    if planned.kind == "spoiled":
        image = spoiled(image, conditions.true_diameter, rng)
    image, border = instrument.store(image, conditions.true_diameter, rng)
    kept = _inside(exposed.centres, shape, border)
    x, y = exposed.centres[kept].T.copy()
    diameter = np.full(len(x), conditions.diameter)
    return SimulatedMicrograph(image, x, y, exposed.label[kept], diameter, exposed.pixel)


def _inside(centres: Floats, shape: tuple[int, int], border: int) -> Mask:
    """Return which centres (N, 2) lie in an image inside its border, (N,) bool."""
    x, y = centres.T
    height, width = shape
    inside: Mask = (x >= border) & (x <= width - 1 - border)
    return inside & (y >= border) & (y <= height - 1 - border)
