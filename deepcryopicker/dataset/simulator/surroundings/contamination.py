"""Contamination of any size: ice and ethane blobs, large crystals, specks, gold beads."""

from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from deepcryopicker.dataset.simulator.surroundings.canvas import (
    Canvas,
    Layer,
    log_uniform,
    smooth_noise,
)
from deepcryopicker.dataset.simulator.surroundings.materials import (
    CONTAMINANT,
    GOLD,
    Material,
    layer_of,
)
from deepcryopicker.types import Image

_THICKEST = 5000.0  # Angstrom; hardly an electron passes


def draw_blobs(canvas: Canvas, rng: np.random.Generator) -> Layer:
    """Draw ice and ethane blobs, 0.5 to 8 diameters wide: alone, in pairs and in clusters.

    Their outline is round or lumpy, their thickness that of a sphere or of a flat drop.
    """
    thickness = np.zeros(canvas.shape, np.float32)
    typical = log_uniform(rng, 0.6, 5) * canvas.diameter
    flat, lumpy = log_uniform(rng, 0.12, 1.0), rng.uniform(0, 0.25) ** 2 * 4
    count = int(np.clip(rng.poisson(rng.uniform(1, 14)), 1, 24))
    for _ in range(count):
        size = np.clip(typical * rng.lognormal(0, 0.5), 0.4 * canvas.diameter, None)
        size = min(size, 8 * canvas.diameter)
        x, y = (rng.uniform(-0.05, 1.05) * side for side in canvas.shape[::-1])
        for _ in range(1 + rng.geometric(0.75)):
            _add_drop(thickness, x, y, size, flat * canvas.pixel, lumpy, rng)
            angle, away = rng.uniform(0, 2 * np.pi), size * rng.uniform(0.5, 1.0)
            x, y, size = x + away * np.cos(angle), y + away * np.sin(angle), size * 0.7
    return _as_layer(CONTAMINANT, thickness, canvas, rng)


def draw_large_crystal(canvas: Canvas, rng: np.random.Generator) -> Layer:
    """Draw one very large crystal with extinction contours, partly outside: nearly black."""
    thickness = np.zeros(canvas.shape, np.float32)
    size = rng.uniform(4, 16) * canvas.diameter
    x, y = (rng.uniform(-0.1, 1.1) * side for side in canvas.shape[::-1])
    flat = rng.uniform(2000, _THICKEST) / (size * canvas.pixel)
    for _ in range(rng.integers(1, 5)):
        _add_drop(thickness, x, y, size, flat * canvas.pixel, rng.uniform(0, 0.1), rng)
        x, y = x + rng.normal(scale=size / 3), y + rng.normal(scale=size / 3)
    layer = _as_layer(CONTAMINANT, thickness, canvas, rng)
    rows, columns = canvas.indices()
    angle, period = rng.uniform(0, np.pi), size * rng.uniform(0.05, 0.4)
    along = columns * np.cos(angle) + rows * np.sin(angle)
    warped = along + period * 0.5 * smooth_noise(canvas.shape, size / 3, rng)
    bands = np.sin(2 * np.pi * warped / period) ** 6 * max(rng.uniform(-0.6, 0.8), 0)
    return Layer(layer.phase, layer.loss * (1 + bands).astype(np.float32), layer.occupied)


def draw_patch(canvas: Canvas, rng: np.random.Generator) -> Layer:
    """Draw a patch of coarse, strong grains, as of frost or of a heap of dirt."""
    field = smooth_noise(canvas.shape, log_uniform(rng, 1.5, 6) * canvas.diameter, rng)
    field += 0.25 * smooth_noise(canvas.shape, 0.6 * canvas.diameter, rng)
    limit = np.quantile(field[::4, ::4], rng.uniform(0.6, 0.97))
    inside = np.clip((field - limit) * 4, 0, 1)
    grains = smooth_noise(canvas.shape, log_uniform(rng, 0.08, 0.4) * canvas.diameter, rng)
    phase = inside * grains * log_uniform(rng, 0.1, 1.2)
    loss = inside * rng.uniform(0, 0.3) * (1 + 0.3 * np.abs(grains))
    return Layer(phase.astype(np.float32), loss.astype(np.float32), inside > 0.05)


