"""Clusterings of a micrograph by intensity: IBC, k-means, fuzzy c-means (METHOD.md 2.1, 2.3).

Intensities are one-dimensional, so that clustering a fine histogram is sufficient: every method
but IBC clusters 1024 levels and then maps the pixels. Cluster 0 is always the darkest. A constant
image has no particles and is assigned to the brightest cluster.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.filters import threshold_otsu

from deepcryopicker.types import Floats, Image

Indices = npt.NDArray[np.uint8]

_LEVELS = 1024
_MOST_ITERATIONS = 100
_LEAST_CHANGE = 1e-3  # of a fuzzy membership: stopping criterion of the authors


def intensity_clusters(image: Image, clusters: int) -> Indices:
    """Assign each pixel to the nearest of `clusters` equally spaced intensities (IBC).

    The centres are ``min + j * (max - min) / clusters`` for j = 1 ... clusters, so that the
    darkest cluster is the widest.

    Parameters
    ----------
    image : (H, W) float32
    clusters : int, >= 2

    Returns
    -------
    (H, W) uint8
        Cluster index, 0 for the darkest. Ties between two centres go to the darker one.

    Examples
    --------
    >>> intensity_clusters(np.array([[0.0, 0.375, 0.4, 1.0]], np.float32), 4).tolist()
    [[0, 0, 1, 3]]
    """
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return _featureless(image, clusters)
    position = (image - low) * (clusters / (high - low))  # centres lie at 1 ... clusters
    return np.clip(np.ceil(position - 0.5) - 1, 0, clusters - 1).astype(np.uint8)


def kmeans_clusters(image: Image, clusters: int) -> Indices:
    """Cluster intensities by k-means.

    In one dimension clusters are intervals, whose optimal limits are found by dynamic programming,
    without a random start and without local optima.

    Parameters
    ----------
    image : (H, W) float32
    clusters : int, >= 2

    Returns
    -------
    (H, W) uint8
        Cluster index, 0 for the darkest.

    Examples
    --------
    >>> kmeans_clusters(np.array([[0.0, 0.1, 0.5, 0.9, 1.0]], np.float32), 3).tolist()
    [[0, 0, 1, 2, 2]]
    """
    if image.max() <= image.min():
        return _featureless(image, clusters)
    levels = _levels(image)
    return _nearest(levels.value, _kmeans_centres(levels, clusters))[levels.index]


def fcm_clusters(image: Image, clusters: int) -> Indices:
    """Cluster intensities by fuzzy c-means; the darkest cluster is selected by Otsu's threshold.

    As in the authors' code, the membership of the darkest cluster is binarised. The remaining
    pixels are assigned to the other cluster of the largest membership.

    Parameters
    ----------
    image : (H, W) float32
    clusters : int, >= 2

    Returns
    -------
    (H, W) uint8
        Cluster index, 0 for the darkest.
    """
    if image.max() <= image.min():
        return _featureless(image, clusters)
    levels = _levels(image)
    membership = _memberships(levels, clusters)
    counts, edges = np.histogram(membership[0], 256, weights=levels.weight)
    particle = membership[0] > threshold_otsu(hist=(counts, (edges[1:] + edges[:-1]) / 2.0))
    others = 1 + membership[1:].argmax(axis=0)
    return np.where(particle, 0, others).astype(np.uint8)[levels.index]


@dataclass(frozen=True)
class _Levels:
    """Histogram of an image.

    Attributes
    ----------
    index : (H, W) int16
        Level of each pixel.
    value : (L,) float64
        Intensity of each level, 0 for the minimum of the image and 1 for the maximum.
    weight : (L,) float64
        Number of pixels at each level.
    """

    index: npt.NDArray[np.int16]
    value: Floats
    weight: Floats


def _levels(image: Image) -> _Levels:
    low, high = float(image.min()), float(image.max())
    index = np.rint((image - low) * ((_LEVELS - 1) / (high - low))).astype(np.int16)
    weight = np.bincount(index.ravel(), minlength=_LEVELS).astype(np.float64)
    return _Levels(index, np.linspace(0.0, 1.0, _LEVELS), weight)


def _featureless(image: Image, clusters: int) -> Indices:
    return np.full(image.shape, clusters - 1, np.uint8)


def _nearest(value: Floats, centres: Floats) -> Indices:
    """Return the index of the nearest of the ascending `centres`; the lower index for ties."""
    limits = (centres[1:] + centres[:-1]) / 2.0
    return np.searchsorted(limits, value, side="left").astype(np.uint8)


def _kmeans_centres(levels: _Levels, clusters: int) -> Floats:
    """Return the means of the optimal intervals, ascending; at most one per intensity."""
    used = levels.weight > 0.0
    value, weight = levels.value[used], levels.weight[used]
    count, total, square = (
        np.concatenate([[0.0], np.cumsum(weight * value**power)]) for power in (0, 1, 2)
    )
    # cost[i, j]: sum of squared deviations in the interval of levels i ... j - 1.
    n = np.maximum(count - count[:, np.newaxis], 1.0)
    cost = square - square[:, np.newaxis] - (total - total[:, np.newaxis]) ** 2 / n
    cost[np.tril_indices(len(cost))] = np.inf
    best = cost[0]
    starts = []
    for _ in range(min(clusters, len(value)) - 1):
        whole = best[:, np.newaxis] + cost
        starts.append(whole.argmin(axis=0))
        best = whole.min(axis=0)
    limits = [len(value)]
    for start in reversed(starts):
        limits.append(int(start[limits[-1]]))
    limits = [0, *reversed(limits)]
    return np.diff(total[limits]) / np.diff(count[limits])


def _memberships(levels: _Levels, clusters: int) -> Floats:
    """Return the memberships (clusters, L) of each level by fuzzy c-means with m = 2.

    The authors start at random; here k-means gives a reproducible start near the optimum.
    """
    centres = _kmeans_centres(levels, clusters)
    membership = _membership(levels.value, centres)
    for _ in range(_MOST_ITERATIONS):
        share = membership**2 * levels.weight
        centres = share @ levels.value / share.sum(axis=1)
        previous, membership = membership, _membership(levels.value, centres)
        if np.abs(membership - previous).max() < _LEAST_CHANGE:
            break
    # With fewer intensities than clusters, the remaining clusters are empty.
    return np.pad(membership, ((0, clusters - len(centres)), (0, 0)))


def _membership(value: Floats, centres: Floats) -> Floats:
    """Return the membership (C, L): inverse squared distance, normalised over the centres."""
    nearness = 1.0 / np.maximum((value - centres[:, np.newaxis]) ** 2, 1e-12)
    return nearness / nearness.sum(axis=0)
