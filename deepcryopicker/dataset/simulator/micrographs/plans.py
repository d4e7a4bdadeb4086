"""What a seed decides before anything is simulated: kind, instrument, structure, conditions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepcryopicker.dataset.simulator.instruments.catalogued import INSTRUMENTS
from deepcryopicker.dataset.simulator.micrographs.micrograph_kinds import KINDS_OF_MICROGRAPHS
from deepcryopicker.dataset.simulator.micrographs.randomised import Conditions, draw_conditions

_GOLDEN = (np.sqrt(5) - 1) / 2
_STRUCTURE_SHARE = 0.5
"""Fraction of the micrographs with particles that show a given structure, if any is given."""


@dataclass(frozen=True)
class Variety:
    """What to simulate.

    Attributes
    ----------
    kinds : sequence of str
        Kinds of micrographs, in turn and so in equal parts; empty: all, by their shares.
    instruments : sequence of str
        The same for instruments.
    structures : sequence of Path
        Files of structures; half of the micrographs with particles show one of them.
    """

    kinds: Sequence[str] = ()
    instruments: Sequence[str] = ()
    structures: Sequence[Path] = ()


@dataclass(frozen=True)
class Planned:
    """What a seed decides before anything is simulated.

    Attributes
    ----------
    kind, instrument : str
    structure : Path or None
        Of the particles; None: a random form.
    conditions : Conditions
    """

    kind: str
    instrument: str
    structure: Path | None
    conditions: Conditions


def plan(seed: int, variety: Variety | None = None) -> Planned:
    """Return what `simulate_any` makes from a seed.

    Consecutive seeds have the kinds in their shares as exactly as possible.
    """
    variety = variety or Variety()
    rng = np.random.default_rng([seed, 1])
    kind = variety.kinds[seed % len(variety.kinds)] if variety.kinds else _turn(seed)
    shares = [instrument.share for instrument in INSTRUMENTS.values()]
    instrument = str(rng.choice(list(INSTRUMENTS), p=shares))
    if variety.instruments:
        turn = seed // max(len(variety.kinds), 1)
        instrument = variety.instruments[turn % len(variety.instruments)]
    structure = None
    shown = rng.uniform() < _STRUCTURE_SHARE
    if variety.structures and shown and KINDS_OF_MICROGRAPHS[kind].draw is not None:
        structure = variety.structures[int(rng.integers(len(variety.structures)))]
    conditions = draw_conditions(rng, INSTRUMENTS[instrument].diameters)
    return Planned(kind, instrument, structure, conditions)


def _turn(seed: int) -> str:
    """Return the kind of a seed: multiples of the golden ratio fill the shares evenly."""
    shares = np.cumsum([kind.share for kind in KINDS_OF_MICROGRAPHS.values()])
    position = (seed * _GOLDEN) % 1.0
    names = list(KINDS_OF_MICROGRAPHS)
    return names[min(int(np.searchsorted(shares, position, side="right")), len(names) - 1)]
