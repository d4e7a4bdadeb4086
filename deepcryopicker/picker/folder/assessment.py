"""Whether the picks of a folder are particles, as far as the picks can say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from deepcryopicker.picker.folder.curve import LEAST_GAIN, FolderCurve
from deepcryopicker.picker.folder.mixture import refit_shares
from deepcryopicker.picker.folder.score_counts import Counts
from deepcryopicker.picker.folder.second_opinion import NO_PARTICLES
from deepcryopicker.picker.pick_counts import FEW
from deepcryopicker.types import Floats, Mask

FOUND, DOUBTFUL, NOTHING = "particles found", "doubtful", "nothing found"
"""Verdicts."""

# Nats per particle by which candidates are more likely with particles than without. Simulated
# particles of which half or more can be found had 1.1 to 10; the tail of candidates in noise, 0.6.
_CLEAR, _UNCLEAR = 1.0, 0.65
_GOOD_PRECISION = 0.6
_HARDLY_ANY = FEW / 2.0
_OF_A_PART = 0.5  # gains of micrographs vary by a factor of two
_PERHAPS = 0.35  # probability that picks average to particles
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


@dataclass(frozen=True)
class ExpectedCounts:
    """Numbers of candidates; those of micrographs add up.

    Attributes
    ----------
    picks : int
    true : float
        Expected particles among them.
    particles, variance : float
        Expected number of particles among all candidates, and its variance.
    """

    picks: int
    true: float
    particles: float
    variance: float

    def __add__(self, other: "ExpectedCounts") -> "ExpectedCounts":
        return ExpectedCounts(
            self.picks + other.picks,
            self.true + other.true,
            self.particles + other.particles,
            self.variance + other.variance,
        )


NO_CANDIDATES = ExpectedCounts(0, 0.0, 0.0, 0.0)


def expected_counts(
    probability: Floats, picked: Mask, counts: Counts | None = None
) -> ExpectedCounts:
    """Count candidates by their probabilities of being particles.

    Parameters
    ----------
    probability : (N,) float64
        Of candidates, or of bins of candidates.
    picked : (N,) bool
        Whether they are picks.
    counts : (N,) int64, optional
        Candidates in each bin.
    """
    number = np.ones(len(probability), np.int64) if counts is None else counts
    expected = number * probability
    return ExpectedCounts(
        int(number[picked].sum()),
        float(expected[picked].sum()),
        float(expected.sum()),
        float((expected * (1.0 - probability)).sum()),
    )


def expected_by_mixture(counts: Counts, curve: FolderCurve, picked: Mask) -> ExpectedCounts:
    """Count candidates by the mixture of their folder.

    Parameters
    ----------
    counts : (B,) int64
        Candidates by logit.
    curve : FolderCurve
    picked : (B,) bool
        Whether candidates of each bin are picks.
    """
    return expected_counts(expit(curve.mixture.log_odds()), picked, counts)


def gain_each(counts: Counts, curve: FolderCurve) -> float:
    """Return the gain of a curve per expected particle, nats; 0 if it is that of chance.

    Particles are those that the mixture expects: corrections of scores must not change how
    clearly they stand out from noise.

    Parameters
    ----------
    counts : (B,) int64
        Candidates that the curve was fitted to.
    curve : FolderCurve
    """
    if curve.gain < LEAST_GAIN:
        return 0.0
    particles = float((counts * expit(curve.mixture.log_odds())).sum())
    return curve.gain / max(particles, 1.0)


def assess(
    found: ExpectedCounts,
    gain: float,
    covered: float,
    averages: float | None = None,
    least: float = 1.0,
) -> Assessment:
    """Assess the candidates of a folder, or of a micrograph.

    Parameters
    ----------
    found : ExpectedCounts
    gain : float
        See :func:`gain_each`.
    covered : float
        Area of a particle's disc over that of the micrographs.
    averages : float or None
        Probability that the picks average to particles, see
        :class:`deepcryopicker.picker.folder.second_opinion.SecondOpinion`; where it is known, the
        gain has had a part in it.
    least : float
        What the limits of the gain are multiplied by: less than 1 where other evidence decides,
        see :func:`relative_least` and :func:`vouched_least`.
    """
    particles, spread = found.particles, float(np.sqrt(found.variance))
    precision = found.true / found.picks if found.picks else 0.0
    share = found.picks * covered
    verdict, reason = FOUND, f"they stand out from noise by {gain:.1f} nats each"
    if gain < _CLEAR:
        averaged = averages is not None
        reason += (
            f", and {'average to particles' if averaged else 'are what the general weights find'}"
        )
    if gain < _UNCLEAR * least:
        verdict, reason = NOTHING, "what was picked looks like what is picked in noise"
    elif averages is not None and averages < NO_PARTICLES:
        verdict, reason = NOTHING, "what was picked does not average to particles"
    elif share < _HARDLY_ANY:
        verdict, reason = NOTHING, f"the picks cover {share:.2%} of the micrographs"
    elif averages is None and gain < _CLEAR * least:
        verdict, reason = DOUBTFUL, "the picks hardly stand out from noise"
    elif averages is not None and averages < _PERHAPS:
        verdict, reason = DOUBTFUL, "the picks hardly average to particles"
    elif precision < _GOOD_PRECISION:
        verdict, reason = DOUBTFUL, f"only {precision:.0%} of the picks are likely particles"
    elif share < FEW:
        verdict, reason = DOUBTFUL, f"the picks cover only {share:.1%} of the micrographs"
    interval = (max(particles - _Z * spread, 0.0), particles + _Z * spread)
    recall = found.true / particles if particles >= 1.0 else 0.0
    return Assessment(verdict, reason, found.picks, particles, interval, precision, recall, gain)


def relative_least(gain: float) -> float:
    """Return the factor of the limits of the gain where averages decide on a folder.

    Micrographs are then compared with their folder, which may lie below the limits.

    Parameters
    ----------
    gain : float
        Of the folder.
    """
    return min(1.0, gain / _CLEAR)


def vouched_least(gain: float) -> tuple[float, float]:
    """Return the factors of the limits of the gain where general weights vouch for a network.

    A network that was trained on crowded micrographs also finds much in noise with their
    spectrum, which is mostly that of particles. If it finds what the general weights find, which
    stand out from noise, a small gain is not a doubt.

    Parameters
    ----------
    gain : float
        Of the folder.

    Returns
    -------
    whole, part : float
        For the folder, and for its micrographs, which are compared with it.
    """
    whole = relative_least(gain)
    return whole, whole * _OF_A_PART


def curve_of_part(counts: Counts, curve: FolderCurve) -> FolderCurve:
    """Fit the shares of particles, noise and gaps to a part of a folder, such as a micrograph.

    Returns
    -------
    FolderCurve
        With these shares and the gain of the part; the rest is as for the folder.
    """
    with_particles, without = (refit_shares(counts, curve.mixture, each) for each in (True, False))
    gain = with_particles.log_likelihood(counts) - without.log_likelihood(counts)
    return FolderCurve(curve.calibration, with_particles, gain)


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
