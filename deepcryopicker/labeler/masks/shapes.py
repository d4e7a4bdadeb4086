"""Candidates in a cleaned particle mask: circles, rectangles, and other blobs (METHOD.md 4, 5).

All lengths are in working pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import KDTree

from deepcryopicker.detection.peaks import find_peaks
from deepcryopicker.labeler.masks import feret
from deepcryopicker.labeler.masks.circles import find_circles
from deepcryopicker.labeler.masks.particle_mask import split_clumps
from deepcryopicker.labeler.masks.roundness import as_labels, circularity
from deepcryopicker.labeler.schema import MaskConfig
from deepcryopicker.types import Floats, Image, Labels, Mask, Strings

# Areas of side views in discs of the particle diameter; a square has 4 / pi.
_RECTANGLE_AREA = (0.7, 1.6)
_LOCAL = 1.2  # radii within which mask pixels belong to a candidate
_LEAST_COVERAGE = 0.3
_RADII = (0.35, 0.65)  # diameters: range of radii in the search for circles
_COVERAGE_SIGMA = 0.22  # diameters: a Gaussian about as wide as the disc of a particle
_BLOB_DISTANCE = 0.7  # diameters between two blobs


@dataclass(frozen=True)
class Shapes:
    """Shapes found in one mask; working pixels, (x, y) = (column, row).

    Attributes
    ----------
    x, y, diameter : (N,) float64
    label : (N,) str
        ``top`` for circles, ``side`` for rectangles, ``irregular`` for the rest.
    area : (N,) float64
        Mask pixels that belong to the shape.
    overlap : (N,) float64
        Intersection over union of these pixels with the ideal disc (or rectangle).
    circularity : (N,) float64
        ``P^2 / (4 pi A)`` (Eq. 5) of the component of the shape; NaN without one.
    angle : (N,) float64
        Degrees from the x axis towards the y axis along the shorter side of a rectangle; else 0.
    """

    x: Floats
    y: Floats
    diameter: Floats
    label: Strings
    area: Floats
    overlap: Floats
    circularity: Floats
    angle: Floats


def coverage(mask: Mask, diameter: float) -> Image:
    """Return the fraction of mask pixels in the particle-sized neighbourhood of each pixel."""
    return cv2.GaussianBlur(
        mask.astype(np.float32),
        (0, 0),
        _COVERAGE_SIGMA * diameter,
        borderType=cv2.BORDER_REFLECT_101,
    )


def find_shapes(mask: Mask, diameter: float, config: MaskConfig) -> Shapes:
    """Find circles, then rectangles and other blobs away from circles.

    Parameters
    ----------
    mask : (H, W) bool
        Cleaned particle mask.
    diameter : float
        Expected particle diameter.
    config : MaskConfig
    """
    circles = find_circles(
        mask,
        _RADII[0] * diameter,
        _RADII[1] * diameter,
        config.sensitivity,
    )
    tops = np.column_stack([circles.x, circles.y, 2.0 * circles.radius])
    parts = split_clumps(mask, diameter)
    squares = _rectangles(parts, diameter)
    sides = np.column_stack([squares.x, squares.y, np.full(len(squares), diameter)])
    free = _is_free(sides, tops, diameter)
    sides, squares = sides[free], squares[free]
    x, y, _ = find_peaks(coverage(mask, diameter), _BLOB_DISTANCE * diameter, _LEAST_COVERAGE)
    blobs = np.column_stack([x, y, np.full(len(x), diameter)])
    blobs = blobs[_is_free(blobs, np.concatenate([tops, sides]), diameter)]

    discs = np.array([_disc_overlap(mask, *row) for row in (*tops, *blobs)], np.float64).reshape(
        -1, 2
    )
    rectangles = np.column_stack(
        [squares.area, squares.area / (squares.minimum * squares.orthogonal)]
    )
    overlaps = np.concatenate([discs[: len(tops)], rectangles, discs[len(tops) :]])
    places = np.concatenate([tops, sides, blobs])
    x, y, size = places.T
    return Shapes(
        x=x,
        y=y,
        diameter=size,
        label=np.repeat(["top", "side", "irregular"], [len(tops), len(sides), len(blobs)]),
        area=overlaps[:, 0],
        overlap=np.minimum(overlaps[:, 1], 1.0),
        circularity=_circularity(mask, places),
        angle=np.concatenate([np.zeros(len(tops)), squares.minimum_angle, np.zeros(len(blobs))]),
    )


def _is_free(places: Floats, taken: Floats, diameter: float) -> Mask:
    """Return which places have no `taken` place within half a diameter, (N,) bool."""
    if len(places) == 0 or len(taken) == 0:
        return np.ones(len(places), bool)
    return KDTree(taken[:, :2]).query(places[:, :2])[0] > 0.5 * diameter


def _disc_overlap(mask: Mask, x: float, y: float, diameter: float) -> tuple[float, float]:
    """Return the area of the mask around a disc and its intersection over union with the disc."""
    radius = diameter / 2.0
    half = int(np.ceil(_LOCAL * radius))
    top, left = max(0, round(y) - half), max(0, round(x) - half)
    local = mask[top : round(y) + half + 1, left : round(x) + half + 1]
    rows, columns = np.ogrid[top : top + local.shape[0], left : left + local.shape[1]]
    distance = np.hypot(columns - x, rows - y)
    disc = distance <= radius
    own = local & (distance <= _LOCAL * radius)
    return float(own.sum()), float((own & disc).sum() / max((own | disc).sum(), 1))


def _rectangles(parts: Labels, diameter: float) -> feret.FeretTable:
    """Measure the isolated components with the shape of a side view."""
    table = feret.measure(parts)
    least, most = (share * np.pi * diameter**2 / 4.0 for share in _RECTANGLE_AREA)
    table = table[(table.area >= least) & (table.area <= most)]
    table = table[feret.is_square(table)]
    return table[~feret.is_overlapping(table)]


def _circularity(mask: Mask, places: Floats) -> Floats:
    """Return the circularity of the component with most pixels in each disc (x, y, diameter)."""
    components = as_labels(mask)
    of_component = np.append(circularity(components), np.nan)
    result = np.full(len(places), np.nan)
    for index, (x, y, diameter) in enumerate(places):
        # About a fifth of the centres lie in the hole of a shell, so the whole disc is searched.
        radius = round(diameter / 2.0)
        row, column = max(0, round(y) - radius), max(0, round(x) - radius)
        inside = components[row : round(y) + radius + 1, column : round(x) + radius + 1]
        counts = np.bincount(inside.ravel())
        counts[0] = 0
        if counts.any():
            result[index] = of_component[counts.argmax() - 1]
    return result


def ideal_mask(
    x: Floats, y: Floats, label: Strings, angle: Floats, diameter: float, shape: tuple[int, ...]
) -> Mask:
    """Fill the ideal shape of every particle: discs, and squares for side views (figs 13 to 16).

    Parameters
    ----------
    x, y : (N,) float64
    label : (N,) str
    angle : (N,) float64
        Degrees from the x axis towards the y axis along one pair of sides of a square.
    diameter : float
        Diameter of the discs and side of the squares.
    shape : (H, W)

    Returns
    -------
    (H, W) bool
    """
    mask = np.zeros(shape, np.uint8)
    for place in zip(x, y, label, angle, strict=True):
        column, row, name, degrees = place
        if name == "side":
            box = cv2.boxPoints(((column, row), (diameter, diameter), degrees))
            cv2.fillConvexPoly(mask, np.rint(box).astype(np.int32), 1)
        else:
            cv2.circle(mask, (round(column), round(row)), round(diameter / 2.0), 1, -1)
    return mask.astype(bool)


def nearest_distance(x: Floats, y: Floats) -> Floats:
    """Return the distance from each point to its nearest neighbour; inf for a single point.

    Examples
    --------
    >>> nearest_distance(np.array([0.0, 3.0, 9.0]), np.zeros(3)).tolist()
    [3.0, 3.0, 6.0]
    """
    if len(x) < 2:
        return np.full(len(x), np.inf)
    points = np.column_stack([x, y])
    return KDTree(points).query(points, k=2)[0][:, 1]
