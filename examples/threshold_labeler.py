"""A labeler from outside the package: dark spots in the smoothed micrograph.

deepcryopicker label plugins=examples/threshold_labeler.py labeler=threshold dataset=apoferritin
"""

from dataclasses import dataclass

import numpy as np
from skimage.feature import peak_local_max
from skimage.filters import gaussian

from deepcryopicker.frames import to_original
from deepcryopicker.plugins import labeler
from deepcryopicker.types import Picks


@dataclass
class ThresholdConfig:
    """Keys of ``labeler=threshold``.

    Attributes
    ----------
    deviations : float
        Least depth of a spot, in standard deviations of the smoothed micrograph.
    """

    deviations: float = 0.7


@labeler("threshold", ThresholdConfig)
def find_spots(preprocessed, config):
    """Return the centres of dark spots of the size of a particle, deepest first."""
    seen, diameter = preprocessed.standard, preprocessed.working_diameter
    image = seen.image.clip(-2, 2)
    depth = gaussian(image, sigma=diameter / 2) - gaussian(image, sigma=diameter / 5)
    depth /= depth.std()
    row, column = peak_local_max(depth, int(diameter * 0.6), config.deviations).T
    x, y = (to_original(each, seen.scale) for each in (column, row))
    score = np.tanh(depth[row, column] / config.deviations)
    return Picks.create(x, y, score, diameter=preprocessed.diameter)
