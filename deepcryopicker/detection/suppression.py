"""Non-maximum suppression of picks, by distance or by overlap."""

import numpy as np
import numpy.typing as npt
import scipy  # its large subpackages are loaded on first use

from deepcryopicker.types import Floats


def suppress_by_distance(
    x: Floats, y: Floats, score: Floats, distance: float
) -> npt.NDArray[np.int64]:
    """Keep the best-scored pick of every neighbourhood.

    Parameters
    ----------
    x, y, score : (N,) float64
    distance : float
        A pick is dropped if a kept pick with a higher score lies nearer than this, pixels.

    Returns
    -------
    (K,) int64
        Indices kept, by descending score; equal scores in order of the input.

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
    nearer = np.nextafter(distance, 0.0)
    pairs = scipy.spatial.KDTree(points).query_pairs(nearer, output_type="ndarray")
    return order[_greedy(len(points), pairs)]


def suppress_by_overlap(
    x: Floats, y: Floats, score: Floats, side: float, iou: float
) -> npt.NDArray[np.int64]:
    """Keep the best-scored of all picks whose boxes overlap, as in the paper.

    Parameters
    ----------
    x, y, score : (N,) float64
        Centres of square boxes, in pixels of `side`.
    side : float
    iou : float
        A pick is dropped if the intersection over union of its box with that of a kept pick with
        a higher score exceeds this.

    Returns
    -------
    (K,) int64
        As :func:`suppress_by_distance`.
    """
    order = np.argsort(-score, kind="stable")
    if len(order) == 0:
        return order
    # Imported here because no other part of picking needs torchvision.
    import torch
    from torchvision.ops import nms

    corners = np.column_stack([x, y, x, y]) + side / 2.0 * np.array([-1.0, -1.0, 1.0, 1.0])
    ranked = torch.arange(len(order), 0, -1, dtype=torch.float64)
    return order[nms(torch.from_numpy(corners[order]), ranked, iou).numpy()]


def _greedy(count: int, pairs: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """Greedy suppression: each remaining pick, best first, removes its lower-scored neighbours.

    Parameters
    ----------
    count : int
        Number of picks, ranked by score.
    pairs : (P, 2) int
        Ranks of neighbours, the better one first.

    Returns
    -------
    (K,) int64
        Ranks kept.
    """
    alive = [True] * count
    for better, worse in pairs[np.argsort(pairs[:, 0], kind="stable")].tolist():
        if alive[better]:
            alive[worse] = False
    return np.flatnonzero(alive)
