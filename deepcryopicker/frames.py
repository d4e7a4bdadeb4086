"""The one conversion between pixel frames: ``x' = (x + 0.5) * scale - 0.5``."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from deepcryopicker.types import Picks


def to_working(position: npt.ArrayLike, scale: float) -> npt.NDArray[np.float64]:
    """Convert original pixels to working pixels.

    Parameters
    ----------
    position : array_like
        x or y, original pixels, 0 at the centre of the first pixel.
    scale : float
        Working pixels per original pixel.

    Examples
    --------
    >>> float(to_working(0.5, 0.5))  # the boundary between the first two pixels
    0.0
    """
    return (np.asarray(position, np.float64) + 0.5) * scale - 0.5


def to_original(position: npt.ArrayLike, scale: float) -> npt.NDArray[np.float64]:
    """Convert working pixels to original pixels; the inverse of :func:`to_working`."""
    return (np.asarray(position, np.float64) + 0.5) / scale - 0.5


def picks_to_original(picks: Picks, scale: float) -> Picks:
    """Convert positions and diameters of picks from working to original pixels."""
    return replace(
        picks,
        x=to_original(picks.x, scale),
        y=to_original(picks.y, scale),
        diameter=picks.diameter / scale,
    )
