"""Regions whose fine noise differs from that round the particles: film, crystals, bare holes."""

import numpy as np

from deepcryopicker.picker.masking.dark_spots import tails
from deepcryopicker.picker.masking.grids import cells, narrowed, widened
from deepcryopicker.picker.masking.regions import (
    hysteresis,
    labelled,
    local_percentile,
    otsu_threshold,
)
from deepcryopicker.picker.pick_counts import SPREAD_OF_MAD
from deepcryopicker.types import Image, Mask

_CELLS = 2
"""Cells of the variance per particle diameter."""
_QUIET, _WINDOW = 20, 5
"""Percentile of the variance within a window, cells. Up to four fifths of the window may show
particles without an effect. Straight borders stay sharp but move by up to 1.5 cells towards the
noisier side."""
_SEPARATED = 0.85
"""Share of the variance between the two classes of Otsu's threshold above which there are two
textures. It is 0.64 for a normal distribution and 0.75 for a uniform gradient."""
_LARGE_PART = 1 / 3
"""Fraction of the image. A smaller part is not the one that is picked from, and a larger one is
only marked if the remainder shows particles."""
_LOW, _HIGH = (3.0, 0.3), (5.0, 0.45)
"""Limits of hysteresis: robust standard deviations of the log variance, and at least a log ratio
of variances (of 1.35 and 1.57)."""
_SHARP = 0.7
"""Share of the difference of a region that is found across its border; low for gradients."""
_SMALLEST = 4 * np.pi
"""Area of a region, cells: four particles."""


def quiet_variance(band: Image, diameter: float) -> Image:
    """Return the logarithm of the local variance between particles.

    Parameters
    ----------
    band : (H, W) float32
        Image without low frequencies.
    diameter : float
        Particle diameter, pixels.

    Returns
    -------
    (h, w) float32
        Two cells per diameter.
    """
    variance = cells(band * band, diameter / _CELLS)
    quiet = local_percentile(variance, _QUIET, _WINDOW)
    return np.log(quiet + 1e-6 * variance.mean() + np.finfo(np.float32).tiny)


def foreign_texture(log_variance: Image, spots: Image) -> Mask:
    """Mark regions with a sharp border whose variance differs from that round the particles.

    Parameters
    ----------
    log_variance : (h, w) float32
        Of `quiet_variance`.
    spots : (y, x) float32
        Of `dark_spots.smoothed`, of the same field of view, six cells per diameter.

    Returns
    -------
    (h, w) bool
    """
    usual = log_variance[_picked_part(log_variance, spots)]
    median = np.median(usual)
    deviation = SPREAD_OF_MAD * np.median(np.abs(usual - median))
    difference = np.abs(log_variance - median)
    low, high = (max(factor * deviation, least) for factor, least in (_LOW, _HIGH))
    differing = hysteresis(difference, low, high)
    usual_ratio, usual_limit = _tails(spots, ~differing)
    foreign = np.zeros(differing.shape, bool)
    if differing.mean() > _LARGE_PART and not usual_ratio > usual_limit:
        return foreign
    number, _ = labelled(differing)
    for index in np.flatnonzero(np.bincount(number.ravel())[1:] >= _SMALLEST) + 1:
        region = number == index
        if not _has_border(log_variance, region, differing):
            continue
        ratio, limit = _tails(spots, region)
        # Particles raise the variance: a small noisy region may be a crowd of them.
        unknown = np.isnan(ratio) and np.median(log_variance[region]) > median
        with_particles = ratio > limit and ratio - 1 > (usual_ratio - 1) / 2
        if not unknown and not with_particles:
            foreign |= region
    return foreign


def _picked_part(log_variance: Image, spots: Image) -> Mask:
    """Return the part (h, w) of the image whose variance is the usual one.

    With two distinct textures, that is the larger part, or one of similar size if only this shows
    dark spots; otherwise the whole image.
    """
    noisy = log_variance > otsu_threshold(log_variance)
    share = noisy.mean()
    if not 0 < share < 1:
        return np.ones_like(noisy)
    between = (
        share * (1 - share) * np.ptp([log_variance[part].mean() for part in (noisy, ~noisy)]) ** 2
    )
    if between < _SEPARATED * log_variance.var():
        return np.ones_like(noisy)
    larger = noisy if share > 0.5 else ~noisy
    if larger.mean() > 1 - _LARGE_PART:
        return larger
    with_spots = [ratio > limit for ratio, limit in (_tails(spots, larger), _tails(spots, ~larger))]
    return ~larger if with_spots == [False, True] else larger


def _tails(spots: Image, part: Mask) -> tuple[float, float]:
    """Return `tails` of the spots within a part (h, w), a diameter from its border."""
    return tails(spots, narrowed(part, _CELLS))


def _has_border(log_variance: Image, region: Mask, differing: Mask) -> bool:
    """Return whether the variance jumps at the border of a region to that of its surroundings."""
    beside = widened(region, 4) & ~widened(region, 1.5) & ~differing
    if not beside.any():
        return False
    core = narrowed(region, 1)
    inside = np.median(log_variance[core if core.any() else region])
    usual = np.median(log_variance[~differing])
    jump = abs(inside - np.median(log_variance[beside]))
    return bool(jump >= _SHARP * abs(inside - usual))
