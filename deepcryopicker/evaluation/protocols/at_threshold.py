"""Rules that match only the picks at the threshold, without regard to their scores.

An additional pick may change the match of every other, so that these rules have no curve: their
scores are those of one threshold, without average precision and best F1.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy  # loads its parts, each a large library, where they are first used

from deepcryopicker.evaluation.matching import Index, assign_by_distance, bounded
from deepcryopicker.evaluation.metrics import Scores
from deepcryopicker.types import Floats, Picks


@dataclass(frozen=True)
class Counts:
    """What one of these rules counts on a micrograph.

    Attributes
    ----------
    hits, false, missed : int
        Where particles share a pick, `false` is the number of picks minus that of hits, which may
        be negative.
    """

    hits: int
    false: int
    missed: int

    @property
    def truth(self) -> int:
        """Number of true particles."""
        return self.hits + self.missed


def count_by_distance(picks: Picks, truth: Picks, radius: float) -> Counts:
    """Count pairs that are matched one to one, the closest first (ReconAwarePick).

    Parameters
    ----------
    picks, truth : Picks
    radius : float
        Largest distance of a pair, original pixels, inclusive.
    """
    hits = int(np.count_nonzero(assign_by_distance(picks, truth, radius) >= 0))
    return Counts(hits, len(picks) - hits, len(truth) - hits)


def count_nearest(picks: Picks, truth: Picks, radius: Floats) -> Counts:
    """Count the picks that are the nearest one to some particle (ParSeek).

    Two particles with the same nearest pick are one hit and one missed.

    Parameters
    ----------
    picks, truth : Picks
        N picks and M true particles.
    radius : (M,) float64
        Of each particle: its nearest pick is closer than this, original pixels.
    """
    nearest, distance = _nearest_pick(picks, truth)
    hits = len(np.unique(nearest[distance < radius]))
    return Counts(hits, len(picks) - hits, len(truth) - hits)


def count_shared(picks: Picks, truth: Picks, side: Floats, overlap: float) -> Counts:
    """Count the particles whose nearest pick overlaps with them; picks may be shared (Cryo-EMMAE).

    Parameters
    ----------
    picks, truth : Picks
        N picks and M true particles.
    side : (M,) float64
        Side of the square box of each particle and of its nearest pick, original pixels.
    overlap : float
        The intersection over union is larger than this.
    """
    nearest, _ = _nearest_pick(picks, truth)
    if len(picks) == 0:
        return Counts(0, 0, len(truth))
    shift = np.abs(picks.positions[nearest] - truth.positions)
    shared = np.maximum(side[:, None] - shift, 0.0).prod(axis=1)
    hits = int(np.count_nonzero(shared / (2.0 * side**2 - shared) > overlap))
    return Counts(hits, len(picks) - hits, len(truth) - hits)


def score_counts(counts: Sequence[Counts]) -> dict[str, Any]:
    """Pool the counts of some micrographs and score them, as :func:`counting.score_tallies`."""
    pooled = Scores.from_counts(
        sum(one.hits for one in counts),
        sum(one.false for one in counts),
        sum(one.missed for one in counts),
    )
    without = dict.fromkeys(("average_precision", "best_f1", "best_threshold"))
    return {"truth": sum(one.truth for one in counts), **asdict(pooled), **without}


def _nearest_pick(picks: Picks, truth: Picks) -> tuple[Index, Floats]:
    """Return index and distance of the nearest pick of each particle; infinite without picks."""
    if len(picks) == 0:
        return np.full(len(truth), -1, np.int64), np.full(len(truth), np.inf)
    places, targets = (bounded(one.positions) for one in (picks, truth))
    distance, nearest = scipy.spatial.cKDTree(places).query(targets)
    return nearest.astype(np.int64), distance
