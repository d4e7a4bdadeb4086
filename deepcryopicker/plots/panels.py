"""One picture per micrograph of every step from the file to its training particles (figs 10-17).

A picture is a grid of titled tiles, drawn in tenths of a second, without matplotlib.
"""

from collections.abc import Mapping
from math import ceil, sqrt
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from deepcryopicker.frames import to_working
from deepcryopicker.labeler.masks.feret import corners, measure
from deepcryopicker.labeler.masks.roundness import as_labels, outlines
from deepcryopicker.plots.overlays import (
    BLUE,
    CLASS_COLOURS,
    SHIFT,
    VERMILLION,
    draw_circles,
    to_fixed_point,
    typical_diameter,
)
from deepcryopicker.plots.tiles import (
    WHITE,
    Rgb,
    Tile,
    fitted,
    grid,
    micrograph_tile,
    resize,
    to_rgb,
    write_picture,
)
from deepcryopicker.types import SHAPES, Candidates, Floats, Image, Mask, Micrograph, Picks

_GREY_MASK = 120  # background of outlines, on which the colour of every class is visible
# Radius around a candidate, in diameters, that contains its component of the mask. The corners of a
# box are farther from its centre than the edge of a disc (METHOD.md 6).
_SEARCH_RADIUS = {"side": 0.8, "irregular": 0.6}


def draw_panel(
    micrograph: Micrograph,
    preprocessed: Micrograph,
    clusters: npt.NDArray[np.uint8],
    mask: Mask,
    candidates: Candidates,
    tile: int = 512,
) -> Rgb:
    """Show in six tiles how the labeler found its candidates.

    Parameters
    ----------
    micrograph : Micrograph
        As read.
    preprocessed : Micrograph
        Input of the labeler, (h, w) working pixels.
    clusters : (h, w) uint8
        Intensity clusters, 0 the darkest.
    mask : (h, w) bool
        Cleaned particle mask.
    candidates : Candidates
        Outlined on the mask in the colours of their classes, and on the micrograph in blue if
        good, in vermillion if bad. The titles count them in the same colours.
    tile : int
        Longer side of a tile, pixels.

    Returns
    -------
    (H, W, 3) uint8
        RGB; two rows of three tiles, each with a title above it.
    """
    picks, good = candidates.picks, candidates.good
    typical = typical_diameter(picks, Picks.empty(), micrograph)
    original, scale = micrograph_tile(micrograph, tile, typical)
    size = original.shape[1], original.shape[0]
    verdicts = original.copy()
    draw_circles(verdicts, picks[~good], VERMILLION, scale, typical, dashed=False)
    draw_circles(verdicts, picks[good], BLUE, scale, typical, dashed=False)

    shapes = draw_shapes(mask, picks, size, preprocessed.scale, scale)

    classes = [
        (f"{np.count_nonzero(picks.label == name)} {name}", CLASS_COLOURS[name]) for name in SHAPES
    ]
    outcome = [
        (f"{np.count_nonzero(good)} good", BLUE),
        (f"{np.count_nonzero(~good)} bad", VERMILLION),
    ]
    tiles: list[Tile] = [
        ([("original", WHITE)], original),
        ([("preprocessed", WHITE)], to_rgb(_stretch(resize(preprocessed.image, size)))),
        (
            [(f"{clusters.max() + 1} levels, darkest particle-like", WHITE)],
            resize(_indexed(clusters), size),
        ),
        ([("particle mask", WHITE)], to_rgb(resize(mask.astype(np.uint8) * 255, size))),
        (classes, shapes),
        (outcome, verdicts),
    ]
    return grid(tiles, columns=3)


def save_panel(
    path: Path,
    micrograph: Micrograph,
    preprocessed: Micrograph,
    clusters: npt.NDArray[np.uint8],
    mask: Mask,
    candidates: Candidates,
    tile: int = 512,
) -> None:
    """Write :func:`draw_panel` as a PNG, atomically.

    Parameters
    ----------
    path : Path
        PNG to write.
    micrograph, preprocessed, clusters, mask, candidates, tile
        As in :func:`draw_panel`.
    """
    write_picture(path, draw_panel(micrograph, preprocessed, clusters, mask, candidates, tile))


