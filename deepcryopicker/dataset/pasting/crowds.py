"""Where simulated particles lie: as crowded as in given micrographs, or in their gaps."""

import numpy as np
from scipy.spatial import KDTree

from deepcryopicker.types import Floats, Image

_JITTER = 0.06  # diameters, standard deviation


def like(
    places: Floats, score: Floats, shape: tuple[int, int], diameter: float, rng: np.random.Generator
) -> Floats:
    """Return the likeliest places of a micrograph, mirrored or turned by 180 degrees, and jittered.

    Their number is that of the particles expected, times 1 to 1.6, because networks give particles
    in crowds low scores. Distances of neighbours and empty areas are those of the micrograph.

    Parameters
    ----------
    places : (N, 2) float64
        x, y of candidates, pixels.
    score : (N,) float64
        Probability that each is a particle.
    shape : (H, W)
    diameter : float
        Pixels.
    rng : Generator

    Returns
    -------
    (M, 2) float64
        x, y; whole pixels within the image.
    """
    count = round(float(score.sum()) * rng.uniform(1.0, 1.6))
    chosen = places[np.argsort(-score, kind="stable")[:count]].copy()
    for axis, length in ((0, shape[1]), (1, shape[0])):
        if rng.random() < 0.5:
            chosen[:, axis] = length - 1 - chosen[:, axis]
    chosen = np.rint(chosen + rng.normal(0.0, _JITTER * diameter, chosen.shape))
    inside = (chosen >= 0).all(axis=1) & (chosen < np.array(shape[::-1])).all(axis=1)
    return chosen[inside]


def gaps(
    taken: Floats, shape: tuple[int, int], border: float, distance: float, rng: np.random.Generator
) -> Floats:
    """Draw places at a distance from every candidate and from each other.

    Parameters
    ----------
    taken : (N, 2) float64
        x, y of candidates, pixels.
    shape : (H, W)
    border : float
        Least distance from the edges, pixels.
    distance : float
        Pixels.
    rng : Generator

    Returns
    -------
    (M, 2) float64
        x, y; whole pixels.
    """
    step = max(distance / 4.0, 1.0)
    rows, columns = (np.arange(border, length - border, step) for length in shape)
    grid = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    grid = np.rint(grid + rng.uniform(-step / 2, step / 2, grid.shape))
    if len(taken) and len(grid):
        grid = grid[KDTree(taken).query(grid)[0] >= distance]
    grid = grid[rng.permutation(len(grid))]
    kept: list[int] = []
    if len(grid):
        near = KDTree(grid).query_ball_point(grid, distance * (1 - 1e-9))
        free = np.ones(len(grid), bool)
        for index in range(len(grid)):
            if free[index]:
                kept.append(index)
                free[near[index]] = False
    return grid[kept]


def paste(image: Image, views: Image, places: Floats, contrast: Floats) -> Image:
    """Add a projection at each place; what lies beyond the edges is lost.

    Parameters
    ----------
    image : (H, W) float32
    views : (N, D, D) float32
        Their middle pixel comes to the place.
    places : (N, 2) float64
        x, y, whole pixels.
    contrast : (N,) float64
        Factor of each projection.

    Returns
    -------
    (H, W) float32
    """
    side = views.shape[1]
    half = side // 2
    wide = np.pad(image, side)
    for (x, y), view, factor in zip(places.astype(int).tolist(), views, contrast, strict=True):
        top, left = y + side - half, x + side - half
        wide[top : top + side, left : left + side] += np.float32(factor) * view
    return wide[side:-side, side:-side].copy()
