"""Micrographs as pictures, and grids of titled tiles, in tenths of a second, without matplotlib."""

from math import ceil
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.images.own_pictures import save_own_picture
from deepcryopicker.types import Micrograph

Rgb = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]
Pixel = TypeVar("Pixel", np.uint8, np.float32)
Tile = tuple[list[tuple[str, Colour]], Rgb]
"""A title, as words with their colours, and the image below it."""

WHITE: Colour = (255, 255, 255)
SHADOW: Colour = (24, 24, 24)

_TITLE = 24  # pixels
_GAP = 4


def fitted(shape: tuple[int, ...], tile: int) -> tuple[int, int]:
    """Return the width and height of an image scaled to a longer side of `tile` pixels."""
    factor = tile / max(shape)
    return max(1, round(shape[1] * factor)), max(1, round(shape[0] * factor))


def resize(image: npt.NDArray[Pixel], size: tuple[int, int]) -> npt.NDArray[Pixel]:
    """Bin an image, or repeat its pixels if `size` (width, height) is larger."""
    shrinks = size[0] < image.shape[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST)


def to_rgb(grey: npt.NDArray[np.uint8]) -> Rgb:
    """Convert grey (h, w) to RGB (h, w, 3)."""
    return np.repeat(grey[:, :, None], 3, axis=2)


def micrograph_tile(
    micrograph: Micrograph, longest: int, diameter: float
) -> tuple[Rgb, tuple[float, float]]:
    """Draw a micrograph as a tile (h, w, 3) of RGB; otherwise as :func:`grey_tile`."""
    grey, zoom = grey_tile(micrograph, longest, diameter)
    return to_rgb(grey), zoom


def grey_tile(
    micrograph: Micrograph, longest: int, diameter: float
) -> tuple[npt.NDArray[np.uint8], tuple[float, float]]:
    """Draw a micrograph as a tile.

    Parameters
    ----------
    micrograph : Micrograph
    longest : int
        Longer side of the tile, pixels.
    diameter : float
        Particle diameter, original pixels; larger particles allow more smoothing.

    Returns
    -------
    (h, w) uint8
    (float, float)
        Pixels of the tile per pixel of the micrograph's image along x and y, slightly unequal by
        rounding.
    """
    height, width = micrograph.image.shape
    size = fitted(micrograph.image.shape, longest)
    zoom = size[0] / width, size[1] / height
    small = resize(micrograph.image, size).astype(np.float32, copy=False)
    scale = micrograph.scale * zoom[0]
    return to_visible(small, micrograph, scale, diameter * scale), zoom


def to_visible(
    image: npt.NDArray[np.float32], micrograph: Micrograph, scale: float, diameter: float
) -> Rgb:
    """Smooth slightly and stretch the contrast; invalid borders do not affect it.

    Parameters
    ----------
    image : (H, W) float32
        Resampled image of `micrograph`.
    micrograph : Micrograph
        Source of `image`; its margins are the invalid borders.
    scale : float
        Pixels of `image` per original pixel.
    diameter : float
        Particle diameter, pixels of `image`.

    Returns
    -------
    (H, W) uint8
    """
    margins = np.ceil(np.array(micrograph.margins) * scale / micrograph.scale).astype(int)
    top, bottom, left, right = (int(margin) for margin in margins)
    height, width = image.shape
    top, left = min(top, height - 1), min(left, width - 1)
    inner = np.s_[top : max(height - bottom, top + 1), left : max(width - right, left + 1)]
    # Clipped first, so that the smoothing does not spread the values of the border.
    clipped = np.clip(image, image[inner].min(), image[inner].max())
    smooth = cv2.GaussianBlur(clipped, (0, 0), float(np.clip(diameter / 12.0, 0.6, 2.5)))
    low, high = np.percentile(smooth[inner], [0.5, 99.5])
    stretched = (smooth - low) / max(float(high - low), np.finfo(np.float32).tiny)
    return (np.clip(stretched, 0.0, 1.0) * 255.0).astype(np.uint8)


def grid(tiles: list[Tile], columns: int) -> Rgb:
    """Arrange tiles (h, w, 3) in rows, each with its title above it."""
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


def write_picture(path: Path, picture: Rgb) -> None:
    """Write an RGB picture as a PNG, atomically."""
    with replacing(path) as temporary:
        save_own_picture(PillowImage.fromarray(picture), temporary)
