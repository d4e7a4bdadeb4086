"""A mixture of particles, noise and gaps between particles, fitted to the scores of a folder.

The logits of the candidates are described by three components. *Particles* are a normal
distribution. *Noise* has the shape of what the picker finds in images of noise alone
(:mod:`noise_image`): two half-normal distributions around a mode. *Gaps* are a normal distribution
below the noise: places between particles score lower than noise of the same spectrum.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from deepcryopicker.picker.folder.score_counts import BINS, Counts
from deepcryopicker.types import Floats

_STEPS = 150  # of expectation maximisation; the threshold changes by less than a bin after 100
# Standard deviations of logits, and the number of candidates that this expectation counts for:
# general weights on simulated micrographs had 1.1 to 2.3 for particles.
_SPREAD, _GAP_SPREAD, _COUNTS_FOR = 1.8, 1.5, 20.0
_LARGEST_SPREAD, _LARGEST_GAP_SPREAD = 2.5, 2.0
_LEAST_SEPARATION = 2.0
"""Particles lie at least this far above the mode of the noise, in its upper standard deviations:
on micrographs without particles the upper component otherwise fits the tail of the noise."""
_FEWEST_IN_NOISE = 20
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
        """Return the logarithm of the density, (B,) float64."""
        spread = np.where(value >= self.mode, self.above, self.below)
        share = np.log(2.0 * spread / (self.below + self.above))
        return np.asarray(share + norm.logpdf(value, self.mode, spread))


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

    def log_joint(self, value: Floats) -> Floats:
        """Return the logarithm of share times density of gaps, noise and particles, (3, B)."""
        gaps, particles = (norm.logpdf(value, self.centre[i], self.spread[i]) for i in (0, 1))
        densities = np.stack([gaps, self.noise.log_density(value), particles])
        return np.asarray(np.log(self.share)[:, None] + densities)

    def log_odds(self, value: Floats) -> Floats:
        """Return the logarithm of the odds that a candidate is a particle, (B,) float64."""
        gaps, noise, particles = self.log_joint(value)
        return np.asarray(particles - np.logaddexp(gaps, noise))


def noise_scores(counts: Counts) -> NoiseScores | None:
    """Describe the candidates in noise; None if there are too few.

    Parameters
    ----------
    counts : (B,) int64
    """
    total = counts.sum()
    if total < _FEWEST_IN_NOISE:
        return None
    middle = int(np.searchsorted(counts.cumsum(), total / 2))
    mode = float(BINS[middle])
    below, above = (
        max(_root_mean_square(counts[half], BINS[half] - mode), _LEAST_NOISE_SPREAD)
        for half in (slice(None, middle + 1), slice(middle, None))
    )
    return NoiseScores(mode, below, above)


def _root_mean_square(counts: Counts, distance: Floats) -> float:
    return float(np.sqrt((counts * distance**2).sum() / max(counts.sum(), 1)))


def fit_mixture(counts: Counts, noise: NoiseScores) -> Mixture:
    """Fit the components to the candidates of a folder by expectation maximisation.

    The means of gaps and particles are kept below the mode of the noise and above
    `_LEAST_SEPARATION`; their spreads have a weak prior, so that few candidates do not collapse a
    component.

    Parameters
    ----------
    counts : (B,) int64
        Candidates of all micrographs, by logit.
    noise : NoiseScores

    Returns
    -------
    Mixture
    """
    least = noise.mode + _LEAST_SEPARATION * noise.above
    total = max(int(counts.sum()), 1)
    high = float(BINS[min(int(np.searchsorted(counts.cumsum(), 0.95 * total)), len(BINS) - 1)])
    mixture = Mixture(
        noise,
        np.array([0.3, 0.5, 0.2]),
        np.array([noise.mode - 2.0, max(least, high)]),
        np.array([_GAP_SPREAD, _SPREAD]),
    )
    expected = np.array([_GAP_SPREAD, _SPREAD])
    largest = np.array([_LARGEST_GAP_SPREAD, _LARGEST_SPREAD])
    for _ in range(_STEPS):
        joint = mixture.log_joint(BINS)
        weight = counts * np.exp(joint - logsumexp(joint, axis=0))
        number = weight.sum(axis=1)
        own = weight[[0, 2]]
        size = np.maximum(own.sum(axis=1), 1e-9)
        centre = (own * BINS).sum(axis=1) / size
        centre = np.array([min(centre[0], noise.mode), max(centre[1], least)])
        squares = (own * (BINS - centre[:, None]) ** 2).sum(axis=1)
        squares += _COUNTS_FOR * expected**2
        spread = np.minimum(np.sqrt(squares / (size + _COUNTS_FOR)), largest)
        mixture = Mixture(noise, (number + 1.0) / (number.sum() + 3.0), centre, spread)
    return mixture
