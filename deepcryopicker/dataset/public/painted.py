"""Particles published as discs painted over a micrograph, or as a mask of discs."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.feature import peak_local_max

from deepcryopicker.dataset.public.schema import PaintedConfig
from deepcryopicker.frames import picks_to_original
from deepcryopicker.io.images.pictures import read_colours, read_picture
from deepcryopicker.types import Floats, Image, Mask, Picks

_WHITE = 127  # brighter pixels belong to a disc, even in compressed pictures
_YELLOW = 80  # red minus blue; micrographs are grey, so their own pixels have 0
_SMALLEST = 3.0  # radius in pixels; smaller spots are accidental brush marks
_APART = 0.6  # minimum distance of centres, in radii: hand-drawn discs overlap, but not more
_ARC = 0.03  # fraction of the outline of a disc that must be visible
_DISTINCT = 0.2  # minimum distance of the centres of discs of known radius, in radii
_BLUR = 2.0  # pixels; the roughness of outlines


def read_painted(path: Path, config: PaintedConfig, width: int) -> Picks:
    """Read the particles of one micrograph from a picture of it.

    Parameters
    ----------
    path : Path
        PNG or JPEG; smaller than the micrograph if that was binned before painting.
    config : PaintedConfig
        Colour, radius and class of the discs.
    width : int
        Width of the micrograph, pixels.

    Returns
    -------
    Picks
        Original pixels.

    Raises
    ------
    MicrographError
        The file is not a readable picture.
    """
    is_yellow = config.paint == "yellow"
    mask = yellow(read_colours(path)) if is_yellow else read_picture(path) > _WHITE
    discs = split_discs(mask) if config.radius is None else find_discs(mask, config.radius)
    x, y, diameter = discs.T
    picks = Picks.create(x, y, label=config.label, diameter=diameter)
    return picks_to_original(picks, mask.shape[1] / width)


def yellow(picture: npt.NDArray[np.uint8]) -> Mask:
    """Return the pixels painted yellow, (H, W) bool, on a grey RGB picture, (H, W, 3)."""
    return picture[..., 0].astype(np.int16) - picture[..., 2] > _YELLOW


def split_discs(mask: Mask) -> Floats:
    """Find discs of similar size, which may touch or overlap, in a mask.

    Centres are the peaks of the distance to the nearest pixel outside the mask. Pixels beyond the
    edge of the picture count as inside, so that discs cut by it keep their centres. Three discs
    that overlap around a common gap may give a spurious fourth there.

    Returns
    -------
    (N, 3) float64
        x, y and diameter in pixels of the mask, from the top down.
    """
    if not mask.any() or mask.all():
        return np.empty((0, 3))
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    deepest = ndimage.maximum(depth, labels, np.arange(1, count + 1))
    deepest = deepest[deepest >= _SMALLEST]
    if not len(deepest):
        return np.empty((0, 3))
    typical = float(np.median(deepest))
    peaks = peak_local_max(
        ndimage.gaussian_filter(depth, 0.05 * typical),
        min_distance=max(1, round(_APART * typical)),
        threshold_abs=0.6 * typical,
        exclude_border=False,
    )
    found = [(*_centre(depth, y, x), 2.0 * depth[y, x]) for y, x in peaks]
    return _from_the_top(found)


def _centre(depth: Image, y: int, x: int) -> tuple[float, float]:
    """Return the centre (x, y) of the pixels around a peak with nearly its depth."""
    radius = 3
    top, left = max(0, y - radius), max(0, x - radius)
    near = depth[top : y + radius + 1, left : x + radius + 1]
    rows, columns = np.nonzero(near >= near.max() - 1.0)
    return left + float(columns.mean()), top + float(rows.mean())


def find_discs(mask: Mask, radius: float) -> Floats:
    """Find discs of known radius in a mask; any number of them may overlap.

    Every pixel on the outline of the mask votes for the position one radius inwards: a disc is
    found if part of its outline is visible.

    Parameters
    ----------
    mask : (H, W) bool
    radius : float
        Pixels.

    Returns
    -------
    (N, 3) float64
        x, y and diameter in pixels of the mask, from the top down.
    """
    votes = _votes_for_centres(mask, radius)
    density = cv2.GaussianBlur(votes, (0, 0), _BLUR, borderType=cv2.BORDER_CONSTANT)
    # Height of the peak if the votes of a whole outline fell onto one pixel.
    whole = 2.0 * np.pi * radius / (2.0 * np.pi * _BLUR**2)
    peaks = peak_local_max(
        density,
        min_distance=max(1, round(_DISTINCT * radius)),
        threshold_abs=_ARC * whole,
        exclude_border=False,
    )
    return _from_the_top([(x, y, 2.0 * radius) for y, x in peaks])


def _votes_for_centres(mask: Mask, radius: float) -> Image:
    """Count for each pixel the outline pixels from which it lies one radius inwards."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _BLUR)
    y, x = np.nonzero(mask & ~ndimage.binary_erosion(mask, border_value=1))
    inwards_x = cv2.Sobel(soft, cv2.CV_32F, 1, 0)[y, x]
    inwards_y = cv2.Sobel(soft, cv2.CV_32F, 0, 1)[y, x]
    step = radius / np.maximum(np.hypot(inwards_x, inwards_y), 1e-9)
    column = np.rint(x + step * inwards_x).astype(np.int64)
    row = np.rint(y + step * inwards_y).astype(np.int64)
    height, width = mask.shape
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    votes = np.bincount(row[inside] * width + column[inside], minlength=height * width)
    return votes.reshape(height, width).astype(np.float32)


def _from_the_top(found: list[tuple[float, float, float]]) -> Floats:
    """Sort discs (x, y, diameter) by y, then x."""
    return np.array(sorted(found, key=lambda disc: disc[1::-1]), np.float64).reshape(-1, 3)
