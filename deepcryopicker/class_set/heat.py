"""Targets of heat maps: windows off the centre of a particle have a fraction of its class."""

from collections.abc import Sequence

import numpy as np

from deepcryopicker.class_set.samples import Samples
from deepcryopicker.types import Image


def heat_targets(samples: Samples, classes: Sequence[str]) -> Image:
    """Distribute each window between its own class and that of the nearby particle.

    Returns
    -------
    (N, C) float32
        Rows sum to one; see :class:`TrainingSet`.
    """
    rows = np.arange(len(samples))
    height = np.where(samples.near >= 0, samples.heat, 0.0).astype(np.float32)
    heat = np.zeros((len(samples), len(classes)), np.float32)
    heat[rows, samples.target] = 1.0 - height
    heat[rows, samples.near] += height  # zero without a particle
    return heat
