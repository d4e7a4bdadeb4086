"""Counts of picks that are far from those of the other micrographs, few, or too close together."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from deepcryopicker.types import Mask, Picks

FAR = 3.5
"""Robust standard deviations from the median from which a count is far from the others."""
LOW_SHARE = 0.1
"""Share of the median below which a count is far from the others, however these scatter."""
FEW = 0.01
"""Share of the area under particle discs below which picks are few; usual are 0.05 to 0.5."""
TOUCHING = 0.75
"""Distance of a pick from its nearest neighbour below which the particles overlap, diameters."""
CROWDED = 0.5
"""Share of picks that touch from which picks are crowded; usual are up to 0.42."""
SPREAD_OF_MAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


def far_from_others(counts: Sequence[int]) -> Mask:
    """Find the counts that are far from the median of all.

    The spread is the median absolute deviation as a standard deviation, but at least that of a
    Poisson distribution. The page of ``report`` computes the same in ``viewer.js``.

    Parameters
    ----------
    counts : sequence of N int
        Picks of each micrograph.

    Returns
    -------
    (N,) bool
    """
    count: npt.NDArray[np.float64] = np.asarray(counts, np.float64)
    if not len(count):
        return np.zeros(0, bool)
    middle = float(np.median(count))
    poisson = max(np.sqrt(middle), 1.0)
    spread = max(SPREAD_OF_MAD * float(np.median(np.abs(count - middle))), poisson)
    low = (count < LOW_SHARE * middle) & (middle - count > FAR * poisson)
    return np.asarray((np.abs(count - middle) > FAR * spread) | low, bool)


def disc_share(count: int, diameter: float, shape: tuple[int, int]) -> float:
    """Return the area of the discs of particles over that of the micrograph.

    Parameters
    ----------
    count : int
        Number of picks.
    diameter : float
        Pixels.
    shape : (int, int)
        H and W, pixels.
    """
    return count * np.pi / 4.0 * diameter**2 / (shape[0] * shape[1])


def count_touching(picks: Picks, diameter: float) -> int:
    """Return how many picks are closer to another than `TOUCHING` diameters.

    Parameters
    ----------
    picks : Picks
        Of one micrograph.
    diameter : float
        Original pixels.
    """
    if len(picks) < 2:
        return 0
    nearest = cKDTree(picks.positions).query(picks.positions, k=2)[0][:, 1]
    return int(np.count_nonzero(nearest < TOUCHING * diameter))
