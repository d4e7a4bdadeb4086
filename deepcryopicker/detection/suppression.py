"""Non-maximum suppression: a place has one particle."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from deepcryopicker.types import Floats


def suppress_by_distance(
    x: Floats, y: Floats, score: Floats, distance: float
) -> npt.NDArray[np.int64]:
    """Keep the best-scored pick of every neighbourhood.

    Parameters
    ----------
    x, y, score : (N,) float64
    distance : float
        A pick is dropped if a kept one with a higher score lies nearer than this.

    Returns
    -------
    (K,) int64
        Indices kept, by descending score; of equal scores the earlier comes first.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 5.0])
    >>> suppress_by_distance(x, np.zeros(3), np.array([0.5, 0.9, 0.7]), 2.0).tolist()
    [1, 2]
    """
    order = np.argsort(-score, kind="stable")
    if len(order) == 0 or distance <= 0.0:
        return order
    points = np.column_stack([x, y])[order]
    neighbours = KDTree(points).query_ball_point(points, np.nextafter(distance, 0.0))
    alive = np.ones(len(order), bool)
    for index, near in enumerate(neighbours):
        if alive[index]:
            alive[[other for other in near if other > index]] = False
    return order[alive]
