"""Global grey-level operators; the adaptive one is in ``clahe.py``.

All take an image of shape (H, W) and keep its type: float32, or float64 in a chain of double
precision. Operators that need a bounded range expect values in [0, 1], see :func:`normalise`.
"""

import numpy as np

from deepcryopicker.preprocessing.operators.quantise import to_8_bits
from deepcryopicker.types import Image

_STRETCH_BINS = 65_536
_EQUALISE_LEVELS = 64
_MANY = 2**19
"""Pixels from which quantiles are of every second row and column."""


def normalise(image: Image, low: float = 0.0, high: float = 100.0) -> Image:
    """Map the `low` percentile to 0 and the `high` percentile to 1, and clip.

    With the default percentiles this is the min-max normalisation of the paper; narrower ones,
    which are of a sample of large images, are robust to hot pixels; `low` above `high` inverts the
    contrast. A constant image becomes zero.

    Parameters
    ----------
    image : (H, W) float
    low, high : float
        Percentiles, 0-100.

    Examples
    --------
    >>> normalise(np.array([[1.0, 3.0], [2.0, 5.0]], np.float32)).tolist()
    [[0.0, 0.5], [0.25, 1.0]]
    """
    extremes = {low, high} == {0.0, 100.0}
    zero, one = np.percentile(image if extremes else _sampled(image), [low, high])
    return _map_linearly(image, zero, one) if zero != one else np.zeros_like(image)


def normalise_by_maximum(image: Image) -> Image:
    """Divide by the largest value, with bright particles.

    The authors' demos with this step use micrographs with bright particles, which are negated
    when read (``dataset.polarity=bright``); the sign is restored here. Any other image has dark
    particles and is subtracted from its largest value. An image of zeros is unchanged.

    Parameters
    ----------
    image : (H, W) float
        Particles dark.

    Returns
    -------
    (H, W) float
        In [0, 1], particles bright.

    Examples
    --------
    >>> normalise_by_maximum(-np.array([[1.0, 4.0]], np.float32)).tolist()
    [[0.25, 1.0]]
    >>> normalise_by_maximum(np.array([[1.0, 5.0]], np.float32)).tolist()
    [[1.0, 0.0]]
    """
    bright = max(image.max(), 0) - image
    largest = bright.max()
    return bright / largest if largest > 0 else bright


def complement(image: Image) -> Image:
    """Swap dark and bright: 1 minus an image in [0, 1]."""
    return 1 - image


def window(image: Image, low: float, high: float) -> Image:
    """Map the grey values `low` and `high` to 0 and 1, and clip.

    Parameters
    ----------
    image : (H, W) float
    low, high : float
        Grey values; `low` above `high` inverts the contrast.
    """
    return _map_linearly(image, low, high)


def standardise(image: Image) -> Image:
    """Subtract the median and divide by the robust standard deviation (1.4826 MAD).

    Of large images they are those of a sample. A constant image becomes zero. The result is
    clipped to +-8 deviations, so that single hot pixels do not dominate later steps.
    """
    centred = image - np.median(_sampled(image))
    deviation = 1.4826 * float(np.median(np.abs(_sampled(centred))))
    if deviation <= 0.0:
        deviation = float(centred.std()) or 1.0
    return np.clip(centred / deviation, -8.0, 8.0).astype(image.dtype)


def stretch(image: Image, low: float = 0.01, high: float = 0.99) -> Image:
    """Stretch linearly between two quantiles of the histogram ("CEC" in the paper).

    Parameters
    ----------
    image : (H, W) float in [0, 1]
    low, high : float
        Quantiles. The lower limit is the first of 65,536 bins whose cumulative share exceeds
        `low`, the upper one the first whose share reaches `high` (METHOD.md 1.2).
    """
    bins = (np.clip(image, 0.0, 1.0) * (_STRETCH_BINS - 1) + 0.5).astype(np.int64)
    share = np.cumsum(np.bincount(bins.ravel(), minlength=_STRETCH_BINS)) / image.size
    bottom = int(np.argmax(share > low)) / (_STRETCH_BINS - 1)
    top = int(np.argmax(share >= high)) / (_STRETCH_BINS - 1)
    return _map_linearly(image, bottom, top) if bottom < top else image


def equalise(image: Image) -> Image:
    """Equalise the histogram globally to 64 levels.

    Each of 256 input levels is mapped to the output level whose cumulative target is nearest to
    the cumulative count of the input, up to the middle of the bin except for the first and last.
    """
    levels = to_8_bits(image)
    counts = np.bincount(levels.ravel(), minlength=256).astype(np.float64)
    half = counts / 2.0
    half[[0, -1]] = 0.0
    target = np.cumsum(np.full(_EQUALISE_LEVELS, image.size / _EQUALISE_LEVELS))
    error = target[:, None] - np.cumsum(counts)[None, :] + half[None, :]
    error[error < -image.size * np.sqrt(np.finfo(np.float64).eps)] = image.size
    table = np.argmin(error, axis=0) / (_EQUALISE_LEVELS - 1)
    return table.astype(image.dtype)[levels]


def _sampled(image: Image) -> Image:
    """Return a quarter of the pixels of a large image: its quantiles are those of the whole.

    The median of 2**17 pixels has a standard error of 0.003 standard deviations.
    """
    return image if image.size < _MANY else image[::2, ::2]


def _map_linearly(image: Image, zero: float, one: float) -> Image:
    """Map `zero` to 0 and `one` to 1 and clip; `one` may be below `zero`."""
    return np.clip((image - zero) / (one - zero), 0.0, 1.0).astype(image.dtype, copy=False)
