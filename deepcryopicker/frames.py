"""The one conversion between pixel frames: ``x' = (x + 0.5) * scale - 0.5``."""

from dataclasses import dataclass, replace

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


@dataclass(frozen=True)
class Reading:
    """How the numbers of a coordinate file become positions in the original micrograph.

    They are scaled first, then swapped, then counted from the other side.

    Attributes
    ----------
    scale : float
        Original pixels per unit of the file: 2 for positions in a micrograph binned twice.
    swapped : bool
        Whether the first number is the row rather than the column.
    from_bottom : bool
        Whether y counts upwards from the last row of the micrograph.
    from_right : bool
        Whether x counts to the left from its last column.
    """

    scale: float = 1.0
    swapped: bool = False
    from_bottom: bool = False
    from_right: bool = False

    def apply(self, picks: Picks, shape: tuple[int, int]) -> Picks:
        """Return the picks of a file in the frame of the original micrograph.

        Parameters
        ----------
        picks : Picks
            As in the file.
        shape : (int, int)
            H and W of the micrograph, original pixels.

        Examples
        --------
        >>> Reading(from_bottom=True).apply(Picks.create(3, 4), (30, 40)).positions.tolist()
        [[3.0, 25.0]]
        """
        if self.scale != 1.0:
            picks = picks_to_original(picks, 1.0 / self.scale)
        if self.swapped:
            picks = replace(picks, x=picks.y, y=picks.x)
        if self.from_bottom:
            picks = picks.flipped(shape[0])
        return replace(picks, x=shape[1] - 1 - picks.x) if self.from_right else picks


AS_THEY_ARE = Reading()
