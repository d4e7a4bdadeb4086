"""Contrast-limited adaptive histogram equalisation towards a Rayleigh distribution.

No library offers this target distribution (METHOD.md 1.2).
"""

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from deepcryopicker.preprocessing.operators.quantise import to_8_bits
from deepcryopicker.types import Image

Bytes = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.int64]


def clahe(image: Image, clip: float = 0.02, tiles: int = 8, alpha: float = 0.4) -> Image:
    """Equalise adaptively with a clip limit towards a Rayleigh distribution.

    Parameters
    ----------
    image : (H, W) float in [0, 1]
    clip : float
        Fraction of the pixels of a tile that one bin may hold, 0-1.
    tiles : int
        Number of tiles along each axis.
    alpha : float
        Rayleigh parameter of the target distribution.

    Returns
    -------
    (H, W) float
        In [0, 1], of the type of `image`.
    """
    height, width = image.shape
    tile = (_even_tile(height, tiles), _even_tile(width, tiles))
    top, left = (tile[0] * tiles - height) // 2, (tile[1] * tiles - width) // 2
    bottom, right = tile[0] * tiles - height - top, tile[1] * tiles - width - left
    levels = np.pad(to_8_bits(image), ((top, bottom), (left, right)), mode="symmetric")
    pixels = tile[0] * tile[1]
    counts = _clip_histograms(_tile_histograms(levels, tile), _limit(clip, pixels))
    maps = _rayleigh(np.cumsum(counts, axis=-1) / pixels, alpha).astype(image.dtype)
    return _blend(levels, maps, tile)[top : top + height, left : left + width]


def _even_tile(length: int, tiles: int) -> int:
    size = -(-length // tiles)
    return size + size % 2


def _limit(clip: float, pixels: int) -> int:
    """Return the number of pixels that a bin may hold, at least 1/256 of those of a tile."""
    fewest = -(-pixels // 256)
    return fewest + int(clip * (pixels - fewest) + 0.5)


def _tile_histograms(levels: Bytes, tile: tuple[int, int]) -> Counts:
    """Count the levels of every tile: (tiles_y, tiles_x, 256)."""
    rows, columns = levels.shape[0] // tile[0], levels.shape[1] // tile[1]
    number = np.arange(rows * columns).reshape(rows, columns)
    bins = 256 * number.repeat(tile[0], axis=0).repeat(tile[1], axis=1) + levels
    return np.bincount(bins.ravel(), minlength=256 * number.size).reshape(rows, columns, 256)


def _clip_histograms(counts: Counts, limit: int) -> Counts:
    """Clip bins at `limit` and redistribute the excess (METHOD.md 1.2, iii).

    Every bin gets the same share of the excess, as far as the limit allows. The remainder is
    added one by one to equally spaced bins, in sweeps that start one bin further each time.

    Parameters
    ----------
    counts : (..., 256) int64
    limit : int
        At least 1/256 of the pixels of a tile, so that the bins hold all of them.
    """
    share = np.maximum(counts - limit, 0).sum(axis=-1, keepdims=True) // 256
    clipped = np.minimum(counts + share, limit)
    excess = (counts - clipped).sum(axis=-1, keepdims=True)
    bins = np.arange(256)
    start = 0
    while excess.any():
        step = np.maximum(256 // np.maximum(excess, 1), 1)
        takers = (bins >= start) & ((bins - start) % step == 0) & (clipped < limit)
        takers &= np.cumsum(takers, axis=-1) <= excess
        clipped = clipped + takers
        excess = excess - takers.sum(axis=-1, keepdims=True)
        start = (start + 1) % 256
    return clipped


def _rayleigh(share: npt.NDArray[np.float64], alpha: float) -> npt.NDArray[np.float64]:
    """Return the quantiles at `share` of the Rayleigh distribution truncated at 1."""
    peak = 1.0 - np.exp(-1.0 / (2.0 * alpha**2))
    spread = -2.0 * alpha**2 * np.log1p(-np.minimum(peak * share, 1.0 - 1e-12))
    return np.minimum(np.sqrt(spread), 1.0)


def _blend(levels: Bytes, maps: Image, tile: tuple[int, int]) -> Image:
    """Interpolate bilinearly between the maps of the four tiles nearest to each pixel.

    Computed in blocks of tile size between four tile centres, within which the same four look-up
    tables apply.
    """
    blended = np.empty(levels.shape, maps.dtype)
    weight = [(np.arange(size) / size).astype(maps.dtype) for size in tile]
    for rows, down, above, below in _blocks(weight[0], maps.shape[0]):
        for columns, right, before, after in _blocks(weight[1], maps.shape[1]):
            block = levels[rows, columns]
            upper = _between(block, maps[above, before], maps[above, after], right)
            lower = _between(block, maps[below, before], maps[below, after], right)
            blended[rows, columns] = upper + down[:, None] * (lower - upper)
    return blended


def _between(block: Bytes, table: Image, other: Image, weight: Image) -> Image:
    """Look up the levels in two tables and interpolate; `weight` is that of the `other`."""
    value = cv2.LUT(block, table)
    return value + weight * (cv2.LUT(block, other) - value)


def _blocks(weight: Image, count: int) -> list[tuple[slice, Image, int, int]]:
    """Cut an axis of `count` tiles at the centres of the tiles.

    Parameters
    ----------
    weight : (size,) float
        Weight of the next tile at each pixel between two tile centres.
    count : int

    Returns
    -------
    list of (pixels, weight, tile before, tile after)
        Half a block at either end of the axis, where both tiles are the same.
    """
    size = len(weight)
    cuts = [0, *range(size // 2, count * size, size), count * size]
    blocks = []
    for tile, (start, stop) in enumerate(pairwise(cuts)):
        first = size // 2 if tile == 0 else 0
        part = weight[first : first + stop - start]
        blocks.append((slice(start, stop), part, max(tile - 1, 0), min(tile, count - 1)))
    return blocks
