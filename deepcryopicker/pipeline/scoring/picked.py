"""A picked micrograph, and its picks matched with the truth."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.runs.manifest import Record
from deepcryopicker.types import Picks

if TYPE_CHECKING:
    from deepcryopicker.evaluation.scores import Evaluated

OUTCOMES = "outcomes"
"""Folder of a run with the outcome of every pick, a file per micrograph with truth."""


@dataclass(frozen=True)
class Picked:
    """A picked micrograph; its picks are read from file on demand.

    Attributes
    ----------
    entry : Entry
    record : Record
        Record in the manifest.
    path : Path
        CSV with every candidate.
    outcomes : Path
        CSV with the outcome of every candidate; exists only with truth.
    verdict : str or None
        Whether the picks are particles, see :mod:`deepcryopicker.picker.folder.assessment`.
    """

    entry: Entry
    record: Record
    path: Path
    outcomes: Path
    verdict: str | None = None

    def load(self, threshold: float = 0.0) -> Picks:
        """Read the candidates with at least this score."""
        picks = read_picks(self.path)
        return picks[picks.score >= threshold]

    @cached_property
    def evaluated(self) -> "Evaluated | None":
        """All candidates and their outcomes; None without truth."""
        truth = self.entry.load_truth()
        if truth is None:
            return None
        # Imported on demand, because most micrographs have no truth.
        from deepcryopicker.pipeline.scoring.pick_outcomes import read_outcomes

        picks, shape = self.load(), (self.record.height, self.record.width)
        try:
            return read_outcomes(
                self.outcomes, self.entry.name, self.entry.from_micrograph(picks), *truth, shape
            )
        except UsageError:  # removed or damaged: computed again from the same picks and truth
            return evaluate_picks(self.entry, picks, truth, self.record.diameter, shape)


def scoring_radius(entry: Entry, diameter: float, truth: Picks) -> float:
    """Return the matching radius: half the given diameter, or half that of the truth.

    Parameters
    ----------
    entry : Entry
    diameter : float
        Particle diameter used for picking, original pixels.
    truth : Picks
        Used if `diameter` is an estimate.

    Returns
    -------
    float
        Original pixels.
    """
    if entry.estimated and len(truth) and np.isfinite(truth.diameter).any():
        return float(np.nanmedian(truth.diameter)) / 2.0
    return diameter / 2.0


def evaluate_picks(
    entry: Entry,
    picks: Picks,
    truth: tuple[Picks, Picks],
    diameter: float,
    shape: tuple[int, int],
) -> "Evaluated":
    """Match picks with the truth.

    Parameters
    ----------
    entry : Entry
    picks : Picks
        In the frame of the micrograph.
    truth : (Picks, Picks)
        True and uncertain particles, in the frame of the entry.
    diameter : float
        Particle diameter used for picking, original pixels.
    shape : tuple of int
        Height and width of the entry, original pixels.
    """
    from deepcryopicker.evaluation.scores import evaluate_micrograph

    radius = scoring_radius(entry, diameter, truth[0])
    return evaluate_micrograph(entry.name, entry.from_micrograph(picks), *truth, radius, shape)
