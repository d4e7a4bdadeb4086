"""Whether the bytes of MRC mode 0 are signed: decided from the pixels, as many headers are wrong.

The two readings of a byte from 128 on differ by 256, and a micrograph is smooth and has few pixels
at the ends of its range. In the wrong reading neighbours jump by nearly 256, and the histogram is
cut in its middle. Where no byte is 128 or more, both readings are the same.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

_MOST_PIXELS = 2**22  # looked at, in whole rows spread over the image
_FEWEST_PAIRS = 64
_DECISIVE, _UNSURE = 0.3, 0.1
_ENDS = np.array([0, 127, 128, 255], np.uint8)  # of the ranges of both readings
_SEAM = 12  # grey values on each side of the seam of a reading
_HIGHER = 2.0


@dataclass(frozen=True)
class Stated:
    """What the header of an MRC file of mode 0 says about its pixels.

    Attributes
    ----------
    unsigned : bool
        By its mode, and by IMOD's stamp and flag if it has them.
    low, high : float
        Minimum and maximum; often zero, or of another image.
    """

    unsigned: bool
    low: float
    high: float


def is_unsigned(pixels: Bytes, stated: Stated) -> bool:
    """Return whether bytes are unsigned grey values.

    Neighbouring pixels decide if there are enough of which one byte is below 128 and the other is
    not; if they hardly do, the range in the header, if it is that of one reading; then the
    histogram; then what the header states.

    Parameters
    ----------
    pixels : (H, W) uint8
        The bytes of an image, unsigned.
    stated : Stated
    """
    step = -(-pixels.size // _MOST_PIXELS)
    rows = pixels[::step]
    pairs, smoother = _smoothness(rows)
    if pairs >= _FEWEST_PAIRS and abs(smoother) >= _DECISIVE:
        return smoother > 0
    if not stated.unsigned:  # which is what a header says that says nothing
        of_unsigned = _has_range(pixels, stated)
        if of_unsigned != _has_range(pixels.view(np.int8), stated):
            return of_unsigned
    if pairs >= _FEWEST_PAIRS and abs(smoother) >= _UNSURE:
        return smoother > 0
    middle, ends = _density_at_seams(rows)
    if max(middle, ends) >= _FEWEST_PAIRS and not 1 / _HIGHER < middle / max(ends, 1) < _HIGHER:
        return middle > ends
    return stated.unsigned


def _smoothness(rows: Bytes) -> tuple[int, float]:
    """Compare neighbours in rows of which one byte is below 128 and the other is not.

    Returns
    -------
    pairs : int
    smoother : float
        From -1 to 1, positive if unsigned bytes have the smaller differences.
    """
    crossing = ((rows[:, :-1] ^ rows[:, 1:]) & 128) != 0
    left, right = rows[:, :-1][crossing], rows[:, 1:][crossing]
    # Saturated pixels are neighbours of both ends of the range.
    inside = ~(np.isin(left, _ENDS) | np.isin(right, _ENDS))
    if np.count_nonzero(inside) >= _FEWEST_PAIRS:
        left, right = left[inside], right[inside]
    gain = 128 - np.abs(left.astype(np.int16) - right)  # half of what signed differences have more
    total = int(np.abs(gain).sum(dtype=np.int64))
    return len(gain), float(gain.sum(dtype=np.int64)) / total if total else 0.0


def _has_range(reading: npt.NDArray, stated: Stated) -> bool:
    return bool(reading.min() == stated.low and reading.max() == stated.high)


def _density_at_seams(rows: Bytes) -> tuple[int, int]:
    """Return the pixels beside the seams 127|128 and 255|0, without the saturated values."""
    counts = np.bincount(rows.ravel(), minlength=256)
    below, above = counts[127 - _SEAM : 127], counts[129 : 129 + _SEAM]
    first, last = counts[1 : 1 + _SEAM], counts[255 - _SEAM : 255]
    return int(below.sum() + above.sum()), int(first.sum() + last.sum())
