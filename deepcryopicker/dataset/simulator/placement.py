"""Positions of particles: separate, a few touching, clear of carbon and crystals."""

from dataclasses import dataclass

import numpy as np

from deepcryopicker.dataset.simulator import junk
from deepcryopicker.types import Floats, Mask


@dataclass(frozen=True)
class Spacing:
    """Minimum distances, in particle diameters.

    Attributes
    ----------
    apart, touching : float
        Of most centres, and of particles placed next to another.
    touching_share : float
        Fraction of particles placed next to another.
    edge : float
        Of a centre from the edge of the image.
    """

    apart: float = 1.05
    touching: float = 0.75
    touching_share: float = 0.1
    edge: float = 0.25


USUAL = Spacing()


def place(
    shape: tuple[int, int],
    diameter: float,
    coverage: float,
    carbon: junk.Carbon,
    crystals: junk.Crystals,
    rng: np.random.Generator,
    spacing: Spacing = USUAL,
    free: Mask | None = None,
) -> tuple[Floats, Floats]:
    """Scatter particle centres over the free ice, half a diameter clear of carbon and crystals.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the image, pixels.
    diameter : float
        Of the particles, pixels.
    coverage : float
        Fraction of the free area to be covered by discs of this diameter. Above about 0.45 there
        are no free positions left and fewer particles are placed.
    carbon : Carbon
    crystals : Crystals
        No particle lies on either.
    rng : numpy.random.Generator
    spacing : Spacing
        Distances between particles and from the edge.
    free : (H, W) bool, optional
        Where centres may lie besides.

    Returns
    -------
    x, y : (N,) float64
        Pixels.
    """
    lowest = spacing.edge * diameter
    highest = np.array(shape[::-1]) - 1 - lowest
    sample = rng.uniform(0, np.array(shape[::-1]) - 1, (2000, 2))

    def clear(places: Floats) -> Mask:
        on_ice = _on_ice(places, diameter, carbon, crystals)
        if free is None:
            return on_ice
        columns, rows = np.rint(places.T).astype(np.intp)
        allowed: Mask = on_ice & free[rows, columns]
        return allowed

    area = shape[0] * shape[1] * clear(sample).mean()
    goal = round(coverage * area / (np.pi / 4 * diameter**2))
    apart = goal - round(spacing.touching_share * goal)

    tries = rng.uniform(lowest, highest, (100 * goal, 2))
    tries = tries[clear(tries)]
    centres = _accept(np.empty((0, 2)), tries, apart, spacing.apart * diameter)

    beside = centres[rng.integers(0, max(len(centres), 1), 20 * goal * bool(len(centres)))]
    angle = rng.uniform(0, 2 * np.pi, len(beside))
    distance = diameter * rng.uniform(spacing.touching, spacing.apart, len(beside))
    tries = beside + distance[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    tries = tries[((tries >= lowest) & (tries <= highest)).all(axis=1)]
    tries = tries[clear(tries)]
    centres = _accept(centres, tries, len(centres) + goal - apart, spacing.touching * diameter)
    return centres[:, 0].copy(), centres[:, 1].copy()


def _on_ice(places: Floats, diameter: float, carbon: junk.Carbon, crystals: junk.Crystals) -> Mask:
    """Return which positions (N, 2) are clear of carbon and crystals, (N,) bool."""
    x, y = places.T
    clear: Mask = carbon.depth(x, y) < -diameter / 2
    for crystal_x, crystal_y, size in zip(crystals.x, crystals.y, crystals.diameter, strict=True):
        clear &= np.hypot(x - crystal_x, y - crystal_y) > (size + diameter) / 2
    return clear


def _accept(taken: Floats, tries: Floats, goal: int, distance: float) -> Floats:
    """Append to `taken`, in order, the tries that keep the distance, until there are `goal`."""
    centres = np.concatenate([taken, np.empty((max(goal - len(taken), 0), 2))])
    count = len(taken)
    for place in tries:
        if count >= goal:
            break
        if (((centres[:count] - place) ** 2).sum(axis=1) >= distance**2).all():
            centres[count] = place
            count += 1
    return centres[:count]
