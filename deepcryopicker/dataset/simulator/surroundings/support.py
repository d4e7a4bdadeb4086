"""Support film: carbon over all of a micrograph, or up to a straight or round edge."""

import numpy as np
from scipy import ndimage

from deepcryopicker.dataset.simulator.surroundings.canvas import (
    Canvas,
    Layer,
    log_uniform,
    smooth_noise,
)
from deepcryopicker.dataset.simulator.surroundings.materials import CARBON, layer_of
from deepcryopicker.types import Floats, Mask

THIN = (20.0, 60.0)
"""Thickness of a continuous film that carries particles, Angstrom."""
THICK = (90.0, 300.0)
"""Thickness of a film with holes, Angstrom."""


def draw_edge(canvas: Canvas, rng: np.random.Generator, share: tuple[float, float]) -> Floats:
    """Draw a straight or round edge that crosses the micrograph.

    Parameters
    ----------
    canvas : Canvas
    rng : numpy.random.Generator
    share : (float, float)
        Range of the fraction of the area beyond the edge.

    Returns
    -------
    (H, W) float64
        Distance from the edge, pixels; positive on the film.
    """
    rows, columns = canvas.indices()
    height, width = canvas.shape
    angle = rng.uniform(0, 2 * np.pi)
    along = (columns - width / 2) * np.cos(angle) + (rows - height / 2) * np.sin(angle)
    if rng.uniform() < 0.6:
        radius = log_uniform(rng, 0.6, 4.0) * max(canvas.shape)
        across = (rows - height / 2) * np.cos(angle) - (columns - width / 2) * np.sin(angle)
        along = np.hypot(along + radius, across) - radius
    rough = smooth_noise(canvas.shape, log_uniform(rng, 0.2, 1.0) * canvas.diameter, rng)
    depth: Floats = along + rng.uniform(0, 0.15) * canvas.diameter * rough
    return depth - np.quantile(depth[::4, ::4], 1 - rng.uniform(*share))


def draw_film(
    canvas: Canvas, depth: Floats | None, thickness: float, rng: np.random.Generator
) -> Layer:
    """Draw a carbon film: uneven, with clusters of atoms, folded up or thinned along its edge.

    Parameters
    ----------
    canvas : Canvas
    depth : (H, W) float64 or None
        Distance from the edge, pixels, positive on the film; None: the film is everywhere.
    thickness : float
        Mean, Angstrom.
    rng : numpy.random.Generator

    Returns
    -------
    Layer
        Occupied where the film is.
    """
    uneven = smooth_noise(canvas.shape, log_uniform(rng, 0.5, 5) * canvas.diameter, rng)
    # Clusters of 5 to 40 Angstrom.
    size = max(log_uniform(rng, 5, 40) / canvas.pixel, 0.4)
    clusters = smooth_noise(canvas.shape, size, rng)
    relative = 1 + rng.uniform(0.01, 0.12) * uneven + rng.uniform(0.02, 0.2) * clusters
    covered = np.ones(canvas.shape, bool)
    if depth is not None:
        covered = depth > 0
        width = log_uniform(rng, 1.0, 4.0)
        relative = relative * np.clip(depth / width + 0.5, 0, 1)
        folded = rng.uniform(-0.3, 0.8) * np.exp(-np.abs(depth) / (rng.uniform(1, 5) + width))
        relative = relative * (1 + folded)
    film = layer_of(CARBON, (thickness * relative).astype(np.float32), canvas, rng)
    return Layer(film.phase, film.loss, covered)


def draw_rough_edge(canvas: Canvas, depth: Floats, rng: np.random.Generator) -> Layer:
    """Draw a support without ice: a film, or a bar of metal nearly black, lumpy along its edge.

    Parameters
    ----------
    canvas : Canvas
    depth : (H, W) float64
        Distance from the edge, pixels, positive on the support.
    rng : numpy.random.Generator
    """
    if rng.uniform() < 0.4:
        return draw_film(canvas, depth, log_uniform(rng, *THICK), rng)
    lumps = smooth_noise(canvas.shape, log_uniform(rng, 0.3, 1.5) * canvas.diameter, rng)
    depth = depth + rng.uniform(0, 0.5) * canvas.diameter * np.abs(lumps)
    metal = np.clip(depth / rng.uniform(1.5, 4), 0, 1)
    grains = smooth_noise(canvas.shape, log_uniform(rng, 0.3, 1.5) * canvas.diameter, rng)
    loss = metal * np.clip(rng.uniform(0.8, 2.5) + rng.uniform(0.05, 0.4) * grains, 0, 4)
    # A skin of ice or carbon along the edge, and feathers that stand out from it.
    away = -depth / canvas.diameter
    skin = np.clip(1 - np.abs(away - 0.3) / rng.uniform(0.1, 0.5), 0, 1) * rng.uniform(0, 0.5)
    turned = smooth_noise(canvas.shape, log_uniform(rng, 0.05, 0.3) * canvas.diameter, rng)
    feathers = np.clip(1 - away / rng.uniform(1, 6), 0, 1) * (away > 0) * rng.uniform(0, 0.2)
    phase = skin + feathers * (1 + turned)
    loss = loss + 0.15 * phase
    return Layer(phase.astype(np.float32), loss.astype(np.float32), depth > 0)


def widened(occupied: Mask, distance: float) -> Mask:
    """Return the mask widened by a distance, pixels."""
    if not occupied.any():
        return occupied
    away = ndimage.distance_transform_edt(~occupied)
    near: Mask = away < distance
    return near
