"""Particle masks: cleaning, separation of touching particles, choice of the particle cluster.

Components are 8-connected and holes 4-connected; areas are in pixels (METHOD.md 1.2, 2.2).
"""

import cv2
import numpy as np
import numpy.typing as npt
from skimage.segmentation import watershed

from deepcryopicker.types import Image, Labels, Mask

_Bits = npt.NDArray[np.uint8]

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_SQUARE = np.ones((3, 3), np.uint8)
# OpenCV itself marks the frame of a flood's mask with 1.
_FLOODED, _FRESH = 2, 3

_LARGEST_SINGLE = 1.3  # particle areas; larger components may be clumps
_NECK = 0.2  # radii by which a neck is narrower than the particles on both sides
_SMOOTHING = 0.05  # diameters: smooths ragged edges before necks are measured
_LEAST_DISTANCE = 0.6  # diameters between two particles of a clump

_PLAUSIBLE = (0.5, 2.0)  # particle areas
_SMALLEST = 0.25  # particle areas, in the cleaning before clusters are compared
_PREFERENCE = 1.25  # factor by which the score of the other polarity must be higher


def clean_mask(mask: Mask, smallest: float, smallest_after: float = 0.0, fill: bool = True) -> Mask:
    """Remove specks and holes from a particle mask.

    Drop components below `smallest`, erode, fill holes, close, drop components below
    `smallest_after`, dilate, fill holes again; the structuring element is the 3x3 cross. Pixels
    outside the image have no effect (METHOD.md 2.2).

    Parameters
    ----------
    mask : (H, W) bool
    smallest, smallest_after : float
        Areas in pixels.
    fill : bool
        Whether to fill remaining holes at the end.
    """
    bits = _open_area(mask.astype(np.uint8), smallest)
    bits = _fill_holes(cv2.erode(bits, _CROSS))
    # The frame allows the dilation of the closing to extend beyond the border of the image.
    framed = cv2.copyMakeBorder(bits, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    bits = np.ascontiguousarray(cv2.morphologyEx(framed, cv2.MORPH_CLOSE, _CROSS)[1:-1, 1:-1])
    bits = cv2.dilate(_open_area(bits, smallest_after), _CROSS)
    return (_fill_holes(bits) if fill else bits).astype(bool)


def _open_area(bits: _Bits, smallest: float) -> _Bits:
    if smallest <= 1.0:
        return bits
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bits, connectivity=8)
    keep = (stats[:, cv2.CC_STAT_AREA] >= smallest).astype(np.uint8)
    keep[0] = 0
    return keep.take(labels)


