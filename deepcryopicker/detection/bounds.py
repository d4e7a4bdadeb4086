"""Positions inside the valid part of an image."""

from collections.abc import Sequence

from deepcryopicker.types import Floats, Margins, Mask


def clear_of_margins(
    x: Floats, y: Floats, shape: tuple[int, ...], margins: Margins, distance: float
) -> Mask:
    """Return which positions are at least `distance` from an invalid border.

    Nearer particles are cut by the border. Sides without an invalid border are not restricted:
    particles at the true edge of an image are kept.

    Parameters
    ----------
    x, y : (N,) float64
        Pixels of the image.
    shape : (H, W)
    margins : Margins
    distance : float
        Pixels.

    Returns
    -------
    (N,) bool
    """
    return _within(x, y, shape, [width + distance if width > 0 else 0.0 for width in margins])


def clear_of_edges(
    x: Floats, y: Floats, shape: tuple[int, ...], margins: Margins, distance: float
) -> Mask:
    """Return which positions are at least `distance` inside the valid part of the image.

    Parameters
    ----------
    x, y : (N,) float64
        Pixels of the image.
    shape : (H, W)
    margins : Margins
    distance : float
        Pixels.
    """
    return _within(x, y, shape, [width + distance for width in margins])


def _within(x: Floats, y: Floats, shape: tuple[int, ...], widths: Sequence[float]) -> Mask:
    """Return which positions lie inside borders of these widths: top, bottom, left, right."""
    top, bottom, left, right = widths
    return (x >= left) & (x <= shape[1] - 1 - right) & (y >= top) & (y <= shape[0] - 1 - bottom)
