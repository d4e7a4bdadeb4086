"""Small pictures of micrographs for the page."""

import base64
import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage

from deepcryopicker.plots.tiles import Rgb, micrograph_tile
from deepcryopicker.types import Micrograph

LARGEST, SMALLEST = 1280, 256  # longer side, pixels
BYTES_PER_PIXEL = 0.2
"""Of the square around a smoothed micrograph, in WebP and its base64."""
_QUALITY = 72


@dataclass(frozen=True)
class Picture:
    """A micrograph for the page.

    Attributes
    ----------
    width, height : int
        Size of the micrograph, original pixels.
    data : str
        WebP as base64.
    """

    width: int
    height: int
    data: str


def longest_side(count: int, megabytes: float, per_pixel: float = BYTES_PER_PIXEL) -> int:
    """Return the longer side at which all pictures fit, pixels; 0 if none are drawn.

    Parameters
    ----------
    count : int
        Number of pictures.
    megabytes : float
    per_pixel : float
        Bytes of a picture per pixel of the square of its longer side.
    """
    if megabytes <= 0:
        return 0
    side = math.sqrt(megabytes * 1e6 / per_pixel / max(count, 1))
    return int(np.clip(side, SMALLEST, LARGEST))


def most_pictures(megabytes: float, per_pixel: float = BYTES_PER_PIXEL) -> int:
    """Return the number of pictures of the smallest size that fit; see :func:`longest_side`."""
    return int(megabytes * 1e6 / (per_pixel * SMALLEST**2))


def draw_picture(micrograph: Micrograph, diameter: float, longest: int) -> Picture:
    """Bin a micrograph and stretch its contrast.

    Parameters
    ----------
    micrograph : Micrograph
        As read.
    diameter : float
        Particle diameter, original pixels; larger particles allow more smoothing.
    longest : int
        Maximum length of the longer side, pixels; smaller micrographs are not enlarged.
    """
    height, width = micrograph.image.shape
    tile, _ = micrograph_tile(micrograph, min(longest, max(height, width)), diameter)
    return Picture(width, height, encode(tile[:, :, 0]))


def encode(image: Rgb) -> str:
    """Encode an image, grey (H, W) or RGB (H, W, 3), as WebP in base64."""
    return base64.b64encode(webp(image, _QUALITY, 4)).decode("ascii")


def webp(image: Rgb, quality: int, method: int) -> bytes:
    """Encode an image as WebP.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8
        Grey or RGB.
    quality : int
        0 to 100.
    method : int
        0 (fast) to 6 (small).
    """
    stream = io.BytesIO()
    PillowImage.fromarray(image).save(stream, format="WEBP", quality=quality, method=method)
    return stream.getvalue()