def _fill_holes(bits: _Bits) -> _Bits:
    """Fill the background that is not connected to the outside."""
    framed = cv2.copyMakeBorder(bits, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(framed, None, (0, 0), 2, flags=4)
    return (framed[1:-1, 1:-1] != 2).astype(np.uint8)


def prominent_maxima(image: Image, depth: float) -> Mask:
    """Return the regions of the maxima with a prominence of `depth`.

    These are the regional maxima of the H-maxima transform with h = `depth` that keep a height of
    at least `depth`. Instead of reconstructing the image, each maximum is flooded down to `depth`
    below it, highest first. It is prominent unless its flood meets an earlier one, which belongs
    to a higher maximum. No pixel is flooded twice.

    Parameters
    ----------
    image : (H, W) float32
        Non-negative.
    depth : float

    Returns
    -------
    (H, W) bool
        Different regions do not touch, not even diagonally.
    """
    image = np.ascontiguousarray(image)
    row, column = np.nonzero((image == cv2.dilate(image, _SQUARE)) & (image >= 2.0 * depth))
    order = np.argsort(-image[row, column], kind="stable")
    flooded = np.zeros((image.shape[0] + 2, image.shape[1] + 2), np.uint8)
    prominent = np.zeros_like(flooded)
    flags = 8 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | _FRESH << 8
    for y, x in zip(row[order].tolist(), column[order].tolist(), strict=True):
        if flooded[y + 1, x + 1]:
            continue
        *_, (left, top, width, height) = cv2.floodFill(
            image, flooded, (x, y), 0.0, depth, np.inf, flags
        )
        window = (slice(top, top + height + 2), slice(left, left + width + 2))
        around = flooded[window]
        fresh = (around == _FRESH).astype(np.uint8)
        if not (around[cv2.dilate(fresh, _SQUARE) > 0] == _FLOODED).any():
            prominent[window] |= fresh
        around[fresh > 0] = _FLOODED
    return prominent[1:-1, 1:-1] > 0


def split_clumps(mask: Mask, diameter: float) -> Labels:
    """Label the particles of a mask and separate touching ones.

    Clumps are cut at their necks by a watershed of the distance to the edge of the mask, seeded
    at its prominent maxima. Components of about the area of one particle are not cut.

    Parameters
    ----------
    mask : (H, W) bool
    diameter : float
        Expected particle diameter, pixels.

    Returns
    -------
    (H, W) int32
        0 outside the mask, otherwise 1 ... the number of particles.
    """
    bits = mask.astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bits, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] > _LARGEST_SINGLE * np.pi * diameter**2 / 4.0
    large[0] = False
    clumps = large.take(labels)
    # The border of the image is not an edge: particles continue beyond it.
    distance = cv2.distanceTransform(clumps.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    distance = cv2.GaussianBlur(distance, (0, 0), _SMOOTHING * diameter)
    seeds = _seeds(distance, diameter) * clumps
    pieces = watershed(-distance, seeds, mask=clumps)
    # A component without seeds (small or without a neck) is one object.
    alone = np.bincount(labels[pieces > 0], minlength=count) == 0
    alone[0] = False
    return _consecutive(pieces + (seeds.max() + labels) * alone[labels])


def _seeds(distance: Image, diameter: float) -> Labels:
    """Label one pixel per particle, at the maxima of the distance; 0 elsewhere."""
    peaks = prominent_maxima(distance, _NECK * diameter / 2.0)
    *_, centroids = cv2.connectedComponentsWithStats(peaks.astype(np.uint8), connectivity=8)
    column, row = np.rint(centroids[1:]).astype(int).T
    points = np.zeros(distance.shape, np.uint8)
    points[row, column] = 1
    size = round(_LEAST_DISTANCE * diameter) | 1
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    # Points whose discs of that diameter touch are too close for two particles: one seed.
    _, near = cv2.connectedComponents(cv2.dilate(points, element))
    return near * points


def _consecutive(labels: Labels) -> Labels:
    """Renumber labels consecutively; 0 stays 0."""
    used = np.bincount(labels.ravel()) > 0
    used[0] = False
    return np.where(used, np.cumsum(used), 0).astype(np.int32).take(labels)


def particle_cluster(
    indices: npt.NDArray[np.uint8], clusters: int, diameter: float, dark: bool = True
) -> Mask:
    """Choose the clusters that are most likely particles.

    Candidates are the 1, 2, ... darkest and the 1, 2, ... brightest clusters. After cleaning,
    components of plausible area contribute their area times their solidity to the score.

    Parameters
    ----------
    indices : (H, W) uint8
        Clusters by intensity, 0 the darkest.
    clusters : int
    diameter : float
        Expected particle diameter, pixels.
    dark : bool
        Expected polarity. The other one is chosen only if its score is clearly higher.

    Returns
    -------
    (H, W) bool
        Pixels of the chosen clusters, not cleaned.
    """
    best, best_score = np.zeros(indices.shape, bool), -1.0
    for number in range(1, clusters):
        for mask, is_dark in ((indices < number, True), (indices >= clusters - number, False)):
            score = _particle_score(mask, diameter) * (_PREFERENCE if is_dark == dark else 1.0)
            if score > best_score:
                best, best_score = mask, score
    return best


def _particle_score(mask: Mask, diameter: float) -> float:
    """Return the sum of area times solidity over components of plausible area."""
    disc = np.pi * diameter**2 / 4.0
    bits = clean_mask(mask, _SMALLEST * disc).astype(np.uint8)
    contours, _ = cv2.findContours(bits, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    score = 0.0
    for contour in contours:
        area = cv2.contourArea(contour)
        if _PLAUSIBLE[0] * disc <= area <= _PLAUSIBLE[1] * disc:
            score += area * area / cv2.contourArea(cv2.convexHull(contour))
    return score
