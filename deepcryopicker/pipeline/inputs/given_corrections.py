"""Corrections of picks that a training learns from, and that hold in what it picks."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.dataset.schema import FolderConfig
from deepcryopicker.detection.pick_rules import false_picks, nearest_within
from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import console, counted
from deepcryopicker.io.coordinates.corrections import (
    SUFFIX,
    Correction,
    Corrections,
    read_corrections,
)
from deepcryopicker.io.coordinates.micrograph_names import NameIndex, plain_name
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.types import Picks


def given_corrections(config: TrainConfig) -> Corrections | None:
    """Read the corrections that a training learns from; None if it learns from something else.

    Raises
    ------
    UsageError
        The file is damaged.
    """
    if not isinstance(config.labeler, TruthConfig) or not isinstance(config.dataset, FolderConfig):
        return None
    given = config.dataset.coordinates
    if given is None or Path(given).suffix.lower() != SUFFIX:
        return None
    return read_corrections(Path(given))


def require_corrections(config: TrainConfig) -> None:
    """Refuse a file of corrections that holds no particle to learn from.

    Raises
    ------
    UsageError
        As :func:`given_corrections`, or nothing is kept or added.
    """
    given = getattr(config.dataset, "coordinates", None)
    if given is None or not Path(given).is_file():
        return
    corrections = given_corrections(config)
    if corrections is None:
        return
    if not any(len(one.particles) for one in corrections.included):
        raise UsageError(
            f"dataset.coordinates={given}: no particle is kept or added\ncorrect some picks first"
        )


def by_entry(corrections: Corrections | None, catalogue: Catalogue) -> dict[str, Correction]:
    """Map names of micrographs to their corrections; those without corrections are missing."""
    if corrections is None:
        return {}
    index = NameIndex(corrections.by_name, plain_name)
    found = {entry.name: index.matching(plain_name(entry.name)) for entry in catalogue.entries}
    return {name: corrections.by_name[one[0]] for name, one in found.items() if len(one) == 1}


def without_excluded(catalogue: Catalogue, corrections: Corrections | None) -> Catalogue:
    """Leave out the micrographs that a person has excluded."""
    known = by_entry(corrections, catalogue)
    left_out = {name for name, one in known.items() if one.excluded}
    if not left_out:
        return catalogue
    console.print(f"{counted(len(left_out), 'excluded micrograph')} left out")
    kept = tuple(entry for entry in catalogue.entries if entry.name not in left_out)
    return replace(catalogue, entries=kept)


def as_corrected(picks: Picks, correction: Correction, diameter: float) -> Picks:
    """Apply what a person has decided to the candidates of a network.

    Candidates within half a diameter of a removed pick have a score of 0, unless a particle that
    was kept or added is as near: the pick was then moved. An added pick gives its score, 1, to
    the nearest candidate within half a diameter; without one it becomes a candidate itself.

    Parameters
    ----------
    picks : Picks
        Every candidate, original pixels.
    correction : Correction
    diameter : float
        Original pixels.
    """
    near = diameter / 2.0
    gone = false_picks(correction, diameter).positions
    lowered = nearest_within(picks.positions, gone, near) >= 0
    lowered &= nearest_within(picks.positions, correction.particles.positions, near) < 0
    score = np.where(lowered, 0.0, picks.score)
    added = correction.added.positions
    found = nearest_within(added, picks.positions, near)
    score[found[found >= 0]] = 1.0
    missing = added[found < 0]
    label = "irregular" if not len(picks) else str(picks.label[int(picks.score.argmax())])
    others = Picks.create(missing[:, 0], missing[:, 1], 1.0, label, diameter)
    every = replace(picks, score=score).joined(others)
    return every[np.argsort(-every.score, kind="stable")]
