"""Ice of all sorts: vitreous of any thickness, crystalline, hexagonal patches, cracks, holes."""

import cv2
import numpy as np
import numpy.typing as npt

from deepcryopicker.dataset.simulator.surroundings.canvas import (
    Canvas,
    Layer,
    log_uniform,
    smooth_noise,
)
from deepcryopicker.dataset.simulator.surroundings.materials import ICE, layer_of
from deepcryopicker.types import Floats, Image


def draw_thickness(canvas: Canvas, mean: float, rng: np.random.Generator) -> Image:
    """Draw the thickness of vitreous ice: tilted, curved, or steeply thicker towards one side.

    Parameters
    ----------
    canvas : Canvas
    mean : float
        Angstrom.
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) float32
        Angstrom.
    """
    height, width = canvas.shape
    rows, columns = np.ogrid[-1 : 1 : 1j * height, -1 : 1 : 1j * width]
    angle = rng.uniform(0, 2 * np.pi)
    along = columns * np.cos(angle) + rows * np.sin(angle)
    slope = rng.uniform(0, 0.45) ** 2 * along
    bowl = rng.uniform(-0.03, 0.1) * (columns**2 + rows**2 - 2 / 3)
    steep = 0.0
    if rng.uniform() < 0.1:  # towards the support
        steep = rng.uniform(0.3, 2) * np.exp((along - rng.uniform(0.8, 1.4)) * rng.uniform(2, 6))
    uneven = rng.uniform(0, 0.2) ** 2 * smooth_noise(
        canvas.shape, log_uniform(rng, 1.5, 8) * canvas.diameter, rng
    )
    relative = np.clip(1 + slope + bowl + steep + uneven, 0.1, 5)
    return (mean * relative).astype(np.float32)


def draw_vitreous(canvas: Canvas, mean: float, rng: np.random.Generator) -> Layer:
    """Draw vitreous ice of a mean thickness, Angstrom; it occupies nothing."""
    return layer_of(ICE, draw_thickness(canvas, mean, rng), canvas, rng)


def draw_crystalline(canvas: Canvas, rng: np.random.Generator) -> Layer:
    """Draw crystalline ice: grains, of which those that satisfy Bragg's law are dark.

    Grains are regions of a random field. Each loses electrons by diffraction, most of them few;
    single crystals in Bragg position lose nearly all. Particles in it are not visible.
    """
    size = log_uniform(rng, 0.25, 2.5) * canvas.diameter
    fine = smooth_noise(canvas.shape, size / 3, rng)
    coarse = smooth_noise(canvas.shape, size, rng)
    broad = smooth_noise(canvas.shape, 3 * size, rng)
    weights = rng.dirichlet([1.0, 2.0, 0.7])
    field = weights[0] * fine + weights[1] * coarse + weights[2] * broad
    field /= np.float32(np.sqrt((weights**2).sum()))
    # The loss of a grain is about exponentially distributed, cut at the top.
    sharp = rng.uniform(0.4, 1.3)
    loss = log_uniform(rng, 0.01, 0.15) * np.exp(sharp * np.clip(field, -3, 3))
    dark = np.clip((smooth_noise(canvas.shape, size / 2, rng) - rng.uniform(2.0, 3.2)) * 2, 0, 1)
    loss = np.minimum(loss, 0.6) + rng.uniform(0.05, 1.2) * dark
    edges = smooth_noise(canvas.shape, max(log_uniform(rng, 0.03, 0.2) * canvas.diameter, 0.5), rng)
    phase = log_uniform(rng, 0.02, 0.3) * field + log_uniform(rng, 0.01, 0.3) * edges
    return Layer(phase.astype(np.float32), loss.astype(np.float32), np.ones(canvas.shape, bool))


