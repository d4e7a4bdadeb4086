"""How far two pickers agree, without any truth."""

from collections.abc import Sequence

import numpy as np

from deepcryopicker.evaluation.matching import HIT, match
from deepcryopicker.types import Picks


def agreement_beyond_chance(
    picks: Sequence[Picks],
    others: Sequence[Picks],
    diameters: Sequence[float],
    areas: Sequence[float],
) -> float:
    """Return the share of one picker's picks that another finds, beyond what chance would find.

    As Cohen's kappa, ``(found - chance) / (1 - chance)``: 1 if all are found, 0 if as many as
    random places would find. A pick is found within half a diameter, one to one; `n` random places
    on an area `A` find ``1 - exp(-n pi d^2 / 4 A)``.

    Parameters
    ----------
    picks : sequence of Picks
        Of the picker that finds, for each micrograph.
    others : sequence of Picks
        Picks to be found.
    diameters : sequence of float
        Of the particles, original pixels.
    areas : sequence of float
        Of the micrographs, square pixels.

    Returns
    -------
    float
        0 if there is nothing to find.
    """
    total = sum(map(len, others))
    if not total:
        return 0.0
    found, by_chance = 0, 0.0
    for ours, theirs, diameter, area in zip(picks, others, diameters, areas, strict=True):
        outcome = match(ours, theirs, Picks.empty(), diameter / 2.0)
        found += int(np.count_nonzero(outcome == HIT))
        covered = len(ours) * np.pi * diameter**2 / 4.0 / area
        by_chance += len(theirs) * (1.0 - float(np.exp(-covered)))
    chance = by_chance / total
    return (found / total - chance) / (1.0 - chance)
