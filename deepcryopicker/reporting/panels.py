"""One picture per micrograph with every step from the file to its training particles (figs 10-17).

A picture is a grid of titled tiles, drawn without matplotlib: it takes tenths of a second.
"""

from collections.abc import Mapping
from math import ceil, sqrt
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from deepcryopicker.frames import to_working
from deepcryopicker.io.atomic import replacing
from deepcryopicker.labeler.feret import corners, measure
from deepcryopicker.labeler.roundness import as_labels, outlines
from deepcryopicker.reporting.overlays import (
    BLUE,
    CLASS_COLOURS,
    SHADOW,
    SHIFT,
    VERMILLION,
    Colour,
    Rgb,
    draw_circles,
    to_fixed_point,
    to_visible,
    typical_diameter,
)
from deepcryopicker.types import SHAPES, Candidates, Floats, Image, Mask, Micrograph, Picks

Pixel = TypeVar("Pixel", np.uint8, np.float32)
Tile = tuple[list[tuple[str, Colour]], Rgb]
"""A title, as words with their colours, and the image below it."""

_WHITE: Colour = (255, 255, 255)

_TITLE = 24  # pixels
_GAP = 4
_GREY_MASK = 120  # as a ground for outlines: every class's colour stands out from it
# Diameters around a candidate's centre within which its own part of the mask lies. The corners of
# a box are farther from its centre than the edge of a disc (METHOD.md 6).
_REACH = {"side": 0.8, "irregular": 0.6}


def draw_panel(
    micrograph: Micrograph,
    preprocessed: Micrograph,
    clusters: npt.NDArray[np.uint8],
    mask: Mask,
    candidates: Candidates,
    tile: int = 512,
) -> Rgb:
    """Show in six tiles how the labeler came to its candidates.

    Parameters
    ----------
    micrograph : Micrograph
        As read.
    preprocessed : Micrograph
        What the labeler saw, (h, w) working pixels.
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
        RGB; two rows of three tiles, each below its title.
    """
    picks, good = candidates.picks, candidates.good
    size = _fit(micrograph.image.shape, tile)
    # As in an overlay: pixels of the picture per original pixel, slightly unequal by rounding.
    scale = size[0] / micrograph.image.shape[1], size[1] / micrograph.image.shape[0]
    typical = typical_diameter(picks, Picks.empty(), micrograph)

    small = _resize(micrograph.image, size)
    original = _rgb(to_visible(small, micrograph, scale[0], typical * scale[0]))
    verdicts = original.copy()
    draw_circles(verdicts, picks[~good], VERMILLION, scale, typical, dashed=False)
    draw_circles(verdicts, picks[good], BLUE, scale, typical, dashed=False)

    shapes = _rgb(_resize(mask.astype(np.uint8) * _GREY_MASK, size))
    draw_circles(shapes, picks[picks.label == "top"], CLASS_COLOURS["top"], scale, typical, False)
    for name in _REACH:
        _outline(shapes, mask, picks[picks.label == name], preprocessed.scale, name)

    classes = [
        (f"{np.count_nonzero(picks.label == name)} {name}", CLASS_COLOURS[name]) for name in SHAPES
    ]
    outcome = [
        (f"{np.count_nonzero(good)} good", BLUE),
        (f"{np.count_nonzero(~good)} bad", VERMILLION),
    ]
    tiles: list[Tile] = [
        ([("original", _WHITE)], original),
        ([("preprocessed", _WHITE)], _rgb(_stretch(_resize(preprocessed.image, size)))),
        (
            [(f"{clusters.max() + 1} levels, darkest particle-like", _WHITE)],
            _resize(_indexed(clusters), size),
        ),
        ([("particle mask", _WHITE)], _rgb(_resize(mask.astype(np.uint8) * 255, size))),
        (classes, shapes),
        (outcome, verdicts),
    ]
    return _grid(tiles, columns=3)


def save_panel(
    path: Path,
    micrograph: Micrograph,
    preprocessed: Micrograph,
    clusters: npt.NDArray[np.uint8],
    mask: Mask,
    candidates: Candidates,
    tile: int = 512,
) -> None:
    """Write :func:`draw_panel` as a PNG, atomically."""
    _write(path, draw_panel(micrograph, preprocessed, clusters, mask, candidates, tile))


def draw_stages(stages: Mapping[str, Image], tile: int = 384) -> Rgb:
    """Show the steps of the preprocessing side by side (fig. 10).

    Parameters
    ----------
    stages : mapping
        From the name of each step to its image, (h, w) float32, in order; at least one. Each is
        stretched between its own 1 % and 99 % levels.
    tile : int
        Longer side of a tile, pixels.

    Returns
    -------
    (H, W, 3) uint8
        RGB.
    """
    tiles: list[Tile] = [
        ([(name, _WHITE)], _rgb(_stretch(_resize(image, _fit(image.shape, tile)))))
        for name, image in stages.items()
    ]
    return _grid(tiles, columns=ceil(sqrt(len(tiles))))