def draw_hexagons(canvas: Canvas, rng: np.random.Generator) -> Layer:
    """Draw one to six hexagonal plates of ice, 0.7 to 6 diameters wide, with contours."""
    layer = Layer.empty(canvas.shape)
    rows, columns = canvas.indices()
    for _ in range(rng.integers(1, 7)):
        size = log_uniform(rng, 0.7, 6) * canvas.diameter
        x, y = (rng.uniform(-0.1, 1.1) * side for side in canvas.shape[::-1])
        depth = _polygon(rows - y, columns - x, size / 2, rng)
        inside = np.clip(depth / rng.uniform(1, 3) + 0.5, 0, 1)
        wave = _contours(rows, columns, size, rng)
        loss = inside * (rng.uniform(0.02, 0.5) + rng.uniform(0, 0.4) * wave)
        phase = inside * rng.uniform(0.2, 2.0)
        layer = layer.with_layer(
            Layer(phase.astype(np.float32), loss.astype(np.float32), depth > 0)
        )
    return layer


def _polygon(rows: Floats, columns: Floats, radius: float, rng: np.random.Generator) -> Floats:
    """Return the distance from the sides of a hexagon of unequal sides, positive inside."""
    turn = rng.uniform(0, np.pi / 3)
    depth = np.full(np.broadcast_shapes(rows.shape, columns.shape), np.inf)
    for angle in turn + np.arange(6) * np.pi / 3:
        side = radius * rng.uniform(0.6, 1.1)
        np.minimum(depth, side - columns * np.cos(angle) - rows * np.sin(angle), out=depth)
    return depth


def _contours(rows: Floats, columns: Floats, size: float, rng: np.random.Generator) -> Floats:
    """Return parallel bands of a warped crystal, in [0, 1]."""
    angle, warp = rng.uniform(0, np.pi), rng.uniform(-1, 1) / size
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = rows * np.cos(angle) - columns * np.sin(angle)
    period = size * rng.uniform(0.1, 0.8)
    bands: Floats = np.sin(2 * np.pi * (along + warp * across**2) / period) ** 4
    return bands


def draw_cracks(canvas: Canvas, rng: np.random.Generator) -> Image:
    """Draw the fraction of ice that cracks leave: 0 in one to three winding, branching lines.

    A crack runs across the micrograph in short straight pieces, and its width varies; in a third of
    the micrographs a piece of the ice beside it is missing.
    """
    height, width = canvas.shape
    gone = np.zeros((height, width), np.uint8)
    for _ in range(rng.integers(1, 4)):
        start = rng.uniform(0, 1, 2) * [width, height]
        _crack(gone, start, rng.uniform(0, 2 * np.pi), canvas.diameter, 0, rng)
    left = 1 - cv2.GaussianBlur(gone, (0, 0), 0.7).astype(np.float32) / 255
    if rng.uniform() < 0.3:
        field = smooth_noise(canvas.shape, log_uniform(rng, 2, 6) * canvas.diameter, rng)
        field += 0.05 * smooth_noise(canvas.shape, 0.5 * canvas.diameter, rng)
        steep = np.hypot(*np.gradient(field)) + 1e-6
        limit = np.quantile(field[::4, ::4], rng.uniform(0.7, 0.97))
        left *= np.clip((limit - field) / steep + 0.5, 0, 1).astype(np.float32)
    return left


def _crack(
    gone: npt.NDArray[np.uint8],
    start: Floats,
    angle: float,
    diameter: float,
    depth: int,
    rng: np.random.Generator,
) -> None:
    """Draw a crack in both directions from its start, 255 where nothing is left, and branches."""
    typical = log_uniform(rng, 0.04, 0.4) * diameter / (1 + depth)
    for direction in (angle, angle + np.pi) if depth == 0 else (angle,):
        place, turn, wide = start, direction, typical
        for _ in range(int(rng.integers(5, 80))):
            turn = direction + rng.normal(scale=0.35)
            after = place + rng.uniform(0.1, 1) * diameter * np.array([np.cos(turn), np.sin(turn)])
            ends = [tuple(int(v) for v in np.rint(8 * end)) for end in (place, after)]
            cv2.line(gone, ends[0], ends[1], 255, max(1, round(wide)), cv2.LINE_AA, 3)
            place, direction = after, direction + rng.normal(scale=0.08)
            wide = float(np.clip(wide * rng.lognormal(0, 0.2), 0.3 * typical, 3 * typical))
            if depth < 2 and rng.uniform() < 0.04:
                _crack(gone, place, direction + rng.choice([-1, 1]), diameter, depth + 1, rng)
