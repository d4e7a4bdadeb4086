"""Negative stain: heavy salt, dried on carbon, that leaves out or surrounds the particles."""

import numpy as np
from scipy import ndimage

from deepcryopicker.dataset.simulator.surroundings.canvas import (
    Canvas,
    Layer,
    log_uniform,
    smooth_noise,
)
from deepcryopicker.dataset.simulator.surroundings.materials import STAIN, layer_of
from deepcryopicker.dataset.structures.potential import (
    EXCESS_PER_DALTON,
    VOLUME_PER_DALTON,
    interaction,
)
from deepcryopicker.types import Image


def protein_thickness(phase: Image, kilovolts: float) -> Image:
    """Return the thickness of protein, Angstrom, that has a phase shift in ice, radian."""
    return phase * np.float32(VOLUME_PER_DALTON / EXCESS_PER_DALTON / interaction(kilovolts))


def draw_stain(canvas: Canvas, protein: Image, rng: np.random.Generator) -> Layer:
    """Draw the stain round and above protein; it occupies nothing.

    Stain fills the space beside a particle up to a level, and creeps up its sides. Where the
    level is high, a particle is bright in a dark surrounding; where it is low, only the ring of
    stain round and inside the particle shows, and the particle is dark. The stain is uneven, with
    puddles, and cracked into grains.

    Parameters
    ----------
    canvas : Canvas
    protein : (H, W) float32
        Thickness of the particles, Angstrom.
    rng : numpy.random.Generator
    """
    diameter = canvas.diameter
    deep = rng.uniform() < 0.5
    height = canvas.diameter * canvas.pixel
    level = rng.uniform(0.35, 1.0) * height if deep else rng.uniform(0.05, 0.3) * height
    uneven = smooth_noise(canvas.shape, log_uniform(rng, 0.8, 6) * diameter, rng)
    puddles = np.maximum(smooth_noise(canvas.shape, 2 * diameter, rng) - 1, 0)
    base = level * np.exp(rng.uniform(0.02, 0.2) * uneven) * (1 + rng.uniform(0, 0.5) * puddles)
    broad = ndimage.gaussian_filter(protein, rng.uniform(0.08, 0.25) * diameter)
    collar = rng.uniform(0.1, 0.3) if deep else rng.uniform(0.7, 1.5)
    left_out = rng.uniform(0.6, 1.0) if deep else rng.uniform(0.2, 0.5)
    grain = smooth_noise(canvas.shape, max(log_uniform(rng, 4, 15) / canvas.pixel, 0.4), rng)
    thickness = np.maximum(base + collar * broad - left_out * protein, 0.03 * level)
    thickness = thickness * np.clip(1 + log_uniform(rng, 0.01, 0.12) * grain, 0, None)
    return layer_of(STAIN, thickness.astype(np.float32), canvas, rng)


def draw_bubbles(canvas: Canvas, rng: np.random.Generator) -> Image:
    """Draw the factor by which bubbles change the stain, (H, W) float32: little in them, a wall.

    Bubbles are 0.4 to 3 diameters wide, round, with a wall of more stain.
    """
    factor = np.ones(canvas.shape, np.float32)
    rows, columns = canvas.indices()
    area = canvas.shape[0] * canvas.shape[1] / canvas.diameter**2
    typical = log_uniform(rng, 0.5, 2.0)
    inside, wall = rng.uniform(0.0, 0.6), rng.uniform(0.1, 1.0)
    for _ in range(rng.poisson(min(area * log_uniform(rng, 0.002, 0.04), 60))):
        radius = canvas.diameter * np.clip(typical * rng.lognormal(0, 0.3), 0.4, 3) / 2
        x, y = (rng.uniform(0, side) for side in canvas.shape[::-1])
        away = np.hypot(columns - x, rows - y) - radius
        width = max(0.12 * radius, 0.8)
        factor *= 1 - (1 - inside) * np.clip(0.5 - away / width, 0, 1).astype(np.float32)
        factor += wall * np.exp(-(((away - width) / width) ** 2)).astype(np.float32)
    return factor
