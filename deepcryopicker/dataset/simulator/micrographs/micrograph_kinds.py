"""Kinds of micrographs by name: what lies round the particles, and how they are exposed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepcryopicker.dataset.simulator.surroundings import (
    contamination,
    frozen_water,
    protein,
    support,
)
from deepcryopicker.dataset.simulator.surroundings.canvas import Canvas, Layer, log_uniform
from deepcryopicker.types import Image

THIN_ICE = (150.0, 800.0)
THICK_ICE = (800.0, 1800.0)
"""Mean thickness, Angstrom."""


@dataclass(frozen=True)
class Surroundings:
    """What a micrograph shows besides particles.

    Attributes
    ----------
    solid : Layer
        Film and contamination.
    soft : Layer
        Protein that is not a particle.
    ice : float
        Mean thickness of vitreous ice, Angstrom.
    remaining : (H, W) float32
        Fraction of the ice that is there.
    """

    solid: Layer
    soft: Layer
    ice: float
    remaining: Image


Draw = Callable[[Canvas, float, np.random.Generator], Surroundings]


@dataclass(frozen=True)
class MicrographKind:
    """A kind of micrograph.

    Attributes
    ----------
    share : float
        Of the micrographs of `varied`; the shares of all kinds add up to one.
    particles : bool
        Whether it has any.
    draw : callable or None
        Draws the surroundings on a canvas, given the mass of a particle in Dalton, and a
        generator. None: random conditions (`randomised`).
    hard : bool
        Close to focus, with a third of the usual dose.
    stained : bool
        Negative stain on carbon instead of ice.
    """

    share: float
    particles: bool
    draw: Draw | None
    hard: bool = False
    stained: bool = False


def _surroundings(
    canvas: Canvas,
    ice: float,
    solid: list[Layer],
    soft: list[Layer] | None = None,
    remaining: Image | None = None,
) -> Surroundings:
    left = np.ones(canvas.shape, np.float32) if remaining is None else remaining
    return Surroundings(
        contamination.stack(canvas, solid), contamination.stack(canvas, soft or []), ice, left
    )


def _ice(canvas: Canvas, mass: float, rng: np.random.Generator) -> Surroundings:
    """Draw ice with, at times, small pieces of protein in it and a blob or two."""
    solid = [contamination.draw_specks(canvas, rng)] if rng.uniform() < 0.15 else []
    soft = [protein.draw_pieces(canvas, mass, rng)] if rng.uniform() < 0.4 else []
    return _surroundings(canvas, log_uniform(rng, *THIN_ICE), solid, soft)


def _thick_ice(canvas: Canvas, mass: float, rng: np.random.Generator) -> Surroundings:
    soft = [protein.draw_pieces(canvas, mass, rng)] if rng.uniform() < 0.3 else []
    return _surroundings(canvas, log_uniform(rng, *THICK_ICE), [], soft)


def _carbon(canvas: Canvas, mass: float, rng: np.random.Generator) -> Surroundings:
    """Draw a thin film that carries particles, or the edge of a thick one that does not."""
    if rng.uniform() < 0.5:
        depth = support.draw_edge(canvas, rng, (0.1, 0.8)) if rng.uniform() < 0.3 else None
        thin = support.draw_film(canvas, depth, log_uniform(rng, *support.THIN), rng)
        film = Layer(thin.phase, thin.loss, np.zeros(canvas.shape, bool))
    else:
        depth = support.draw_edge(canvas, rng, (0.08, 0.6))
        film = support.draw_film(canvas, depth, log_uniform(rng, *support.THICK), rng)
    solid = [film, contamination.draw_specks(canvas, rng)] if rng.uniform() < 0.3 else [film]
    return _surroundings(canvas, log_uniform(rng, *THIN_ICE), solid)


def _dirt(canvas: Canvas, rng: np.random.Generator) -> list[Layer]:
    """Draw one to three sorts of contamination."""
    sorts = (
        (contamination.draw_blobs, 0.4),
        (contamination.draw_large_crystal, 0.1),
        (contamination.draw_specks, 0.17),
        (contamination.draw_patch, 0.12),
        (contamination.draw_beads, 0.08),
        (frozen_water.draw_hexagons, 0.13),
    )
    chosen = rng.choice(
        len(sorts), int(rng.integers(1, 4)), replace=False, p=[share for _, share in sorts]
    )
    return [sorts[index][0](canvas, rng) for index in sorted(chosen)]


def _contaminated(canvas: Canvas, mass: float, rng: np.random.Generator) -> Surroundings:
    """Draw contamination, strands, and aggregates of particles."""
    soft = []
    if rng.uniform() < 0.3:
        soft.append(protein.draw_strands(canvas, rng))
    if rng.uniform() < 0.3:
        soft.append(protein.draw_aggregate(canvas, mass, rng))
    return _surroundings(canvas, log_uniform(rng, *THIN_ICE), _dirt(canvas, rng), soft)


def _stained(canvas: Canvas, mass: float, rng: np.random.Generator) -> Surroundings:
    film = _empty_stain(canvas, mass, rng)
    soft = [protein.draw_aggregate(canvas, mass, rng)] if rng.uniform() < 0.5 else []
    return _surroundings(canvas, 0.0, [film.solid], soft)


def _empty_stain(canvas: Canvas, mass: float, rng: np.random.Generator) -> Surroundings:
    film = support.draw_film(canvas, None, log_uniform(rng, 50, 250), rng)
    layer = Layer(film.phase, film.loss, np.zeros(canvas.shape, bool))
    return _surroundings(canvas, 0.0, [layer])


def _empty_ice(canvas: Canvas, mass: float, rng: np.random.Generator) -> Surroundings:
    soft = [protein.draw_pieces(canvas, mass, rng)] if rng.uniform() < 0.4 else []
    solid = [contamination.draw_blobs(canvas, rng)] if rng.uniform() < 0.25 else []
    return _surroundings(canvas, log_uniform(rng, THIN_ICE[0], THICK_ICE[1]), solid, soft)


def _empty_carbon(canvas: Canvas, mass: float, rng: np.random.Generator) -> Surroundings:
    """Draw film everywhere, or nearly so, with or without ice and contamination."""
    depth = support.draw_edge(canvas, rng, (0.5, 0.95)) if rng.uniform() < 0.35 else None
    thickness = log_uniform(rng, support.THIN[0], support.THICK[1])
    solid = [support.draw_film(canvas, depth, thickness, rng)]
    if rng.uniform() < 0.4:
        solid += _dirt(canvas, rng)
    return _surroundings(canvas, rng.choice([0, 1]) * log_uniform(rng, *THIN_ICE), solid)


def _crystalline(canvas: Canvas, mass: float, rng: np.random.Generator) -> Surroundings:
    solid = [frozen_water.draw_crystalline(canvas, rng)]
    if rng.uniform() < 0.3:
        solid.append(frozen_water.draw_hexagons(canvas, rng))
    if rng.uniform() < 0.3:
        depth = support.draw_edge(canvas, rng, (0.05, 0.4))
        film = support.draw_film(canvas, depth, log_uniform(rng, *support.THICK), rng)
        solid = [layer.within((depth <= 0).astype(np.float32)) for layer in solid] + [film]
    return _surroundings(canvas, log_uniform(rng, *THIN_ICE), solid)


def _empty_contaminated(canvas: Canvas, mass: float, rng: np.random.Generator) -> Surroundings:
    soft = [protein.draw_strands(canvas, rng)] if rng.uniform() < 0.2 else []
    thick = log_uniform(rng, THIN_ICE[0], THICK_ICE[1])
    return _surroundings(canvas, thick, _dirt(canvas, rng), soft)


def _cracked(canvas: Canvas, mass: float, rng: np.random.Generator) -> Surroundings:
    remaining = frozen_water.draw_cracks(canvas, rng)
    solid = _dirt(canvas, rng) if rng.uniform() < 0.4 else []
    return _surroundings(canvas, log_uniform(rng, *THIN_ICE), solid, remaining=remaining)


def _bare(canvas: Canvas, mass: float, rng: np.random.Generator) -> Surroundings:
    """Draw a hole without ice, with the edge of its support or of a bar of the grid."""
    solid = []
    if rng.uniform() < 0.75:
        depth = support.draw_edge(canvas, rng, (0.03, 0.5))
        solid.append(support.draw_rough_edge(canvas, depth, rng))
    return _surroundings(canvas, 0.0, solid)


KINDS_OF_MICROGRAPHS = {
    "particles": MicrographKind(0.40, True, None),
    "ice": MicrographKind(0.07, True, _ice),
    "thick_ice": MicrographKind(0.08, True, _thick_ice, hard=True),
    "carbon": MicrographKind(0.06, True, _carbon),
    "contaminated": MicrographKind(0.09, True, _contaminated),
    "stain": MicrographKind(0.06, True, _stained, stained=True),
    "empty_ice": MicrographKind(0.06, False, _empty_ice),
    "empty_carbon": MicrographKind(0.045, False, _empty_carbon),
    "empty_stain": MicrographKind(0.015, False, _empty_stain, stained=True),
    "crystalline": MicrographKind(0.04, False, _crystalline),
    "empty_contaminated": MicrographKind(0.035, False, _empty_contaminated),
    "cracked": MicrographKind(0.02, False, _cracked),
    "bare": MicrographKind(0.015, False, _bare),
    "spoiled": MicrographKind(0.01, False, _empty_contaminated),
}
"""``particles``: random conditions (`randomised`). All others have the contrast of theory."""
