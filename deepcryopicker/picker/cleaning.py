"""Score-map areas that are too large to be particles (the paper's component cleaning)."""

import cv2
import numpy as np
import numpy.typing as npt

from deepcryopicker.types import Image

_CLOSE = 0.1  # the paper joins positions of "close" scores and gives no number
_UNSURE = 0.5  # share of a map: what is too large everywhere says more of the network than of ice


def clean(score: Image, threshold: float, largest: float) -> Image:
    """Lower the scores of areas that are too large to be a particle.

    The paper drops areas above a cutoff as ice or carbon. Here a score is multiplied by the share
    of the area that the largest particle would take, so that no candidate is lost and a strict
    cutoff is safe: an area a little too large is a little less likely. A map that is mostly such
    areas comes from a network that is unsure everywhere, and stays as it is.

    Parameters
    ----------
    score : (h, w) float32
        A smoothed map of probabilities.
    threshold : float
        Lower scores belong to no area.
    largest : float
        Area of the largest particle as :func:`plateau_areas` measures it, map pixels.

    Returns
    -------
    (h, w) float32
    """
    area = plateau_areas(score, threshold)
    if np.mean(area > largest) > _UNSURE:
        return score
    return score * np.minimum(1.0, largest / np.maximum(area, 1)).astype(np.float32)


def plateau_areas(score: Image, threshold: float) -> npt.NDArray[np.int64]:
    """Measure the area of close scores around every position of a map.

    Areas are 8-connected and at or above a level. The lowest level is the threshold, the others
    follow in steps of 0.1, and a position is measured one level below the highest that it reaches.
    So a particle's area is no more than the top of its peak, and a crowd is parted where the
    scores between its particles fall, as by a watershed; ice and carbon remain in one piece.

    Parameters
    ----------
    score : (h, w) float32
    threshold : float

    Returns
    -------
    (h, w) int64
        Map pixels; 0 below the threshold.
    """
    # Whole steps above the threshold; a saturated score of 1 must not miss one by rounding.
    steps = np.floor((score - threshold) / _CLOSE + 1e-5)
    area = np.zeros(score.shape, np.int64)
    for lowest in range(max(int(steps.max()), 1)):
        above = (steps >= lowest).astype(np.uint8)
        _, label, statistics, _ = cv2.connectedComponentsWithStats(above, connectivity=8)
        measured = steps >= (lowest + 1 if lowest else 0)  # the others have been, at lower levels
        area[measured] = statistics[label[measured], cv2.CC_STAT_AREA]
    return area