def save_stages(path: Path, stages: Mapping[str, Image], tile: int = 384) -> None:
    """Write :func:`draw_stages` as a PNG, atomically."""
    _write(path, draw_stages(stages, tile))


def _outline(canvas: Rgb, mask: Mask, picks: Picks, scale: float, name: str) -> None:
    """Outline side views by their perfect rectangles, irregular ones by their own mask's edge."""
    height, width = canvas.shape[:2]
    zoom = np.array([width / mask.shape[1], height / mask.shape[0]])
    for i in range(len(picks)):
        x, y = float(to_working(picks.x[i], scale)), float(to_working(picks.y[i], scale))
        diameter = picks.diameter[i] * scale
        polygon = _own_outline(mask, x, y, _REACH[name] * diameter, name == "side")
        points = np.array(to_fixed_point(*((polygon + 0.5) * zoom - 0.5).T), np.int32)
        # As thick as the circles.
        thick = max(1, round(min(diameter * zoom[0], 80.0) / 20.0))
        cv2.polylines(canvas, [points], True, CLASS_COLOURS[name], thick, cv2.LINE_AA, SHIFT)


def _own_outline(mask: Mask, x: float, y: float, reach: float, rectangle: bool) -> Floats:
    """Corners (M, 2) around the largest piece of the mask within `reach` of a place."""
    left, top = max(0, round(x - reach)), max(0, round(y - reach))
    local = mask[top : round(y + reach) + 1, left : round(x + reach) + 1]
    row, column = np.ogrid[: local.shape[0], : local.shape[1]]
    labels = as_labels(local & (np.hypot(column + left - x, row + top - y) <= reach))
    own = labels == 1 + np.bincount(labels.ravel(), minlength=2)[1:].argmax()
    if not own.any():
        return np.empty((0, 2))
    around = corners(measure(own))[0] if rectangle else next(outlines(as_labels(own)))[1]
    return np.add(around, (left, top), dtype=np.float64)


def _indexed(clusters: npt.NDArray[np.uint8]) -> Rgb:
    """Colour clusters from dark blue to yellow: in order, and fit for the colour-blind."""
    levels = np.linspace(0, 255, int(clusters.max()) + 1).round().astype(np.uint8)
    colours = cv2.applyColorMap(levels[:, None], cv2.COLORMAP_CIVIDIS)[:, 0, ::-1]
    return np.asarray(colours[clusters], np.uint8)


def _fit(shape: tuple[int, ...], tile: int) -> tuple[int, int]:
    """Width and height of an image whose longer side is to have `tile` pixels."""
    factor = tile / max(shape)
    return max(1, round(shape[1] * factor)), max(1, round(shape[0] * factor))


def _resize(image: npt.NDArray[Pixel], size: tuple[int, int]) -> npt.NDArray[Pixel]:
    """Bin or, where it is to become larger, repeat pixels."""
    shrinks = size[0] < image.shape[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST)


def _stretch(image: Image) -> npt.NDArray[np.uint8]:
    """Stretch the range between the 1 % and 99 % levels to (h, w) uint8."""
    low, high = np.percentile(image, [1.0, 99.0])
    stretched = (image - low) / max(float(high - low), np.finfo(np.float32).tiny)
    return (np.clip(stretched, 0.0, 1.0) * 255.0).astype(np.uint8)


def _rgb(grey: npt.NDArray[np.uint8]) -> Rgb:
    return np.repeat(grey[:, :, None], 3, axis=2)


def _grid(tiles: list[Tile], columns: int) -> Rgb:
    """Set tiles (h, w, 3) in rows, each below its title."""
    height, width = np.max([image.shape[:2] for _, image in tiles], axis=0)
    step_x, step_y = int(width) + _GAP, int(height) + _TITLE + _GAP
    rows = ceil(len(tiles) / columns)
    sheet = np.full((rows * step_y, columns * step_x - _GAP, 3), SHADOW, np.uint8)
    places = [(i % columns * step_x, i // columns * step_y) for i in range(len(tiles))]
    for (left, top), (_, image) in zip(places, tiles, strict=True):
        below = sheet[top + _TITLE :, left:]
        below[: image.shape[0], : image.shape[1]] = image
    picture = PillowImage.fromarray(sheet)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=14)
    for (left, top), (title, _) in zip(places, tiles, strict=True):
        x = float(left + _GAP)
        for words, colour in title:
            pen.text((x, top + _GAP), words, fill=colour, font=font)
            x += font.getlength(words) + 3 * _GAP
    return np.asarray(picture, np.uint8)


def _write(path: Path, picture: Rgb) -> None:
    with replacing(path) as temporary:
        PillowImage.fromarray(picture).save(temporary, format="PNG")
