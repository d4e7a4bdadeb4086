"""A micrograph that has been picked, and its picks beside the truth."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.evaluation.scores import Evaluated, evaluate_micrograph
from deepcryopicker.io.coordinates.formats import read_picks
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
    """

    entry: Entry
    record: Record
    path: Path

    def load(self, threshold: float = 0.0) -> Picks:
        """Read the candidates from this score on."""
        picks = read_picks(self.path)
        return picks[picks.score >= threshold]

    @cached_property
    def evaluated(self) -> Evaluated | None:
        """All candidates beside the truth; None where there is none."""
        shape = self.record.height, self.record.width
        return evaluate_picks(self.entry, self.load(), self.record.diameter, shape)


def scoring_radius(entry: Entry, diameter: float, truth: Picks) -> float:
    """Half a diameter: the one the user gave, or the truth's where it was estimated."""
    if entry.estimated and len(truth) and np.isfinite(truth.diameter).any():
        return float(np.nanmedian(truth.diameter)) / 2.0
    return diameter / 2.0


def evaluate_picks(
    entry: Entry, picks: Picks, diameter: float, shape: tuple[int, int]
) -> Evaluated | None:
    """Match picks, in the micrograph's frame, with the truth of an entry, if it has any."""
    truth = entry.load_truth()
    if truth is None:
        return None
    radius = scoring_radius(entry, diameter, truth[0])
    return evaluate_micrograph(entry.name, entry.from_micrograph(picks), *truth, radius, shape)
