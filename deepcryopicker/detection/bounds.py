"""Which positions lie in the valid part of an image."""

from collections.abc import Sequence

from deepcryopicker.types import Floats, Margins, Mask


def clear_of_margins(
    x: Floats, y: Floats, shape: tuple[int, ...], margins: Margins, rim: float
) -> Mask:
    """Tell which positions are at least `rim` away from an invalid border, (N,) bool.

    What lies nearer is cut by the border. A side without such a border asks for nothing:
    particles at the true edge of an image are seen as far as they reach.

    Parameters
    ----------
    x, y : (N,) float64
        Pixels of the image.
    shape : (H, W)
    margins : Margins
    rim : float
        Pixels.
    """
    return _within(x, y, shape, [width + rim if width > 0 else 0.0 for width in margins])


def clear_of_edges(
    x: Floats, y: Floats, shape: tuple[int, ...], margins: Margins, rim: float
) -> Mask:
    """Tell which positions are at least `rim` inside the valid part of the image, (N,) bool."""
    return _within(x, y, shape, [width + rim for width in margins])


def _within(x: Floats, y: Floats, shape: tuple[int, ...], widths: Sequence[float]) -> Mask:
    """Tell which positions lie inside a frame of these widths: top, bottom, left, right."""
    top, bottom, left, right = widths
    return (x >= left) & (x <= shape[1] - 1 - right) & (y >= top) & (y <= shape[0] - 1 - bottom)
