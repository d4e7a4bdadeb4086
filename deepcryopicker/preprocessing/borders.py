"""Invalid borders: constant frames and streaks left by padding with the edge pixel."""

import numpy as np

from deepcryopicker.types import Image, Margins

# In a streak the image hardly changes across the border but keeps changing along it; in real
# image content both changes are alike.
_STREAK = 0.25
_SHARE = 0.5
_FEWEST_ROWS = 3
_LARGEST_DEPTH = 0.25


def find_margins(image: Image) -> Margins:
    """Measure the invalid border on each side.

    A row is invalid if its difference to the next row is small against the differences along it
    (replicated edge pixels), or both are zero (constant frame). The top border reaches to the
    last invalid row up to which at least half of the rows are invalid: filters leave a few live
    rows at the very edge of a padded image. Likewise for the other sides. At most a quarter of
    the image is given up on each side.

    Parameters
    ----------
    image : (H, W) float32

    Returns
    -------
    Margins
        Pixels of `image`.
    """
    return Margins(
        top=_invalid_rows(image),
        bottom=_invalid_rows(image[::-1]),
        left=_invalid_rows(image.T),
        right=_invalid_rows(image.T[::-1]),
    )


def _invalid_rows(image: Image) -> int:
    depth = max(2, int(image.shape[0] * _LARGEST_DEPTH))
    if depth > image.shape[0]:
        return 0
    strip = image[:depth]
    across = np.abs(np.diff(strip, axis=0)).mean(axis=1)
    along = np.abs(np.diff(strip, axis=1)).mean(axis=1)[:-1]
    invalid = across <= _STREAK * along
    if invalid.all():  # a featureless image rather than a border
        return 0
    share = np.cumsum(invalid) / np.arange(1, len(invalid) + 1)
    border = np.flatnonzero(invalid & (share >= _SHARE))
    return int(border[-1]) + 2 if len(border) >= _FEWEST_ROWS else 0


def fill_margins(image: Image, margins: Margins) -> Image:
    """Replace the invalid border by the median of the rest, so that it biases no statistic.

    The lower median is one of the values: whole numbers stay whole.
    """
    if not any(margins):
        return image
    inner = inner_slices(image.shape, margins)
    filled = np.full_like(image, np.percentile(image[inner], 50, method="lower"))
    filled[inner] = image[inner]
    return filled


def inner_slices(shape: tuple[int, ...], margins: Margins) -> tuple[slice, slice]:
    """Row and column slices of the valid part."""
    return (
        slice(margins.top, shape[0] - margins.bottom),
        slice(margins.left, shape[1] - margins.right),
    )
