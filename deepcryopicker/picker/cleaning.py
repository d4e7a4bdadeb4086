"""Score-map areas that are too large to be particles (the paper's component cleaning)."""

import cv2
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from deepcryopicker.types import Image

_CLOSE = 0.1  # the paper joins positions of "close" scores without giving a number
_UNSURE = 0.5  # share of the map; more than this is an unsure network rather than ice


def clean(score: Image, threshold: float, largest: float) -> Image:
    """Lower the scores of areas that are too large to be a particle.

    The paper drops areas above a cutoff as ice or carbon. Here their scores are multiplied by
    ``largest / area``, so that no candidate is lost and a strict cutoff is safe: an area slightly
    too large is only slightly less likely. If such areas cover more than half of the map, the
    network is unsure everywhere, and the map is returned unchanged.

    Parameters
    ----------
    score : (h, w) float32
        A smoothed map of probabilities.
    threshold : float
        Positions with lower scores do not belong to any area.
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


def drop_large(score: Image, threshold: float, largest: float) -> Image:
    """Drop the areas that are too large to be a particle, as in the paper.

    "A cleaning step is implemented which connects any two pixels in scoring maps whose prediction
    scores are close and both above the threshold. Then, a connected area (pixels) is regarded as a
    false positive if the size of the connected area is larger than a cutoff value and is removed
    from the candidate list" (section on picking different micrographs). Which scores are close, and
    the cutoff, are not given.

    Parameters
    ----------
    score : (h, w) float32
    threshold : float
        Positions with lower scores do not belong to any area.
    largest : float
        Cutoff, map pixels.

    Returns
    -------
    (h, w) float32
        `score`; 0 in areas above the cutoff.
    """
    return np.where(connected_areas(score, threshold) > largest, np.float32(0.0), score)


def connected_areas(score: Image, threshold: float) -> npt.NDArray[np.int64]:
    """Measure the area that is connected to every position by steps between close scores.

    Of the eight neighbours of a position, those are connected to it whose scores are at or above
    the threshold and differ from its own by at most 0.1.

    Parameters
    ----------
    score : (h, w) float32
    threshold : float

    Returns
    -------
    (h, w) int64
        Map pixels; 0 below the threshold.
    """
    height, width = score.shape
    index = np.arange(score.size).reshape(score.shape)
    above = score >= threshold
    pairs = []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        left = slice(max(0, -right), width - max(0, right))
        beside = slice(max(0, right), width + min(0, right))
        one, other = np.s_[: height - down, left], np.s_[down:, beside]
        close = np.abs(score[one] - score[other]) <= _CLOSE + 1e-6
        joined = above[one] & above[other] & close
        pairs.append(np.stack([index[one][joined], index[other][joined]]))
    rows, columns = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), (score.size, score.size))
    _, label = connected_components(graph, directed=False)
    area = np.bincount(label)[label].reshape(score.shape)
    return np.where(above, area, 0).astype(np.int64)


def plateau_areas(score: Image, threshold: float) -> npt.NDArray[np.int64]:
    """Measure the area of similar scores around every position of a map.

    Areas are 8-connected and at or above a level. The levels start at the threshold, in steps of
    0.1, and a position is measured one level below the highest level that its score exceeds.
    A particle's area is therefore only the top of its peak, and touching particles are separated
    where the scores between them drop, as in a watershed; ice and carbon stay in one piece.

    Parameters
    ----------
    score : (h, w) float32
    threshold : float

    Returns
    -------
    (h, w) int64
        Map pixels; 0 below the threshold.
    """
    # Whole steps above the threshold; 1e-5 keeps a saturated score of 1 from being rounded down.
    steps = np.floor((score - threshold) / _CLOSE + 1e-5)
    area = np.zeros(score.shape, np.int64)
    for lowest in range(max(int(steps.max()), 1)):
        above = (steps >= lowest).astype(np.uint8)
        _, label, statistics, _ = cv2.connectedComponentsWithStats(above, connectivity=8)
        measured = steps >= (lowest + 1 if lowest else 0)  # the others keep a lower level's area
        area[measured] = statistics[label[measured], cv2.CC_STAT_AREA]
    return area
