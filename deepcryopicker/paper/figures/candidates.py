"""Single candidates of a labeler: the particle, its mask and its shape."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from deepcryopicker.frames import to_working
from deepcryopicker.plots.panels import draw_shapes
from deepcryopicker.plots.tiles import SHADOW, Rgb, micrograph_tile, resize, to_rgb
from deepcryopicker.types import Mask, Micrograph, Picks

SIDE = 96  # of a crop, pixels
_DIAMETERS = 1.6  # width of a crop
_GAP = 3

Crops = tuple[Rgb, Rgb, Rgb]
"""Particle, mask, and shape on the mask, (S, S, 3) each."""


def cut_examples(micrograph: Micrograph, mask: Mask, picks: Picks) -> list[Crops]:
    """Crop particle, mask and shape of every candidate.

    Parameters
    ----------
    micrograph : Micrograph
        As read.
    mask : (h, w) bool
        Particle mask of the micrograph, at any scale.
    picks : Picks
        Original pixels, with diameters.
    """
    if not len(picks):
        return []
    height, width = micrograph.image.shape
    typical = float(np.median(picks.diameter))
    longest = round(max(height, width) * SIDE / (_DIAMETERS * typical))
    particles, zoom = micrograph_tile(micrograph, longest, typical)
    size = particles.shape[1], particles.shape[0]
    masks = to_rgb(resize(mask.astype(np.uint8) * 255, size))
    shapes = draw_shapes(mask, picks, size, mask.shape[1] / width, zoom)
    x, y = to_working(picks.x, zoom[0]), to_working(picks.y, zoom[1])
    whole = [_padded(canvas) for canvas in (particles, masks, shapes)]
    return [
        (_crop(whole[0], *at), _crop(whole[1], *at), _crop(whole[2], *at))
        for at in zip(x.tolist(), y.tolist(), strict=True)
    ]


def sheet(examples: Sequence[Crops], rows: int, columns: int) -> Rgb:
    """Arrange examples in a grid, the three crops of each side by side.

    Parameters
    ----------
    examples : sequence of Crops
    rows, columns : int
        Examples below and beside each other; empty places stay dark.

    Returns
    -------
    (H, W, 3) uint8
        RGB.
    """
    step_x, step_y = 3 * SIDE + 3 * _GAP, SIDE + _GAP
    canvas = np.full((rows * step_y - _GAP, columns * step_x - _GAP, 3), SHADOW, np.uint8)
    for slot, crops in enumerate(examples[: rows * columns]):
        top, left = slot // columns * step_y, slot % columns * step_x
        canvas[top : top + SIDE, left : left + 3 * SIDE] = np.hstack(crops)
    return canvas


def _padded(canvas: Rgb) -> npt.NDArray[np.uint8]:
    return np.pad(canvas, ((SIDE, SIDE), (SIDE, SIDE), (0, 0)))


def _crop(padded: Rgb, x: float, y: float) -> Rgb:
    """Crop a square around a position; pixels outside of the micrograph are black."""
    limit_y, limit_x = padded.shape[0] - SIDE, padded.shape[1] - SIDE
    left = int(np.clip(round(x + SIDE / 2), 0, limit_x))
    top = int(np.clip(round(y + SIDE / 2), 0, limit_y))
    return padded[top : top + SIDE, left : left + SIDE]
