"""Positions of training windows in one micrograph, and their content."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepcryopicker.class_set import background
from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.class_set.split import block_of, near_seam
from deepcryopicker.detection.bounds import clear_of_edges
from deepcryopicker.frames import to_original
from deepcryopicker.types import (
    CONTAMINANT,
    CUT_BY_EDGE,
    NO_MARGINS,
    SHAPES,
    Candidates,
    Floats,
    Strings,
)

# Kinds of positions, in addition to CONTAMINANT and the shapes.
EMPTY, OFF_CENTRE, BETWEEN = "empty", "off-centre", "between"
DOUBTFUL = "doubtful"
"""Kind of positions that may be particles: no windows are cut there."""

_EMPTY_PER_MICROGRAPH = 400
_EMPTY_DISTANCE = 0.75  # diameters from the centre of an empty window to every candidate
_EMPTY_COVERAGE = 0.1  # maximum fraction of particle-like pixels at the centre of an empty window
_HEAT_SIGMA = 0.15  # diameters
# Diameters from a position between two particles to either. Closer particles are one pick, and
# between more distant ones there is no particle-like contrast.
_BETWEEN = (0.25, 0.5)
_EDGE = 0.5  # diameters from the edge: the labels of a particle that is cut by it are doubtful


@dataclass(frozen=True)
class Sites:
    """N positions in one micrograph.

    Attributes
    ----------
    x, y : (N,) float64
        Original pixels.
    kind : (N,) str
        A shape for a particle; ``off-centre``, ``between``, ``contaminant``, ``empty`` or
        ``doubtful``.
    shape : (N,) str
        Shape of the particle at or near the position; empty for none.
    heat : (N,) float64
        Value, 0 to 1, of a Gaussian around that particle; 1 at its centre.
    block : (N,) int64
        Spatial block of the micrograph.
    guard : (N,) bool
        Whether windows here may overlap the next block.
    """

    x: Floats
    y: Floats
    kind: Strings
    shape: Strings
    heat: Floats
    block: npt.NDArray[np.int64]
    guard: npt.NDArray[np.bool_]


def find_sites(
    candidates: Candidates,
    shape: tuple[int, int],
    diameter: float,
    window: float,
    config: ClassSetConfig,
    rng: np.random.Generator,
) -> Sites:
    """List the positions of possible training windows in one micrograph.

    Parameters
    ----------
    candidates : Candidates
        Good candidates are particles.
    shape : (H, W)
        Of the micrograph, original pixels.
    diameter : float
        Particle diameter, original pixels.
    window : float
        Side of the windows, original pixels; windows of different blocks must not overlap.
    config : ClassSetConfig
    rng : numpy.random.Generator
        For off-centre and empty positions.
    """
    centres = candidates.picks.positions
    edge = _EDGE if config.edge is None else config.edge
    good = candidates.good | _cut_a_little(candidates, shape, edge * diameter)
    particles, label = centres[good], candidates.picks.label[good]
    near, far = (share * diameter for share in config.off_centre)
    shifted, origin = background.off_centre(particles, centres, shape, near, far, rng)
    near, far = (share * diameter for share in _BETWEEN)
    between, either = background.between(particles, centres, near, far)
    # The paper uses all rejected candidates as negatives, but many of them are particles.
    rejected = candidates.reason == CONTAMINANT
    junk, doubtful = centres[~good & rejected], centres[~good & ~rejected]
    empty = _empty(candidates, centres, diameter, rng)
    # Each group: positions, kind, shape of the particle there or nearby, heat.
    groups: list[tuple[Floats, npt.ArrayLike, npt.ArrayLike, npt.ArrayLike]] = [
        (particles, label, label, 1.0),
        (shifted, OFF_CENTRE, label[origin], _heat(shifted, particles[origin], diameter)),
        (between, BETWEEN, label[either], _heat(between, particles[either], diameter)),
        (junk, CONTAMINANT, "", 0.0),
        (empty, EMPTY, "", 0.0),
        (doubtful, DOUBTFUL, "", 0.0),
    ]
    x, y = np.concatenate([places for places, *_ in groups]).T
    kind, near_to, heat = (
        np.concatenate([np.broadcast_to(np.asarray(group[i]), len(group[0])) for group in groups])
        for i in (1, 2, 3)
    )
    return Sites(
        x,
        y,
        kind.astype("<U11"),
        near_to.astype("<U11"),
        heat,
        block_of(x, y, shape),
        near_seam(x, y, shape, _guard(shape, diameter, window)),
    )


def count_particles(sites: Sites) -> dict[str, int]:
    """Count the particles of each shape (the paper's Table 1)."""
    return {name: int(np.count_nonzero(sites.kind == name)) for name in SHAPES}


def _cut_a_little(
    candidates: Candidates, shape: tuple[int, int], distance: float
) -> npt.NDArray[np.bool_]:
    """Return which particles are cut by the edge but centred at least `distance` inside."""
    x, y = candidates.picks.x, candidates.picks.y
    return (candidates.reason == CUT_BY_EDGE) & clear_of_edges(x, y, shape, NO_MARGINS, distance)


def _guard(shape: tuple[int, int], diameter: float, window: float) -> float:
    """Return the width of guard bands: a window, at most half a block, at least a particle."""
    return max(diameter, min(window, min(shape) / 8.0))


def _empty(
    candidates: Candidates,
    centres: Floats,
    diameter: float,
    rng: np.random.Generator,
) -> Floats:
    """Draw positions without particles, (N, 2), original pixels."""
    row, column = np.nonzero(candidates.coverage <= _EMPTY_COVERAGE)
    places = to_original(np.column_stack([column, row]).astype(np.float64), candidates.scale)
    distance = _EMPTY_DISTANCE * diameter
    return background.far_from(places, centres, distance, _EMPTY_PER_MICROGRAPH, rng)


def _heat(places: Floats, particles: Floats, diameter: float) -> Floats:
    """Return the value at each place of a Gaussian around its particle, (N,)."""
    away = np.hypot(*(places - particles).T) / diameter
    return np.exp(-0.5 * (away / _HEAT_SIGMA) ** 2)
