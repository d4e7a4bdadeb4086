"""Rounding of grey values to 8 and 16 bits, halves upwards."""

import numpy as np
import numpy.typing as npt

from deepcryopicker.types import Image

_LARGEST = 65_535


def to_8_bits(image: Image) -> npt.NDArray[np.uint8]:
    """Round an image in [0, 1] to the levels 0 to 255; other values are clipped.

    Examples
    --------
    >>> to_8_bits(np.array([[-1.0, 0.0], [0.5, 1.0]])).tolist()
    [[0, 0], [128, 255]]
    """
    return (np.clip(image, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def to_16_bits(image: Image) -> npt.NDArray[np.uint16]:
    """Convert any image to 16 bits for a picture file.

    Parameters
    ----------
    image : (H, W) float32 or float64
        Values in [0, 1] are mapped to 0 to 65,535, so that rounding the result to 8 bits equals
        rounding the image. Whole numbers from 0 to 65,535 are unchanged. Other images are
        stretched from their range; a constant becomes zero.

    Returns
    -------
    (H, W) uint16

    Examples
    --------
    >>> to_16_bits(np.array([0.0, 0.5, 1.0])).tolist()
    [0, 32768, 65535]
    >>> to_16_bits(np.array([0.0, 7.0, 300.0])).tolist()
    [0, 7, 300]
    >>> to_16_bits(np.array([-2.0, 0.0, 2.0])).tolist()
    [0, 32768, 65535]
    """
    exact = image.astype(np.float64)  # float32 loses precision near 65,535
    low, high = float(exact.min()), float(exact.max())
    if low >= 0.0 and high <= 1.0:
        levels = exact * _LARGEST
    elif low >= 0.0 and high <= _LARGEST and whole_numbers(image):
        levels = exact
    else:
        levels = (exact - low) / (high - low or 1.0) * _LARGEST
    return (levels + 0.5).astype(np.uint16)


def whole_numbers(image: Image) -> bool:
    """Return whether every value is a whole number, as read from an integer format."""
    return bool((image == np.rint(image)).all())
