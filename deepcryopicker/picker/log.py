"""Difference of Gaussians: blobs darker than their surroundings."""

from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.filters import threshold_otsu

from deepcryopicker.frames import picks_to_original
from deepcryopicker.picker.dense import inside_margins
from deepcryopicker.picker.peaks import local_maxima, refine
from deepcryopicker.picker.schema import LogConfig
from deepcryopicker.picker.suppression import suppress_by_distance
from deepcryopicker.preprocessing.restore import gaussian
from deepcryopicker.types import Micrograph, Picks

_RATIO = 1.6  # of the two sigmas: the usual stand-in for the Laplacian of a Gaussian


def pick(micrograph: Micrograph, working_diameter: float, config: LogConfig) -> Picks:
    """Pick one preprocessed micrograph without any network.

    Parameters
    ----------
    micrograph : Micrograph
        Working scale; a stage with a flat background.
    working_diameter : float
        Particle diameter, working pixels.
    config : LogConfig

    Returns
    -------
    Picks
        Original pixels, best first; class ``irregular``, because a blob has no shape.
    """
    sigma = config.scale * working_diameter
    response = gaussian(micrograph.image, _RATIO * sigma) - gaussian(micrograph.image, sigma)
    row, column = local_maxima(response, 0.5 * config.distance * working_diameter, 0.0)
    x, y = refine(response, row, column)
    picks = Picks.create(x, y, to_score(response[row, column]), diameter=working_diameter)
    picks = picks[inside_margins(picks, response.shape, micrograph.margins)]
    distance = config.distance * working_diameter
    picks = picks[suppress_by_distance(picks.x, picks.y, picks.score, distance)]
    return picks_to_original(picks, micrograph.scale)


def to_score(response: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    """Map responses to [0, 1) so that Otsu's threshold between weak and strong ones gives 0.5."""
    if len(response) < 2 or response.max() <= response.min():
        return np.full(len(response), 0.5)
    threshold = max(float(threshold_otsu(response)), 1e-12)
    return response / (response + threshold)
