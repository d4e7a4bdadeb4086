"""Windows cut from micrographs, and where to cut those that hold no particle."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from deepcryopicker.types import Floats, Image


def off_centre(
    particles: Floats,
    candidates: Floats,
    shape: tuple[int, int],
    nearest: float,
    farthest: float,
    rng: np.random.Generator,
) -> Floats:
    """Shift each particle's position far enough that the window is no longer centred on one.

    Parameters
    ----------
    particles : (N, 2) float64
        Positions to shift, (x, y), working pixels.
    candidates : (M, 2) float64
        Every candidate: none may lie within 0.95 `nearest` of a shifted position.
    shape : (H, W)
    nearest, farthest : float
        Limits of the shift, working pixels.

    Returns
    -------
    (K, 2) float64, K <= 2 N
    """
    if len(particles) == 0:
        return np.zeros((0, 2))
    origin = np.repeat(particles, 2, axis=0)
    angle = rng.uniform(0.0, 2.0 * np.pi, len(origin))
    distance = rng.uniform(nearest, farthest, len(origin))
    shifted = origin + distance[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    clear = KDTree(candidates).query(shifted)[0] > 0.95 * nearest
    return shifted[clear & _inside(shifted, shape)]


def empty(
    candidates: Floats,
    covered: Image,
    distance: float,
    largest_coverage: float,
    count: int,
    rng: np.random.Generator,
) -> Floats:
    """Draw positions far from every candidate, where the mask is empty too.

    Parameters
    ----------
    candidates : (M, 2) float64
    covered : (H, W) float32
        Share of particle-like pixels around each pixel.
    distance : float
        Least distance to a candidate, working pixels.
    largest_coverage : float
    count : int
        How many at the most.

    Returns
    -------
    (K, 2) float64
    """
    row, column = np.nonzero(covered <= largest_coverage)
    chosen = rng.permutation(len(row))[: 20 * count]
    places = np.column_stack([column, row])[chosen].astype(np.float64)
    if len(candidates) and len(places):
        places = places[KDTree(candidates).query(places)[0] >= distance]
    return places[:count]


def rotations(windows: Image) -> Image:
    """Return the windows and their copies rotated by 90, 180 and 270 degrees: (4 N, S, S)."""
    return np.concatenate([np.rot90(windows, turns, axes=(1, 2)) for turns in range(4)])


def _inside(centres: Floats, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    x, y = centres.T
    return (x >= 0) & (y >= 0) & (x <= shape[1] - 1) & (y <= shape[0] - 1)
