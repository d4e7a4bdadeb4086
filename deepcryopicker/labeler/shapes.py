"""Candidates in a cleaned particle mask: circles, rectangles, and other blobs (METHOD.md 4, 5).

Everything here is in working pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from deepcryopicker.labeler.circles import find_circles
from deepcryopicker.labeler.schema import IbcConfig
from deepcryopicker.types import Floats, Image, Mask, Strings

# A disc fills 0.785 of its bounding rectangle, a square all of it; KLH side views, with their
# rounded corners and a 0.83 aspect, lie near 0.9 (METHOD.md 5).
_RECTANGLE_FILL = 0.85
_RECTANGLE_ASPECT = 0.7
_RECTANGLE_AREA = (0.7, 1.6)  # of the disc with the particle's diameter; a square has 4/pi
_LOCAL = 1.2  # a candidate's own mask is what lies within this many of its radii
_LEAST_COVERAGE = 0.3
_COVERAGE_SIGMA = 0.22  # diameters: a Gaussian about as wide as the particle's disc


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
    """

    x: Floats
    y: Floats
    diameter: Floats
    label: Strings
    area: Floats
    overlap: Floats


def coverage(mask: Mask, diameter: float) -> Image:
    """Share of mask pixels in the particle-sized neighbourhood of each pixel, 0-1."""
    return cv2.GaussianBlur(
        mask.astype(np.float32),
        (0, 0),
        _COVERAGE_SIGMA * diameter,
        borderType=cv2.BORDER_REFLECT_101,
    )


def find_shapes(mask: Mask, covered: Image, diameter: float, config: IbcConfig) -> Shapes:
    """Find circles, then rectangles and other blobs where there is no circle.

    Parameters
    ----------
    mask : (H, W) bool
        Cleaned particle mask.
    covered : (H, W) float32
        Its :func:`coverage`.
    diameter : float
        Expected particle diameter.
    config : IbcConfig
    """
    circles = find_circles(
        mask,
        config.smallest_radius * diameter,
        config.largest_radius * diameter,
        config.sensitivity,
    )
    found = [np.column_stack([circles.x, circles.y, 2.0 * circles.radius])]
    labels = ["top"] * len(circles)
    overlaps = [_disc_overlap(mask, *row) for row in found[0]]
    for x, y, overlap in _rectangles(mask, diameter):
        if _is_free(found, x, y, diameter):
            found.append(np.array([[x, y, diameter]]))
            labels.append("side")
            overlaps.append(overlap)
    blobs = [row for row in _peaks(covered, diameter) if _is_free(found, row[0], row[1], diameter)]
    if blobs:
        found.append(np.column_stack([np.array(blobs), np.full(len(blobs), diameter)]))
        labels += ["irregular"] * len(blobs)
        overlaps += [_disc_overlap(mask, x, y, diameter) for x, y in blobs]
    x, y, size = np.concatenate(found).T
    areas, ratios = np.array(overlaps, np.float64).reshape(-1, 2).T
    return Shapes(x, y, size, np.array(labels, np.str_), areas, ratios)


def _is_free(found: list[Floats], x: float, y: float, diameter: float) -> bool:
    """Whether no shape found so far has its centre within half a diameter."""
    centres = np.concatenate(found)[:, :2]
    if len(centres) == 0:
        return True
    return float(np.hypot(*(centres - (x, y)).T).min()) > 0.5 * diameter


def _disc_overlap(mask: Mask, x: float, y: float, diameter: float) -> tuple[float, float]:
    """Area of the mask around a disc and its intersection over union with that disc."""
    radius = diameter / 2.0
    reach = int(np.ceil(_LOCAL * radius))
    top, left = max(0, round(y) - reach), max(0, round(x) - reach)
    local = mask[top : round(y) + reach + 1, left : round(x) + reach + 1]
    rows, columns = np.ogrid[top : top + local.shape[0], left : left + local.shape[1]]
    distance = np.hypot(columns - x, rows - y)
    disc = distance <= radius
    own = local & (distance <= _LOCAL * radius)
    return float(own.sum()), float((own & disc).sum() / max((own | disc).sum(), 1))


def _rectangles(mask: Mask, diameter: float) -> list[tuple[float, float, tuple[float, float]]]:
    """Centre, area and fill of every component that looks like a square seen from the side."""
    disc = np.pi * diameter**2 / 4.0
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    rectangles = []
    for contour in contours:
        (x, y), sides, _ = cv2.minAreaRect(contour)
        # Contours run through pixel centres, so that each side is one pixel short.
        short, long = min(sides) + 1.0, max(sides) + 1.0
        area = float(cv2.contourArea(contour)) + len(contour) / 2.0 + 1.0
        fill = area / (short * long)
        in_size = _RECTANGLE_AREA[0] * disc <= area <= _RECTANGLE_AREA[1] * disc
        if in_size and short >= _RECTANGLE_ASPECT * long and fill >= _RECTANGLE_FILL:
            rectangles.append((x, y, (area, min(fill, 1.0))))
    return rectangles


def _peaks(covered: Image, diameter: float) -> npt.NDArray[np.float64]:
    """Centres (N, 2) of the local maxima of the coverage, densest first."""
    size = int(0.7 * diameter) | 1
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    row, column = np.nonzero(
        (covered == cv2.dilate(covered, element)) & (covered >= _LEAST_COVERAGE)
    )
    order = np.argsort(-covered[row, column], kind="stable")
    return np.column_stack([column, row])[order].astype(np.float64)


def nearest_distance(x: Floats, y: Floats) -> Floats:
    """Distance from each point to its nearest neighbour, inf where there is none.

    Examples
    --------
    >>> nearest_distance(np.array([0.0, 3.0, 9.0]), np.zeros(3)).tolist()
    [3.0, 3.0, 6.0]
    """
    if len(x) < 2:
        return np.full(len(x), np.inf)
    points = np.column_stack([x, y])
    return KDTree(points).query(points, k=2)[0][:, 1]
