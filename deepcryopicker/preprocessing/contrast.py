"""Grey-level operators: normalisation, stretching, histogram equalisation, CLAHE.

All take and return float32 images of shape (H, W). Those that need a bounded range expect
values in [0, 1], which :func:`normalise` provides. Particles stay dark throughout.
"""

import numpy as np
import numpy.typing as npt

from deepcryopicker.types import Image

_STRETCH_BINS = 65_536
_EQUALISE_LEVELS = 64


def normalise(image: Image, low: float = 0.0, high: float = 100.0) -> Image:
    """Map the `low` and `high` percentiles to 0 and 1 and clip.

    With the default percentiles this is the paper's plain min-max normalisation; narrower ones
    are robust against hot pixels. A constant image becomes all zeros.

    Parameters
    ----------
    image : (H, W) float32
    low, high : float
        Percentiles, 0 <= low < high <= 100.

    Examples
    --------
    >>> normalise(np.array([[1.0, 3.0], [2.0, 5.0]], np.float32)).tolist()
    [[0.0, 0.5], [0.25, 1.0]]
    """
    bottom, top = np.percentile(image, [low, high])
    if top <= bottom:
        return np.zeros_like(image)
    return np.clip((image - bottom) / (top - bottom), 0.0, 1.0).astype(np.float32)


def standardise(image: Image) -> Image:
    """Centre on the median and divide by the robust standard deviation (1.4826 MAD).

    A constant image becomes all zeros. The result is clipped to +-8 deviations, so that a single
    hot pixel cannot dominate what follows.
    """
    centred = image - np.median(image)
    deviation = 1.4826 * float(np.median(np.abs(centred)))
    if deviation <= 0.0:
        deviation = float(centred.std()) or 1.0
    return np.clip(centred / deviation, -8.0, 8.0).astype(np.float32)


def stretch(image: Image, low: float = 0.01, high: float = 0.99) -> Image:
    """Stretch linearly between two quantiles of the histogram ("CEC" in the paper).

    Parameters
    ----------
    image : (H, W) float32 in [0, 1]
    low, high : float
        Quantiles. The lower limit is the first of 65,536 bins whose cumulative share exceeds
        `low`, the upper one the first whose share reaches `high` (METHOD.md 1.2).
    """
    bins = np.floor(image * (_STRETCH_BINS - 1) + 0.5).astype(np.int64)
    share = np.cumsum(np.bincount(bins.ravel(), minlength=_STRETCH_BINS)) / image.size
    bottom = int(np.argmax(share > low)) / (_STRETCH_BINS - 1)
    top = int(np.argmax(share >= high)) / (_STRETCH_BINS - 1)
    if top <= bottom:
        return image
    return np.clip((image - bottom) / (top - bottom), 0.0, 1.0).astype(np.float32)


def equalise(image: Image) -> Image:
    """Equalise the histogram globally to 64 levels.

    Each of 256 input levels goes to that output level whose cumulative target is nearest to the
    input's cumulative count, counted to the middle of the bin except in the first and last.
    """
    levels = _to_bytes(image)
    counts = np.bincount(levels.ravel(), minlength=256).astype(np.float64)
    half = counts / 2.0
    half[[0, -1]] = 0.0
    target = np.cumsum(np.full(_EQUALISE_LEVELS, image.size / _EQUALISE_LEVELS))
    error = target[:, None] - np.cumsum(counts)[None, :] + half[None, :]
    error[error < -image.size * np.sqrt(np.finfo(np.float64).eps)] = image.size
    table = np.argmin(error, axis=0) / (_EQUALISE_LEVELS - 1)
    return table[levels].astype(np.float32)


