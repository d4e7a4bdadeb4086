"""Resampling between the original micrograph and the working scale."""

import cv2
import numpy as np
import numpy.typing as npt
import scipy  # its large subpackages are loaded on first use

from deepcryopicker.preprocessing.operators.borders import fill_margins, inner_slices, lower_median
from deepcryopicker.preprocessing.operators.quantise import whole_numbers
from deepcryopicker.types import NO_MARGINS, Image, Margins

_CUBIC = -0.5  # Keys' parameter
_INTEGER_RANGES = ((0, 255), (0, 65_535), (-32_768, 32_767), (-65_535, 0))


def rescale(
    image: Image, scale: float, integers: bool = False, margins: Margins = NO_MARGINS
) -> Image:
    """Resample by `scale` with an antialiased bicubic kernel and mirrored borders.

    Output pixel i samples input position ``(i + 0.5) / scale - 0.5`` exactly, so that
    :mod:`deepcryopicker.frames` is valid over images of any size. This is MATLAB's ``imresize``
    (METHOD.md 1.2).

    Parameters
    ----------
    image : (H, W) float32 or float64
    scale : float
        Output pixels per input pixel, > 0.
    integers : bool
        Keep whole numbers whole, as MATLAB does for integer images: round and clip after each of
        the two passes. An image with any fractional value is resampled as usual.
    margins : Margins
        Invalid border, resampled as if filled by :func:`fill_margins`, but without a copy.

    Returns
    -------
    (ceil(H * scale), ceil(W * scale)) of the image's type
    """
    if scale == 1.0:
        return fill_margins(image, margins)
    valid = image[inner_slices(image.shape, margins)]
    limits = _integer_range(valid) if integers else None
    value = lower_median(valid) if any(margins) else 0.0
    # Rows first, then columns, which a transposition makes rows.
    for before, after in ((margins.top, margins.bottom), (margins.left, margins.right)):
        resampled = _resample_rows(image, scale, before, after, value)
        image = cv2.transpose(_round(resampled, *limits) if limits else resampled)
    return image


def _resample_rows(image: Image, scale: float, before: int, after: int, value: float) -> Image:
    """Resample along the first axis; the first and the last rows count as a constant."""
    weights = _bicubic_weights(len(image), scale).astype(image.dtype)
    inside = slice(before, len(image) - after)
    resampled: Image = weights[:, inside] @ image[inside]
    outside = weights[:, :before].sum(axis=1) + weights[:, inside.stop :].sum(axis=1)
    touched = np.flatnonzero(outside)
    resampled[touched] += (value * outside[touched, None]).astype(image.dtype)
    return resampled


def scaled_length(length: int, scale: float) -> int:
    """Return the length of a side of `length` pixels after :func:`rescale`."""
    return int(np.ceil(length * scale - 1e-9))


def _integer_range(image: Image) -> tuple[int, int] | None:
    """Return the narrowest range of an integer format that contains the image, or None.

    The last range is that of negated 16-bit images (``dataset.polarity=bright``).
    """
    if not whole_numbers(image):
        return None
    low, high = image.min(), image.max()
    fitting = [limits for limits in _INTEGER_RANGES if limits[0] <= low and high <= limits[1]]
    return fitting[0] if fitting else None


def _round(image: Image, low: int, high: int) -> Image:
    return np.clip(np.floor(image + 0.5), low, high)


def _bicubic_weights(length: int, scale: float) -> "scipy.sparse.csr_array":
    """Return the weights of the inputs (columns) in each output (rows); rows sum to one."""
    size = scaled_length(length, scale)
    shrink = min(scale, 1.0)
    taps = int(np.ceil(4.0 / shrink)) + 2
    centre = (np.arange(size) + 0.5) / scale - 0.5
    index = np.floor(centre - 2.0 / shrink).astype(int)[:, None] + np.arange(taps)
    weight = _keys(shrink * (centre[:, None] - index))
    weight /= weight.sum(axis=1, keepdims=True)
    mirrored = np.mod(index, 2 * length)
    mirrored = np.where(mirrored >= length, 2 * length - 1 - mirrored, mirrored)
    row = np.repeat(np.arange(size), taps)
    entries = weight.ravel(), (row, mirrored.ravel())
    return scipy.sparse.coo_array(entries, shape=(size, length)).tocsr()


def _keys(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x = np.abs(x)
    near = (_CUBIC + 2) * x**3 - (_CUBIC + 3) * x**2 + 1
    far = _CUBIC * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