def draw_stages(stages: Mapping[str, Image], tile: int = 384) -> Rgb:
    """Show the steps of the preprocessing side by side (fig. 10).

    Parameters
    ----------
    stages : mapping
        From the name of each step to its image, (h, w) float32, in order; at least one. Each
        image is stretched between its 1st and 99th percentile.
    tile : int
        Longer side of a tile, pixels.

    Returns
    -------
    (H, W, 3) uint8
        RGB.
    """
    tiles: list[Tile] = [
        ([(name, WHITE)], to_rgb(_stretch(resize(image, fitted(image.shape, tile)))))
        for name, image in stages.items()
    ]
    return grid(tiles, columns=ceil(sqrt(len(tiles))))


def save_stages(path: Path, stages: Mapping[str, Image], tile: int = 384) -> None:
    """Write :func:`draw_stages` as a PNG, atomically.

    Parameters
    ----------
    path : Path
        PNG to write.
    stages, tile
        As in :func:`draw_stages`.
    """
    write_picture(path, draw_stages(stages, tile))


def draw_shapes(
    mask: Mask,
    picks: Picks,
    size: tuple[int, int],
    working_scale: float,
    zoom: tuple[float, float],
) -> Rgb:
    """Draw the shape of each candidate onto the mask, in the colour of its class.

    Parameters
    ----------
    mask : (h, w) bool
    picks : Picks
        Original pixels; top views get circles, side views boxes, others outlines.
    size : (int, int)
        Width and height of the picture.
    working_scale : float
        Pixels of `mask` per original pixel.
    zoom : (float, float)
        Pixels of the picture per original pixel, along x and y.

    Returns
    -------
    (H, W, 3) uint8
        RGB.
    """
    shapes = to_rgb(resize(mask.astype(np.uint8) * _GREY_MASK, size))
    top = picks[picks.label == "top"]
    typical = float(np.median(top.diameter)) if len(top) else 0.0
    draw_circles(shapes, top, CLASS_COLOURS["top"], zoom, typical, dashed=False)
    for name in _SEARCH_RADIUS:
        _outline(shapes, mask, picks[picks.label == name], working_scale, name)
    return shapes


def _outline(canvas: Rgb, mask: Mask, picks: Picks, scale: float, name: str) -> None:
    """Outline side views by their fitted rectangles, irregular views by the edge of their mask."""
    height, width = canvas.shape[:2]
    zoom = np.array([width / mask.shape[1], height / mask.shape[0]])
    for i in range(len(picks)):
        x, y = float(to_working(picks.x[i], scale)), float(to_working(picks.y[i], scale))
        diameter = picks.diameter[i] * scale
        polygon = _own_outline(mask, x, y, _SEARCH_RADIUS[name] * diameter, name == "side")
        points = np.array(to_fixed_point(*((polygon + 0.5) * zoom - 0.5).T), np.int32)
        # Same thickness as the circles.
        thick = max(1, round(min(diameter * zoom[0], 80.0) / 20.0))
        cv2.polylines(canvas, [points], True, CLASS_COLOURS[name], thick, cv2.LINE_AA, SHIFT)


def _own_outline(mask: Mask, x: float, y: float, radius: float, rectangle: bool) -> Floats:
    """Outline the largest component of the mask within `radius` of a position, (M, 2) x, y."""
    left, top = max(0, round(x - radius)), max(0, round(y - radius))
    local = mask[top : round(y + radius) + 1, left : round(x + radius) + 1]
    row, column = np.ogrid[: local.shape[0], : local.shape[1]]
    labels = as_labels(local & (np.hypot(column + left - x, row + top - y) <= radius))
    own = labels == 1 + np.bincount(labels.ravel(), minlength=2)[1:].argmax()
    if not own.any():
        return np.empty((0, 2))
    around = corners(measure(own))[0] if rectangle else next(outlines(as_labels(own)))[1]
    return np.add(around, (left, top), dtype=np.float64)


def _indexed(clusters: npt.NDArray[np.uint8]) -> Rgb:
    """Colour clusters in order from dark blue to yellow, distinguishable for the colour-blind."""
    levels = np.linspace(0, 255, int(clusters.max()) + 1).round().astype(np.uint8)
    colours = cv2.applyColorMap(levels[:, None], cv2.COLORMAP_CIVIDIS)[:, 0, ::-1]
    return np.asarray(colours[clusters], np.uint8)


def _stretch(image: Image) -> npt.NDArray[np.uint8]:
    """Stretch the range between the 1st and 99th percentile to (h, w) uint8."""
    low, high = np.percentile(image, [1.0, 99.0])
    stretched = (image - low) / max(float(high - low), np.finfo(np.float32).tiny)
    return (np.clip(stretched, 0.0, 1.0) * 255.0).astype(np.uint8)
