"""Random particle shapes, so that a network learns what particles have in common.

A form is a phantom as in ``phantoms`` with lengths in particle diameters: its largest extent along
its own axes is one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from deepcryopicker.dataset.simulator.phantoms import (
    KINDS,
    Kind,
    ball,
    barrel_pose,
    irregular_pose,
    round_pose,
)
from deepcryopicker.types import Floats, Strings

POINTS = 700
"""Approximate number of points of a random form: enough for a diameter of 24 pixels."""
KNOWN_SHARE = 0.4
"""Fraction of forms that are one of the four simulated species."""


@dataclass(frozen=True)
class Form:
    """Structure of the particles of one micrograph.

    Attributes
    ----------
    cloud : (P, 3) float64
        Points of equal mass, columns x, y, z, particle diameters, from the centre of mass.
    pose : callable
        Draws N orientations and their labels: ``pose(count, generator)``.
    """

    cloud: Floats
    pose: Callable[[int, np.random.Generator], tuple[Rotation, Strings]]


def draw_form(rng: np.random.Generator) -> Form:
    """Draw one of the four species or a shell, a barrel, a lumpy or a symmetric particle."""
    if rng.uniform() < KNOWN_SHARE:
        return _known(KINDS[str(rng.choice(sorted(KINDS)))], rng)
    draws = (_shell, _barrel, _lumps, _multimer)
    return draws[rng.integers(len(draws))](rng)


def _known(kind: Kind, rng: np.random.Generator) -> Form:
    """Return one of the species, with at most ``2 * POINTS`` points."""
    cloud = kind.cloud()
    chosen = rng.permutation(len(cloud))[: 2 * POINTS]
    return Form(cloud[chosen] / kind.diameter, kind.pose)


def _shell(rng: np.random.Generator) -> Form:
    """Make a hollow or solid ball, slightly flattened."""
    points = ball(POINTS, rng)
    inner = rng.uniform(0, 0.85)
    length = np.linalg.norm(points, axis=1, keepdims=True)
    hollow = points / length * np.cbrt(inner**3 + length**3 * (1 - inner**3))
    return Form(_unit(hollow * rng.uniform(0.8, 1, 3)), round_pose)


def _barrel(rng: np.random.Generator) -> Form:
    """Stack rings along z, from a flat ring to a tube."""
    rings = int(rng.integers(1, 8))
    radius = np.sqrt(rng.uniform(rng.uniform(0, 0.8) ** 2, 1, POINTS)) / 2
    angle = rng.uniform(0, 2 * np.pi, POINTS)
    level = (rng.integers(0, rings, POINTS) + rng.uniform(0.1, 0.9, POINTS)) / rings - 0.5
    height = level * rng.uniform(0.6, 1.3)
    return Form(
        _unit(np.column_stack([radius * np.cos(angle), radius * np.sin(angle), height])),
        barrel_pose,
    )


def _lumps(rng: np.random.Generator) -> Form:
    """Make an ellipsoid of several balls of unequal size and mass."""
    count = int(rng.integers(2, 12))
    centres = ball(count, rng) * rng.uniform(0.4, 1, 3)
    share = rng.multinomial(POINTS, rng.dirichlet(np.full(count, 2.0)))
    radius = np.repeat(rng.uniform(0.2, 0.6, count), share)[:, None]
    points = np.repeat(centres, share, axis=0) + radius * ball(POINTS, rng)
    return Form(_unit(points), irregular_pose)


def _multimer(rng: np.random.Generator) -> Form:
    """Repeat a lobe about an axis and, in two of three forms, about perpendicular twofolds."""
    group = Rotation.create_group(f"{rng.choice(['C', 'D', 'D'])}{rng.integers(2, 7)}")
    offset = np.append(rng.uniform(0.3, 1, 2), rng.uniform(0, 0.8))
    lobe = ball(POINTS // len(group), rng) * rng.uniform(0.25, 0.7, 3) + offset
    points = np.concatenate([turn.apply(lobe) for turn in group])
    return Form(_unit(points), irregular_pose)


def _unit(points: Floats) -> Floats:
    """Centre on the centre of mass and scale to a largest extent of one."""
    centred = points - points.mean(axis=0)
    return centred / np.ptp(centred, axis=0).max()