def clahe(image: Image, clip: float = 0.02, tiles: int = 8, alpha: float = 0.4) -> Image:
    """Equalise adaptively with a clip limit towards a Rayleigh distribution.

    Parameters
    ----------
    image : (H, W) float32 in [0, 1]
    clip : float
        Share of a tile's pixels that one bin may hold, 0-1.
    tiles : int
        Number of tiles along each axis.
    alpha : float
        Rayleigh parameter of the target distribution.
    """
    height, width = image.shape
    tile = [_even_tile(length, tiles) for length in image.shape]
    spare = [t * tiles - length for t, length in zip(tile, image.shape, strict=True)]
    before = [s // 2 for s in spare]
    levels = np.pad(
        _to_bytes(image),
        [(b, s - b) for b, s in zip(before, spare, strict=True)],
        mode="symmetric",
    )
    maps = _tile_maps(levels, tile, clip, alpha)
    blended = _blend(levels, maps, tile)
    return blended[before[0] : before[0] + height, before[1] : before[1] + width]


def _to_bytes(image: Image) -> npt.NDArray[np.int64]:
    return np.floor(np.clip(image, 0.0, 1.0) * 255.0 + 0.5).astype(np.int64)


def _even_tile(length: int, tiles: int) -> int:
    size = -(-length // tiles)
    return size + size % 2


def _tile_maps(
    levels: npt.NDArray[np.int64], tile: list[int], clip: float, alpha: float
) -> npt.NDArray[np.float64]:
    """Grey-level mapping of every tile: (tiles_y, tiles_x, 256)."""
    pixels = tile[0] * tile[1]
    rows, columns = levels.shape[0] // tile[0], levels.shape[1] // tile[1]
    blocks = levels.reshape(rows, tile[0], columns, tile[1]).transpose(0, 2, 1, 3)
    lowest = -(-pixels // 256)
    limit = lowest + int(np.floor(clip * (pixels - lowest) + 0.5))
    peak = 1.0 - np.exp(-1.0 / (2.0 * alpha**2))
    maps = np.empty((rows, columns, 256))
    for row in range(rows):
        for column in range(columns):
            counts = np.bincount(blocks[row, column].ravel(), minlength=256)
            share = np.cumsum(_clip_histogram(counts, limit)) / pixels
            # Rayleigh target: inverse of its cumulative distribution at peak * share.
            spread = -2.0 * alpha**2 * np.log1p(-np.minimum(peak * share, 1.0 - 1e-12))
            maps[row, column] = np.minimum(np.sqrt(spread), 1.0)
    return maps


def _clip_histogram(counts: npt.NDArray[np.int64], limit: int) -> npt.NDArray[np.int64]:
    """Cut bins at `limit` and hand the excess to the bins below it (METHOD.md 1.2, iii)."""
    excess = int(np.maximum(counts - limit, 0).sum())
    share = excess // 256
    upper = limit - share
    clipped = counts.copy()
    for bin_ in range(256):
        if clipped[bin_] > limit:
            clipped[bin_] = limit
        elif clipped[bin_] > upper:
            excess -= limit - clipped[bin_]
            clipped[bin_] = limit
        else:
            excess -= share
            clipped[bin_] += share
    start = 0
    while excess > 0:
        step = max(256 // excess, 1)
        for bin_ in range(start, 256, step):
            if clipped[bin_] < limit:
                clipped[bin_] += 1
                excess -= 1
                if excess == 0:
                    break
        start = (start + 1) % 256
        if (clipped >= limit).all():
            break
    return clipped


def _blend(levels: npt.NDArray[np.int64], maps: npt.NDArray[np.float64], tile: list[int]) -> Image:
    """Blend the maps of the four tiles nearest to each pixel bilinearly."""
    before, weight = zip(
        *(_neighbours(*axis) for axis in zip(levels.shape, tile, maps.shape[:2], strict=True)),
        strict=True,
    )
    (top, left), (down, right) = before, weight
    bottom = np.minimum(top + 1, maps.shape[0] - 1)
    rightmost = np.minimum(left + 1, maps.shape[1] - 1)
    top, left = np.maximum(top, 0), np.maximum(left, 0)
    upper = (1.0 - right) * maps[top[:, None], left, levels] + right * maps[
        top[:, None], rightmost, levels
    ]
    lower = (1.0 - right) * maps[bottom[:, None], left, levels] + right * maps[
        bottom[:, None], rightmost, levels
    ]
    return ((1.0 - down[:, None]) * upper + down[:, None] * lower).astype(np.float32)


def _neighbours(
    length: int, size: int, count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Index of the tile before each pixel and the weight of the one after it."""
    shifted = np.arange(length) - size // 2
    before = np.floor_divide(shifted, size)
    weight = (shifted - before * size) / size
    return np.minimum(before, count - 1), weight
