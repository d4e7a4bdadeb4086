"""Positions for windows without a particle, or without one at the centre."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from deepcryopicker.types import Floats


def off_centre(
    particles: Floats,
    candidates: Floats,
    shape: tuple[int, int],
    nearest: float,
    farthest: float,
    rng: np.random.Generator,
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Shift the position of each particle so that the window is no longer centred on a particle.

    Parameters
    ----------
    particles : (N, 2) float64
        Positions to shift, (x, y), pixels.
    candidates : (M, 2) float64
        All candidates: none may lie within 0.95 `nearest` of a shifted position.
    shape : (H, W)
    nearest, farthest : float
        Limits of the shift, pixels.
    rng : numpy.random.Generator

    Returns
    -------
    (K, 2) float64, K <= 2 N
        Shifted positions.
    (K,) int64
        Index of the particle from which each was shifted.
    """
    if len(particles) == 0:
        return np.zeros((0, 2)), np.zeros(0, np.int64)
    origin = np.repeat(np.arange(len(particles)), 2)
    angle = rng.uniform(0.0, 2.0 * np.pi, len(origin))
    distance = rng.uniform(nearest, farthest, len(origin))
    direction = np.column_stack([np.cos(angle), np.sin(angle)])
    shifted = particles[origin] + distance[:, None] * direction
    kept = _clear(shifted, candidates, nearest) & _inside(shifted, shape)
    return shifted[kept], origin[kept]


def between(
    particles: Floats, candidates: Floats, nearest: float, farthest: float
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the positions midway between two particles that (nearly) touch.

    Parameters
    ----------
    particles : (N, 2) float64
        (x, y), pixels.
    candidates : (M, 2) float64
        All candidates: none may lie within 0.95 `nearest` of such a position.
    nearest, farthest : float
        Limits of the distance to either particle, pixels.

    Returns
    -------
    (K, 2) float64
        Positions.
    (K,) int64
        Index of one of the two particles.
    """
    if len(particles) == 0:
        return np.zeros((0, 2)), np.zeros(0, np.int64)
    pairs = KDTree(particles).query_pairs(2.0 * farthest, output_type="ndarray")
    places = particles[pairs].mean(axis=1)
    clear = _clear(places, candidates, nearest)
    return places[clear], pairs[clear, 0]


def far_from(
    places: Floats, candidates: Floats, distance: float, count: int, rng: np.random.Generator
) -> Floats:
    """Draw positions with a minimum distance from every candidate.

    Parameters
    ----------
    places : (N, 2) float64
        (x, y), pixels.
    candidates : (M, 2) float64
    distance : float
        Pixels.
    count : int
        Maximum number.
    rng : numpy.random.Generator

    Returns
    -------
    (K, 2) float64
    """
    places = places[rng.permutation(len(places))[: 20 * count]]
    if len(candidates) and len(places):
        places = places[KDTree(candidates).query(places)[0] >= distance]
    return places[:count]


def _clear(places: Floats, candidates: Floats, nearest: float) -> npt.NDArray[np.bool_]:
    """Return which positions have no candidate within 0.95 `nearest`, (N,) bool."""
    clear: npt.NDArray[np.bool_] = KDTree(candidates).query(places)[0] > 0.95 * nearest
    return clear


def _inside(centres: Floats, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    x, y = centres.T
    return (x >= 0) & (y >= 0) & (x <= shape[1] - 1) & (y <= shape[0] - 1)
