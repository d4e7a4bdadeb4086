"""A mixture of particles, noise and gaps between particles, fitted to the scores of a folder.

The logits of the candidates are described by three components. *Particles* are a normal
distribution. *Noise* has the shape of what the picker finds in images of noise alone
(:mod:`noise_image`): two half-normal distributions around a mode. *Gaps* are a normal distribution
below the noise: places between particles score lower than noise of the same spectrum.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from deepcryopicker.picker.folder.score_counts import BINS, Counts
from deepcryopicker.types import Floats

_SHARE_STEPS = 30
_STEPS = 150  # of expectation maximisation; the threshold changes by less than a bin after 100
# Standard deviations of logits, and the number of candidates that this expectation counts for:
# general weights on simulated micrographs had 1.1 to 2.3 for particles.
_SPREAD, _GAP_SPREAD, _COUNTS_FOR = 1.8, 1.5, 20.0
_LARGEST_SPREAD, _LARGEST_GAP_SPREAD = 2.5, 2.0
_LEAST_SEPARATION = 2.0
"""Particles lie at least this far above the mode of the noise, in its upper standard deviations:
on micrographs without particles the upper component otherwise fits the tail of the noise."""
_FEWEST_IN_NOISE, _MANY = 20, 100
_LEAST_NOISE_SPREAD = 0.5


@dataclass(frozen=True)
class NoiseScores:
    """Distribution of the logits of candidates in noise.

    Attributes
    ----------
    mode : float
        Median of the logits.
    below, above : float
        Standard deviations of the two halves.
    """

    mode: float
    below: float
    above: float

    def log_density(self, value: Floats) -> Floats:
        """Return the logarithm of the density at logits, (N,) float64."""
        spread = np.where(value >= self.mode, self.above, self.below)
        share = np.log(2.0 * spread / (self.below + self.above))
        return np.asarray(share + _log_normal(value, self.mode, spread))


_QUIET = NoiseScores(-9.0, 1.5, 1.5)  # candidates below the logit -9.2 are not written
_USUAL = NoiseScores(-5.0, 1.8, 1.8)  # of general weights on simulated and real micrographs


@dataclass(frozen=True)
class Mixture:
    """The three components of the logits of a folder.

    Attributes
    ----------
    noise : NoiseScores
    share : (3,) float64
        Of gaps, noise and particles; their sum is 1.
    centre, spread : (2,) float64
        Mean and standard deviation of gaps and particles.
    """

    noise: NoiseScores
    share: Floats
    centre: Floats
    spread: Floats

    def log_densities(self) -> Floats:
        """Return the logarithms of the densities of gaps, noise and particles, (3, B)."""
        gaps, particles = (_log_normal(BINS, self.centre[i], self.spread[i]) for i in (0, 1))
        return np.stack([gaps, self.noise.log_density(BINS), particles])

    def log_joint(self) -> Floats:
        """Return the logarithm of share times density of gaps, noise and particles, (3, B)."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.share)[:, None] + self.log_densities())

    def membership(self) -> Floats:
        """Return the probabilities that a candidate is of a gap, noise or a particle, (3, B)."""
        joint = self.log_joint()
        return np.asarray(np.exp(joint - logsumexp(joint, axis=0)))

    def log_likelihood(self, counts: Counts) -> float:
        """Return the logarithm of the likelihood of candidates, (B,) int64."""
        return float((counts * logsumexp(self.log_joint(), axis=0)).sum())

    def log_odds(self) -> Floats:
        """Return the logarithm of the odds that a candidate is a particle, (B,) float64.

        They do not fall as scores rise, although two normal distributions of different spread
        cross twice.
        """
        gaps, noise, particles = self.log_joint()
        odds = particles - np.logaddexp(gaps, noise)
        top = int(np.searchsorted(BINS, self.centre[1]))
        odds[top:] = np.maximum.accumulate(odds[top:])
        odds[:top] = np.minimum.accumulate(odds[:top][::-1])[::-1]
        return np.asarray(odds)


