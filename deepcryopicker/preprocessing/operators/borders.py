"""Invalid borders: constant frames, and streaks from padding with the edge pixel."""

import math

import cv2
import numpy as np

from deepcryopicker.types import NO_MARGINS, Image, Margins

# In a streak the image varies along the border but hardly across it; in valid image content both
# variations are similar.
_STREAK = 0.25
_SHARE = 0.5
_FEWEST_ROWS = 3
_REPEATED = 0.8  # share of invalid rows below which they are repeated ones of an enlarged image
_LARGEST_DEPTH = 0.25
_SAMPLE = 2**16  # pixels; their median is within 0.005 standard deviations of that of all
# Of each line, so many pieces of so many pixels, evenly spaced, represent it.
_PIECES, _PIECE = 4, 128


def find_margins(image: Image) -> Margins:
    """Measure the invalid border on each side.

    A row is invalid if its difference to the next row is small against the differences along it
    (replicated edge pixels), or if both are zero (constant frame). The top border ends at the
    last invalid row up to which at least half of the rows are invalid, because filters leave a
    few valid rows at the edge of a padded image. The other sides are treated alike. At most a
    quarter of the image is invalid on each side. Where invalid rows alternate with valid ones up to
    there, the image was enlarged by repeating its pixels, and there is no border.

    Parameters
    ----------
    image : (H, W) float32

    Returns
    -------
    Margins
        Pixels of `image`.
    """
    if min(image.shape) < 2:
        return NO_MARGINS
    rows, columns = (max(2, int(length * _LARGEST_DEPTH)) for length in image.shape)
    top, bottom = (_changes(strip, axis=0) for strip in (image[:rows], image[-rows:]))
    left, right = (_changes(strip, axis=1) for strip in (image[:, :columns], image[:, -columns:]))
    return Margins(
        top=_invalid_lines(*top),
        bottom=_invalid_lines(*(profile[::-1] for profile in bottom)),
        left=_invalid_lines(*left),
        right=_invalid_lines(*(profile[::-1] for profile in right)),
    )


def _changes(strip: Image, axis: int) -> tuple[Image, Image]:
    """Mean absolute differences of neighbouring pixels across and along the lines of a strip.

    Of long lines, some pieces are measured.

    Parameters
    ----------
    strip : (h, w) float32 or float64
    axis : {0, 1}
        0: the lines are the n = h rows; 1: the n = w columns.

    Returns
    -------
    across : (n - 1,) of the strip's type
        From each line to the next.
    along : (n,) of the strip's type
        Within each line.
    """
    length = strip.shape[1 - axis]
    if length > 2 * _PIECES * _PIECE:
        starts = np.linspace(0, length - _PIECE, _PIECES).astype(int)
        pieces = [slice(start, start + _PIECE) for start in starts]
        measured = [_changes(strip[:, p] if axis == 0 else strip[p], axis) for p in pieces]
        across, along = (np.mean(each, axis=0) for each in zip(*measured, strict=True))
        return across, along
    down = cv2.absdiff(strip[1:], strip[:-1])
    sideways = cv2.absdiff(strip[:, 1:], strip[:, :-1])
    across, along = (down, sideways) if axis == 0 else (sideways, down)
    return across.mean(axis=1 - axis), along.mean(axis=1 - axis)


def _invalid_lines(across: Image, along: Image) -> int:
    """Count the invalid lines before the first valid one; see :func:`find_margins`."""
    invalid = across <= _STREAK * along[: len(across)]
    if invalid.all():  # a featureless image rather than a border
        return 0
    share = np.cumsum(invalid) / np.arange(1, len(invalid) + 1)
    border = np.flatnonzero(invalid & (share >= _SHARE))
    enlarged = len(border) and border[-1] >= len(invalid) - 2 and share[-1] < _REPEATED
    if enlarged:
        return 0
    return int(border[-1]) + 2 if len(border) >= _FEWEST_ROWS else 0


def fill_margins(image: Image, margins: Margins) -> Image:
    """Replace the invalid border by the lower median of the rest, so that statistics are unbiased.

    The lower median is a value of the image, so that whole numbers stay whole.
    """
    if not any(margins):
        return image
    inner = image[inner_slices(image.shape, margins)]
    value = lower_median(inner)
    return cv2.copyMakeBorder(inner, *margins, cv2.BORDER_CONSTANT, value=value)


def lower_median(image: Image) -> float:
    """Return the median of an even sample; the smaller of the middle two for an even number."""
    step = max(1, math.isqrt(image.size // _SAMPLE))
    sample = image[::step, ::step].ravel()
    middle = (sample.size - 1) // 2
    return float(np.partition(sample, middle)[middle])


def inner_slices(shape: tuple[int, ...], margins: Margins) -> tuple[slice, slice]:
    """Return row and column slices of the valid part."""
    return (
        slice(margins.top, shape[0] - margins.bottom),
        slice(margins.left, shape[1] - margins.right),
    )
