"""Debris among the particles: fragments, beads, filaments and tubes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepcryopicker.dataset.simulator.forms import Form
from deepcryopicker.types import Floats

_FRAGMENT = 1 / 6  # fraction of the points of a particle in a fragment
_RODS = 1 / 4  # fraction of the positions for rods that get one: a rod extends over several


@dataclass(frozen=True)
class Debris:
    """N pieces of debris of one type.

    Attributes
    ----------
    clouds : (N, P, 2) float64
        Points of equal mass, columns x and y, particle diameters from the centre of the piece.
    centres : (N, 2) float64
        Pixels.
    mass : float
        Of a piece, relative to a particle.
    """

    clouds: Floats
    centres: Floats
    mass: float


def draw_debris(form: Form, centres: Floats, rng: np.random.Generator) -> Iterator[Debris]:
    """Draw a piece of one of the three types at every position; fewer rods.

    Parameters
    ----------
    form : Form
        Particles of the micrograph, from which fragments are taken.
    centres : (N, 2) float64
        Positions x and y, pixels.
    rng : numpy.random.Generator

    Yields
    ------
    Debris
        Fragments, beads and rods, in this order.
    """
    sort = rng.choice(3, len(centres), p=rng.dirichlet([1.0, 1.0, 1.0]))
    yield _fragments(form, centres[sort == 0], rng)
    yield _beads(centres[sort == 1], rng)
    rods = centres[sort == 2]
    yield _rods(rods[: int(np.ceil(_RODS * len(rods)))], rng)


def _fragments(form: Form, centres: Floats, rng: np.random.Generator) -> Debris:
    """Make fragments of particles: neighbouring points of the cloud."""
    rotation, _ = form.pose(len(centres), rng)
    turned = np.einsum("nij,pj->npi", rotation.as_matrix(), form.cloud)
    pieces = np.zeros((len(centres), 80, 2))
    for piece, cloud in zip(pieces, turned, strict=True):
        away = ((cloud - cloud[rng.integers(len(cloud))]) ** 2).sum(axis=1)
        near = np.argsort(away)[: int(_FRAGMENT * len(cloud))]
        chosen = cloud[rng.choice(near, 80), :2]
        piece[:] = chosen - chosen.mean(axis=0)
    return Debris(pieces, centres, rng.uniform(0.15, 0.4))


def _beads(centres: Floats, rng: np.random.Generator) -> Debris:
    """Make small, compact, dark beads, similar to gold and contaminants."""
    width = rng.uniform(0.04, 0.15)
    clouds = rng.normal(scale=width, size=(len(centres), 100, 2))
    return Debris(
        clouds * rng.uniform(0.7, 1.3, (len(centres), 1, 1)), centres, rng.uniform(0.2, 1)
    )


def _rods(centres: Floats, rng: np.random.Generator) -> Debris:
    """Make filaments and tubes of 2 to 6 diameters, solid or hollow."""
    shape = (len(centres), 3000)
    length = rng.uniform(2, 6, (len(centres), 1))
    width = rng.uniform(0.1, 1.0)
    # The projection of a hollow or a solid cylinder.
    distance = np.ones(shape) if rng.uniform() < 0.5 else np.sqrt(rng.uniform(size=shape))
    across = width / 2 * distance * np.sin(rng.uniform(0, 2 * np.pi, shape))
    along = length * rng.uniform(-0.5, 0.5, shape)
    turn = rng.uniform(0, np.pi, (len(centres), 1))
    x = along * np.cos(turn) - across * np.sin(turn)
    y = along * np.sin(turn) + across * np.cos(turn)
    return Debris(np.stack([x, y], axis=-1), centres, 4 * width)
