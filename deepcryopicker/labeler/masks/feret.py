"""Feret diameters of mask components: side views as perfect rectangles (METHOD.md 5, figs 14-16).

A Feret diameter is the distance between two parallel tangents on opposite sides of a component.
Lengths are in pixels. Angles are in degrees, [0, 180), from the x axis towards the y axis
(downwards), along the direction in which a diameter is measured.
"""

from dataclasses import dataclass, fields
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from deepcryopicker.labeler.masks.roundness import Outline, as_labels, filled_area, outlines
from deepcryopicker.types import Floats, Labels, Mask

# A pixel extends half a pixel beyond its centre. Adding the midpoints of its edges rather than its
# corners avoids a bias for tilted shapes, as in skimage.
_EDGES = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.int32)


@dataclass(frozen=True)
class FeretTable:
    """Measurements of N components.

    Attributes
    ----------
    label : (N,) int64
        Number of the component, ascending.
    x, y : (N,) float64
        Centre of the rectangle around the hull with the minimum Feret diameter as one side.
    maximum, maximum_angle : (N,) float64
        Longest Feret diameter.
    minimum, minimum_angle : (N,) float64
        Shortest Feret diameter.
    orthogonal : (N,) float64
        Feret diameter perpendicular to the minimum.
    area : (N,) float64
        Pixels, with holes filled.
    hull_area : (N,) float64
        Number of pixels whose centre lies in the convex hull of the pixel centres.
    """

    label: npt.NDArray[np.int64]
    x: Floats
    y: Floats
    maximum: Floats
    maximum_angle: Floats
    minimum: Floats
    minimum_angle: Floats
    orthogonal: Floats
    area: Floats
    hull_area: Floats

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, index: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Self:
        return type(self)(*(getattr(self, column.name)[index] for column in fields(self)))

    @property
    def solidity(self) -> Floats:
        """Fraction of the convex hull filled by the component, 0-1."""
        return self.area / self.hull_area

    @property
    def squareness(self) -> Floats:
        """Fraction of the minimum x orthogonal rectangle filled by the hull; pi / 4 for a disc."""
        return self.hull_area / (self.minimum * self.orthogonal)


def measure(components: Mask | Labels) -> FeretTable:
    """Measure each component of a mask or of a label image.

    Parameters
    ----------
    components : (H, W) bool or int32
        A mask, or numbered components, for example from a watershed.
    """
    found = list(outlines(as_labels(components)))
    rows = np.array([_measure(outline) for _, outline in found]).reshape(-1, 9)
    return FeretTable(np.array([label for label, _ in found], np.int64), *rows.T)


def _measure(outline: Outline) -> tuple[float, ...]:
    """Return the columns of :class:`FeretTable` for one component, except the label."""
    centres = cv2.convexHull(outline)[:, 0, :]
    # In half pixels, so that the midpoints of edges are integers and the hull is exact.
    doubled = (2 * centres[:, None, :] + _EDGES).reshape(-1, 1, 2)
    hull = cv2.convexHull(doubled)[:, 0, :] / 2.0

    across = hull[:, None, :] - hull
    distance = np.hypot(across[..., 0], across[..., 1])
    longest = across[np.unravel_index(distance.argmax(), distance.shape)]

    # Rotating callipers: one tangent of the minimum diameter lies along an edge of the hull.
    edge = np.roll(hull, -1, axis=0) - hull
    normal = np.column_stack([-edge[:, 1], edge[:, 0]])
    normal /= np.hypot(normal[:, 0], normal[:, 1])[:, None]
    short = normal[np.ptp(hull @ normal.T, axis=0).argmin()]
    frame = np.array([short, [-short[1], short[0]]])
    along = hull @ frame.T
    minimum, orthogonal = np.ptp(along, axis=0)
    x, y = (along.min(axis=0) + along.max(axis=0)) / 2.0 @ frame
    return (
        x,
        y,
        distance.max(),
        _angle(longest),
        minimum,
        _angle(short),
        orthogonal,
        filled_area(outline),
        _lattice_points(centres),
    )


def _angle(direction: Floats) -> float:
    return float(np.degrees(np.arctan2(direction[1], direction[0])) % 180.0)


def _lattice_points(polygon: Outline) -> float:
    """Return the number of integer points in a polygon with integer corners (Pick's theorem)."""
    edge = np.abs(np.roll(polygon, -1, axis=0) - polygon)
    return float(cv2.contourArea(polygon)) + np.gcd(edge[:, 0], edge[:, 1]).sum() / 2.0 + 1.0


def is_square(
    table: FeretTable,
    aspect: float = 0.75,
    squareness: float = 0.85,
    solidity: float = 0.85,
    area: tuple[float, float] = (0.6, 1.5),
) -> Mask:
    """Return which components have the shape of a side view.

    Parameters
    ----------
    table : FeretTable
    aspect : float
        Minimum ratio of minimum to orthogonal Feret diameter; side views of KLH have 0.83.
    squareness : float
        Minimum fraction of the rectangle filled by the hull; 0.785 for a disc.
    solidity : float
        Minimum fraction of the hull filled by the component.
    area : (float, float)
        Limits of the area, relative to the median of the components that pass the other rules.

    Returns
    -------
    (N,) bool
    """
    square = (
        (table.minimum >= aspect * table.orthogonal)
        & (table.squareness >= squareness)
        & (table.solidity >= solidity)
    )
    typical = _median(table.area[square])
    return square & (table.area >= area[0] * typical) & (table.area <= area[1] * typical)


def is_overlapping(
    table: FeretTable, longest: float = 1.25, largest: float = 1.6, iou: float = 0.1
) -> Mask:
    """Return which components hold several particles or overlap with another one.

    Parameters
    ----------
    table : FeretTable
        Mostly squares: the medians are those of all rows.
    longest : float
        Limit of the maximum Feret diameter, relative to the median.
    largest : float
        Limit of the area, relative to the median.
    iou : float
        Limit of the intersection over union of two perfect rectangles.

    Returns
    -------
    (N,) bool
    """
    overlapping = (table.maximum > longest * _median(table.maximum)) | (
        table.area > largest * _median(table.area)
    )
    single = np.flatnonzero(~overlapping)
    if len(single) < 2:
        return overlapping
    boxes = corners(table)[single].astype(np.float32)
    area = (table.minimum * table.orthogonal)[single]
    centres = np.column_stack([table.x, table.y])[single]
    diagonal = float(np.hypot(table.minimum, table.orthogonal)[single].max())
    for one, other in KDTree(centres).query_pairs(diagonal):
        shared, _ = cv2.intersectConvexConvex(boxes[one], boxes[other])
        if shared > iou * (area[one] + area[other] - shared):
            overlapping[single[[one, other]]] = True
    return overlapping


def corners(table: FeretTable) -> Floats:
    """Return the corners (N, 4, 2) of the perfect rectangles, x and y, in order around each."""
    short, long = _axes(table)
    half_short = short * table.minimum[:, None] / 2.0
    half_long = long * table.orthogonal[:, None] / 2.0
    centre = np.column_stack([table.x, table.y])
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return np.stack([centre + a * half_short + b * half_long for a, b in signs], axis=1)


def _axes(table: FeretTable) -> tuple[Floats, Floats]:
    """Return unit vectors (N, 2) along the minimum and the orthogonal Feret diameter."""
    angle = np.radians(table.minimum_angle)
    short = np.column_stack([np.cos(angle), np.sin(angle)])
    return short, short[:, ::-1] * (-1.0, 1.0)


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else np.nan
