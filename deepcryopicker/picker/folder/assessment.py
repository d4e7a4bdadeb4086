"""Whether the picks of a folder are particles, as far as the picks can say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from deepcryopicker.picker.folder.curve import LEAST_GAIN, FolderCurve
from deepcryopicker.picker.folder.mixture import refit_shares
from deepcryopicker.picker.folder.score_counts import Counts
from deepcryopicker.picker.pick_counts import FEW
from deepcryopicker.types import Mask

FOUND, DOUBTFUL, NOTHING = "particles found", "doubtful", "nothing found"
"""Verdicts."""

# Nats per particle by which candidates are more likely with particles than without. Simulated
# particles of which half or more can be found had 1.1 to 10; the tail of candidates in noise, 0.6.
_CLEAR, _UNCLEAR = 1.0, 0.65
_GOOD_PRECISION = 0.6
_HARDLY_ANY = FEW / 2.0
_MANY_EMPTY, _NEARLY_ALL_EMPTY = 0.5, 0.8  # shares of the micrographs
_Z = 1.96  # of an interval of 95 %


@dataclass(frozen=True)
class Assessment:
    """What the scores of a folder say about its picks.

    Attributes
    ----------
    verdict : str
        `FOUND`, `DOUBTFUL` or `NOTHING`.
    reason : str
        In one line.
    picks : int
    particles : float
        Expected number of particles among all candidates.
    interval : (float, float)
        Of this number, 95 %, if the mixture is right.
    precision, recall : float
        Expected, at the threshold.
    gain : float
        Nats per particle by which the candidates are more likely with particles than without.
    """

    verdict: str
    reason: str
    picks: int
    particles: float
    interval: tuple[float, float]
    precision: float
    recall: float
    gain: float


def assess(counts: Counts, curve: FolderCurve, picked: Mask, covered: float) -> Assessment:
    """Assess the candidates of a folder.

    Parameters
    ----------
    counts : (B,) int64
        Candidates by logit.
    curve : FolderCurve
        Fitted to them.
    picked : (B,) bool
        Whether candidates of each bin are picks.
    covered : float
        Area of a particle's disc over that of the micrographs.
    """
    probability = expit(curve.mixture.log_odds())
    particles = float((counts * probability).sum())
    spread = float(np.sqrt((counts * probability * (1.0 - probability)).sum()))
    picks, true = int(counts[picked].sum()), float((counts * probability)[picked].sum())
    precision = true / picks if picks else 0.0
    gain = curve.gain / max(particles, 1.0)
    share = picks * covered
    verdict, reason = FOUND, f"they stand out from noise by {gain:.1f} nats each"
    if curve.gain < LEAST_GAIN or gain < _UNCLEAR:
        verdict, reason = NOTHING, "what was picked looks like what is picked in noise"
    elif share < _HARDLY_ANY:
        verdict, reason = NOTHING, f"the picks cover {share:.2%} of the micrographs"
    elif gain < _CLEAR:
        verdict, reason = DOUBTFUL, "the picks hardly stand out from noise"
    elif precision < _GOOD_PRECISION:
        verdict, reason = (
            DOUBTFUL,
            f"only {precision:.0%} of the picks are likely particles",
        )
    elif share < FEW:
        verdict, reason = DOUBTFUL, f"the picks cover only {share:.1%} of the micrographs"
    interval = (max(particles - _Z * spread, 0.0), particles + _Z * spread)
    recall = true / particles if particles >= 1.0 else 0.0
    return Assessment(verdict, reason, picks, particles, interval, precision, recall, gain)


def assess_micrograph(
    counts: Counts, curve: FolderCurve, picked: Mask, covered: float
) -> Assessment:
    """Assess the candidates of one micrograph by the mixture of its folder.

    The shares of particles, noise and gaps are fitted to this micrograph; the rest is as for
    :func:`assess`.
    """
    with_particles, without = (refit_shares(counts, curve.mixture, each) for each in (True, False))
    gain = with_particles.log_likelihood(counts) - without.log_likelihood(counts)
    own = FolderCurve(curve.calibration, with_particles, gain)
    return assess(counts, own, picked, covered)


def with_parts(whole: Assessment, verdicts: Sequence[str]) -> Assessment:
    """Lower the verdict on a folder if nothing was found on most of its micrographs.

    Parameters
    ----------
    whole : Assessment
    verdicts : sequence of str
        Of the micrographs.
    """
    empty = sum(verdict == NOTHING for verdict in verdicts)
    if whole.verdict == NOTHING or empty <= _MANY_EMPTY * len(verdicts):
        return whole
    verdict = NOTHING if empty >= _NEARLY_ALL_EMPTY * len(verdicts) else DOUBTFUL
    return replace(
        whole, verdict=verdict, reason=f"nothing found on {empty} of {len(verdicts)} micrographs"
    )
