"""Protein that is not a particle: denatured strands, aggregates, a background of small pieces."""

import numpy as np
from scipy import ndimage

from deepcryopicker.dataset.simulator.phantoms import project
from deepcryopicker.dataset.simulator.surroundings.canvas import Canvas, Layer, log_uniform
from deepcryopicker.dataset.structures.potential import VOLUME_PER_DALTON
from deepcryopicker.types import Floats, Image

_POINT_MASS = 2000.0  # Dalton; a bead of a strand


def _phase_of(points: Floats, mass: float, blur: float, canvas: Canvas) -> Image:
    """Return the phase shift of points (N, 2), pixels, of a mass in Dalton each."""
    one = canvas.phase_of(mass)
    projected = project(points, np.full(len(points), one), canvas.shape)
    return ndimage.gaussian_filter(projected, blur).astype(np.float32)


def draw_strands(canvas: Canvas, rng: np.random.Generator) -> Layer:
    """Draw denatured protein: tangled strands, in one to eight heaps or all over."""
    height, width = canvas.shape
    heaps = int(rng.integers(1, 9))
    points = []
    for _ in range(heaps):
        count = int(log_uniform(rng, 20, 400))
        start = rng.uniform(0, 1, 2) * [width, height]
        turn = rng.normal(0, rng.uniform(0.2, 0.9), count).cumsum() + rng.uniform(0, 2 * np.pi)
        step = rng.uniform(8, 20) / canvas.pixel
        points.append(start + step * np.column_stack([np.cos(turn), np.sin(turn)]).cumsum(axis=0))
    mass = _POINT_MASS * log_uniform(rng, 0.5, 6)
    blur = max(rng.uniform(6, 20) / canvas.pixel, 0.4)
    phase = _phase_of(np.concatenate(points), mass, blur, canvas)
    return Layer(phase, np.zeros(canvas.shape, np.float32), np.zeros(canvas.shape, bool))


def draw_pieces(canvas: Canvas, mass: float, rng: np.random.Generator) -> Layer:
    """Draw small proteins and detergent all over the ice, up to a twelfth of a particle's mass.

    Parameters
    ----------
    canvas : Canvas
    mass : float
        Of a particle, Dalton.
    rng : numpy.random.Generator
    """
    area = canvas.shape[0] * canvas.shape[1] * canvas.pixel**2
    count = int(min(area * log_uniform(rng, 1e-6, 2e-5), 20000))
    places = rng.uniform(0, 1, (count, 2)) * [canvas.shape[1], canvas.shape[0]]
    piece = min(log_uniform(rng, 5e3, 6e4), mass / 12)
    blur = max(0.3 * np.cbrt(piece * VOLUME_PER_DALTON) / canvas.pixel, 0.4)
    phase = _phase_of(places, piece, blur, canvas)
    return Layer(phase, np.zeros(canvas.shape, np.float32), np.zeros(canvas.shape, bool))


def draw_aggregate(canvas: Canvas, mass: float, rng: np.random.Generator) -> Layer:
    """Draw one to four aggregates of five to sixty particles, too close to be separated.

    Parameters
    ----------
    canvas : Canvas
    mass : float
        Of one particle, Dalton.
    rng : numpy.random.Generator
    """
    points = []
    for _ in range(rng.integers(1, 5)):
        count = int(log_uniform(rng, 5, 60))
        centre = rng.uniform(0, 1, 2) * [canvas.shape[1], canvas.shape[0]]
        walk = rng.normal(scale=0.5 * canvas.diameter, size=(count, 2)).cumsum(axis=0)
        inside = rng.normal(scale=0.25 * canvas.diameter, size=(count, 60, 2))
        points.append((centre + walk[:, None] * rng.uniform(0.3, 0.8) + inside).reshape(-1, 2))
    every = np.concatenate(points)
    blur = canvas.diameter * rng.uniform(0.03, 0.08)
    phase = _phase_of(every, mass / 60, blur, canvas)
    marks = project(every, np.ones(len(every)), canvas.shape)
    occupied = ndimage.gaussian_filter(marks, canvas.diameter / 5) > 10 / canvas.diameter**2
    return Layer(phase, np.zeros(canvas.shape, np.float32), occupied)
