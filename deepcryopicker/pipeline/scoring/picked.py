"""A micrograph that has been picked, and its picks beside the truth."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.scores import Evaluated, evaluate_micrograph
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.pipeline.scoring.pick_outcomes import read_outcomes
from deepcryopicker.runs.manifest import Record
from deepcryopicker.types import Picks


@dataclass(frozen=True)
class Picked:
    """What is kept of one micrograph after picking; its picks are read again when they are needed.

    Attributes
    ----------
    entry : Entry
    record : Record
        As it stands in the manifest.
    path : Path
        Of the CSV with every candidate.
    outcomes : Path
        Of the CSV with the outcome of every candidate; only written where there is truth.
    """

    entry: Entry
    record: Record
    path: Path
    outcomes: Path

    def load(self, threshold: float = 0.0) -> Picks:
        """Read the candidates from this score on."""
        picks = read_picks(self.path)
        return picks[picks.score >= threshold]

    @cached_property
    def evaluated(self) -> Evaluated | None:
        """All candidates and their outcomes; None where there is no truth."""
        truth = self.entry.load_truth()
        if truth is None:
            return None
        picks, shape = self.load(), (self.record.height, self.record.width)
        try:
            return read_outcomes(
                self.outcomes, self.entry.name, self.entry.from_micrograph(picks), *truth, shape
            )
        except UsageError:  # removed or damaged: the same again, from the same picks and truth
            return evaluate_picks(self.entry, picks, truth, self.record.diameter, shape)


def scoring_radius(entry: Entry, diameter: float, truth: Picks) -> float:
    """Half a diameter: the one the user gave, or the truth's where it was estimated."""
    if entry.estimated and len(truth) and np.isfinite(truth.diameter).any():
        return float(np.nanmedian(truth.diameter)) / 2.0
    return diameter / 2.0


def evaluate_picks(
    entry: Entry,
    picks: Picks,
    truth: tuple[Picks, Picks],
    diameter: float,
    shape: tuple[int, int],
) -> Evaluated:
    """Match picks with the truth.

    Parameters
    ----------
    entry : Entry
    picks : Picks
        In the micrograph's frame.
    truth : (Picks, Picks)
        True and uncertain particles, in the frame of the entry.
    diameter : float
        Particle diameter that was picked with, original pixels.
    shape : tuple of int
        Height and width of the entry, original pixels.
    """
    radius = scoring_radius(entry, diameter, truth[0])
    return evaluate_micrograph(entry.name, entry.from_micrograph(picks), *truth, radius, shape)