def noise_scores(counts: Counts, candidates: int) -> NoiseScores:
    """Describe the candidates in noise.

    Parameters
    ----------
    counts : (B,) int64
        Of candidates in noise.
    candidates : int
        Number of candidates in the micrographs. If these are many and those in noise few, the
        network finds next to nothing in noise: what it finds is taken to lie at the lowest scores
        that are written. If both are few, noise is taken to score as it usually does.
    """
    total = counts.sum()
    if total < _FEWEST_IN_NOISE:
        return _QUIET if candidates >= _MANY else _USUAL
    middle = int(np.searchsorted(counts.cumsum(), total / 2))
    mode = float(BINS[middle])
    below, above = (
        max(_root_mean_square(counts[half], BINS[half] - mode), _LEAST_NOISE_SPREAD)
        for half in (slice(None, middle + 1), slice(middle, None))
    )
    return NoiseScores(mode, below, above)


def fit_mixture(counts: Counts, noise: NoiseScores, particles: bool = True) -> Mixture:
    """Fit the components to the candidates of a folder by expectation maximisation.

    The means of gaps and particles are kept below the mode of the noise and above
    `_LEAST_SEPARATION`; their spreads have a weak prior, so that few candidates do not collapse a
    component.

    Parameters
    ----------
    counts : (B,) int64
        Candidates of all micrographs, by logit.
    noise : NoiseScores
    particles : bool
        False fits gaps and noise alone.

    Returns
    -------
    Mixture
    """
    least = noise.mode + _LEAST_SEPARATION * noise.above
    total = max(int(counts.sum()), 1)
    high = float(BINS[min(int(np.searchsorted(counts.cumsum(), 0.95 * total)), len(BINS) - 1)])
    expected = np.array([_GAP_SPREAD, _SPREAD])
    largest = np.array([_LARGEST_GAP_SPREAD, _LARGEST_SPREAD])
    allowed = np.array([1.0, 1.0, float(particles)])
    share = np.array([0.3, 0.5, 0.2]) * allowed
    centre = np.array([noise.mode - 2.0, max(least, high)])
    mixture = Mixture(noise, share / share.sum(), centre, expected)
    for _ in range(_STEPS):
        weight = counts * mixture.membership()
        number = weight.sum(axis=1)
        own = weight[[0, 2]]
        size = np.maximum(own.sum(axis=1), 1e-9)
        centre = (own * BINS).sum(axis=1) / size
        centre = np.array([min(centre[0], noise.mode), max(centre[1], least)])
        squares = (own * (BINS - centre[:, None]) ** 2).sum(axis=1)
        squares += _COUNTS_FOR * expected**2
        spread = np.minimum(np.sqrt(squares / (size + _COUNTS_FOR)), largest)
        share = (number + 1.0) * allowed
        mixture = Mixture(noise, share / share.sum(), centre, spread)
    return mixture


def refit_shares(counts: Counts, mixture: Mixture, particles: bool = True) -> Mixture:
    """Fit the shares of the components to a part of the candidates, such as one micrograph's.

    Parameters
    ----------
    counts : (B,) int64
    mixture : Mixture
        Fitted to all; its centres and spreads stay.
    particles : bool
        False leaves out particles.
    """
    allowed = np.array([1.0, 1.0, float(particles)])
    densities = np.exp(mixture.log_densities())[:, counts > 0]
    present, share = counts[counts > 0], mixture.share * allowed
    for _ in range(_SHARE_STEPS):
        weight = share[:, None] * densities
        share = ((present * weight / weight.sum(axis=0)).sum(axis=1) + 1.0) * allowed
        share /= share.sum()
    return replace(mixture, share=share)


def _log_normal(value: Floats, centre: float | Floats, spread: float | Floats) -> Floats:
    """Return the logarithm of the density of a normal distribution, (N,) float64."""
    shift = (value - centre) / spread
    return np.asarray(-0.5 * (shift**2 + np.log(2.0 * np.pi)) - np.log(spread))


def _root_mean_square(counts: Counts, distance: Floats) -> float:
    return float(np.sqrt((counts * distance**2).sum() / max(counts.sum(), 1)))