def draw_specks(canvas: Canvas, rng: np.random.Generator) -> Layer:
    """Draw many small specks, 0.08 to 0.6 diameters, of irregular outline, some in groups."""
    thickness = np.zeros(canvas.shape, np.float32)
    area = np.prod(canvas.shape) / canvas.diameter**2
    flat, lumpy = rng.uniform(0.2, 1.0), rng.uniform(0, 0.4)
    for _ in range(rng.poisson(area * log_uniform(rng, 0.005, 0.15))):
        x, y = (rng.uniform(0, side) for side in canvas.shape[::-1])
        for _ in range(rng.geometric(0.6)):
            size = log_uniform(rng, 0.08, 0.6) * canvas.diameter
            _add_drop(thickness, x, y, size, flat * canvas.pixel, lumpy, rng)
            x, y = x + rng.normal(scale=size), y + rng.normal(scale=size)
    return _as_layer(CONTAMINANT, thickness, canvas, rng)


def draw_beads(canvas: Canvas, rng: np.random.Generator) -> Layer:
    """Draw gold beads, 50 to 200 Angstrom wide: round and black."""
    thickness = np.zeros(canvas.shape, np.float32)
    size = log_uniform(rng, 50, 200) / canvas.pixel
    for _ in range(rng.integers(1, 25)):
        x, y = (rng.uniform(0, side) for side in canvas.shape[::-1])
        _add_drop(thickness, x, y, size * rng.uniform(0.9, 1.1), canvas.pixel, 0.0, rng)
    return _as_layer(GOLD, thickness, canvas, rng)


def _add_drop(
    thickness: Image,
    x: float,
    y: float,
    size: float,
    height: float,
    lumpy: float,
    rng: np.random.Generator,
) -> None:
    """Raise `thickness` to that of a drop with an elliptic profile; `height` in Angstrom a pixel.

    Its outline differs from a circle by low harmonics of relative amplitude `lumpy`.
    """
    height_of_image, width_of_image = thickness.shape
    radius_limit = 0.5 * size * (1 + 2 * lumpy) + 2
    top, left = max(int(y - radius_limit), 0), max(int(x - radius_limit), 0)
    bottom = min(int(y + radius_limit) + 1, height_of_image)
    right = min(int(x + radius_limit) + 1, width_of_image)
    if top >= bottom or left >= right:
        return
    window = np.s_[top:bottom, left:right]
    rows, columns = np.mgrid[window]
    rows, columns = rows - y, columns - x
    angle = np.arctan2(rows, columns)
    radius = np.full(angle.shape, size / 2)
    for harmonic in range(2, 6):
        part = rng.normal(scale=lumpy / harmonic)
        radius *= 1 + np.clip(part, -0.3, 0.3) * np.cos(harmonic * angle + rng.uniform(0, 7))
    inside = np.maximum(1 - (rows**2 + columns**2) / radius**2, 0)
    drop = np.minimum(size * height * np.sqrt(inside), _THICKEST)
    np.maximum(thickness[window], drop.astype(np.float32), out=thickness[window])


def _as_layer(
    material: Material, thickness: Image, canvas: Canvas, rng: np.random.Generator
) -> Layer:
    layer = layer_of(material, ndimage.gaussian_filter(thickness, 0.7), canvas, rng)
    return Layer(layer.phase, layer.loss, thickness > 0)


def stack(canvas: Canvas, layers: Iterable[Layer]) -> Layer:
    """Return all layers in one."""
    total = Layer.empty(canvas.shape)
    for layer in layers:
        total = total.with_layer(layer)
    return total
