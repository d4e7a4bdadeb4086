"""Detectors that learn their thresholds from unlabelled micrographs.

A detector is a filter (blob or class averages) with limits learnt from a sample of micrographs:
the threshold between weak responses (noise) and strong ones (particles), and the range of typical
contrast. All lengths are working pixels of the network's input.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from skimage.filters import threshold_li, threshold_otsu

from deepcryopicker.detection.bounds import clear_of_edges
from deepcryopicker.detection.suppression import suppress_by_distance
from deepcryopicker.frames import picks_to_original
from deepcryopicker.labeler.detectors.outliers import usual_range
from deepcryopicker.labeler.detectors.responses import AverageFilter, BlobFilter, Peaks, find_all
from deepcryopicker.labeler.masks.shapes import coverage, ideal_mask, nearest_distance
from deepcryopicker.labeler.schema import TypicalConfig
from deepcryopicker.types import (
    CONTAMINANT,
    CUT_BY_EDGE,
    WEAK,
    Candidates,
    Floats,
    Micrograph,
    Picks,
    Strings,
)

ONE_KIND = 2.65
"""Separation of responses of a single kind: that of a Gaussian divided at its mean."""

_RESPONSE_LEVELS = 6  # number of levels of the response shown as clusters


@dataclass(frozen=True)
class Limits:
    """Limits of the responses of one class, learnt from a sample of micrographs.

    Attributes
    ----------
    threshold : float
        Response that separates noise from particles.
    separation : float
        Relative excess of the separation over that of a single kind; 0 for noise.
    found : int
        Number of detections above the threshold that are at least a diameter apart, so that
        fragments of a particle count once.
    least_strength : float
        Minimum response of training particles.
    least_contrast, most_contrast : float
        Range of the contrast of training particles within their disc.
    lowest_contrast, highest_contrast : float
        Detections outside this range are contaminants, which may be used as negatives.
    """

    threshold: float
    separation: float
    found: int
    least_strength: float
    least_contrast: float
    most_contrast: float
    lowest_contrast: float = 0.0
    highest_contrast: float = np.inf


_UNKNOWN = Limits(np.inf, 0.0, 0, np.inf, np.inf, -np.inf)  # of a class missing from the sample


@dataclass(frozen=True)
class Detector:
    """A filter and the limits of its responses.

    Attributes
    ----------
    filter : BlobFilter or AverageFilter
    distance : float
        Minimum distance between two detections, diameters.
    limits : dict
        Class to :class:`Limits`. Classes respond differently to noise: the more orientations are
        searched, the higher the responses.
    isolation : float
        Detections with a neighbour within this many diameters are not used for training.
    """

    filter: BlobFilter | AverageFilter
    distance: float
    limits: dict[str, Limits]
    isolation: float

    @property
    def found(self) -> int:
        """Number of detections in the sample."""
        return sum(limits.found for limits in self.limits.values())

    @property
    def separation(self) -> float:
        """Mean separation of the detections; 0 if they do not differ from noise."""
        return self.total_separation / max(self.found, 1)

    @property
    def total_separation(self) -> float:
        """Sum of the separations of all detections, which a few contaminants hardly affect."""
        return sum(limits.found * limits.separation for limits in self.limits.values())

    def limits_of(self, labels: Iterable[str]) -> list[Limits]:
        """Return the limits of the class of each detection."""
        return [self.limits.get(str(name), _UNKNOWN) for name in labels]

    def thresholds(self, labels: Iterable[str]) -> Floats:
        """Return the threshold of the class of each detection, (N,) float64."""
        return np.array([limits.threshold for limits in self.limits_of(labels)])


def learn_detector(
    filter_: BlobFilter | AverageFilter,
    sample: Sequence[Micrograph],
    diameter: float,
    distance: float,
    config: TypicalConfig,
) -> Detector:
    """Learn the limits of each class from a sample of micrographs of one kind.

    Parameters
    ----------
    filter_ : BlobFilter or AverageFilter
    sample : sequence of Micrograph
        Standardised, at the working scale.
    diameter : float
        Particle diameter, working pixels.
    distance : float
        Minimum distance between two detections, diameters.
    config : TypicalConfig
    """
    found = [find_all(m, filter_, diameter, distance)[0] for m in sample]
    names = np.unique(np.concatenate([peaks.label for peaks in found]))
    # Correlation coefficients do not depend on the contrast; responses to blobs do.
    shapeless = isinstance(filter_, BlobFilter)
    limits = {
        str(name): _learn_limits(
            [peaks[peaks.label == name] for peaks in found], diameter, config, shapeless
        )
        for name in names
    }
    return Detector(filter_, distance, limits, config.isolation)


def _learn_limits(
    found: Sequence[Peaks], diameter: float, config: TypicalConfig, shapeless: bool
) -> Limits:
    strength = np.concatenate([peaks.strength for peaks in found])
    contrast = np.concatenate([peaks.contrast for peaks in found])
    threshold, separation = part(strength)
    strong = strength >= threshold
    if not strong.any():
        return _UNKNOWN
    least, most = np.quantile(contrast[strong], config.contrast)
    lowest, highest = usual_range(contrast[strong]) if shapeless else (0.0, np.inf)
    return Limits(
        threshold=threshold,
        separation=max(0.0, separation / ONE_KIND - 1.0),
        found=sum(_apart(peaks[peaks.strength >= threshold], diameter) for peaks in found),
        least_strength=float(np.quantile(strength[strong], config.weakest)),
        least_contrast=float(least),
        most_contrast=float(most),
        lowest_contrast=lowest,
        highest_contrast=highest,
    )


def _apart(peaks: Peaks, distance: float) -> int:
    """Return the number of peaks after suppression of weaker ones within a distance."""
    return len(suppress_by_distance(peaks.x, peaks.y, peaks.strength, distance))


def part(strength: Floats) -> tuple[float, float]:
    """Separate weak from strong responses; none is strong if all are equal.

    The responses of particles vary more than those of noise. This shifts Otsu's threshold towards
    the particles and Li's (minimum cross entropy) towards the noise, so their mean is used.

    Returns
    -------
    threshold, separation : float
        The separation is the difference of the two means over the root mean square of the two
        standard deviations, for Otsu's threshold. A single Gaussian has `ONE_KIND`.
    """
    if len(strength) < 2 or strength.max() <= strength.min():
        return np.inf, 0.0
    otsu = float(threshold_otsu(strength))
    strong, weak = strength[strength >= otsu], strength[strength < otsu]
    if len(strong) == 0 or len(weak) == 0:
        return np.inf, 0.0
    spread = np.sqrt((strong.var() + weak.var()) / 2.0)
    separation = float((strong.mean() - weak.mean()) / max(spread, 1e-12))
    return (otsu + float(threshold_li(strength))) / 2.0, separation


def detect(micrograph: Micrograph, diameter: float, detector: Detector) -> Picks:
    """Find all responses above the floor; the threshold of a class has a score of 0.5.

    Parameters
    ----------
    micrograph : Micrograph
        Standardised, at the working scale.
    diameter : float
        Particle diameter, working pixels.
    detector : Detector

    Returns
    -------
    Picks
        Original pixels, best first.
    """
    peaks, _ = find_all(micrograph, detector.filter, diameter, detector.distance)
    picks = _to_picks(peaks, micrograph.scale, diameter, detector)
    return picks[np.argsort(-picks.score, kind="stable")]


def label_by_detector(micrograph: Micrograph, diameter: float, detector: Detector) -> Candidates:
    """Find the particles of one micrograph and select those for training.

    Parameters
    ----------
    micrograph : Micrograph
        Standardised, at the working scale.
    diameter : float
        Particle diameter, working pixels.
    detector : Detector

    Returns
    -------
    Candidates
        The mask consists of their ideal shapes: discs, and boxes for side views.
    """
    every, response = find_all(micrograph, detector.filter, diameter, detector.distance)
    peaks = every[every.strength >= detector.thresholds(every.label)]
    reason = _rejection_reasons(peaks, micrograph, diameter, detector)
    mask = ideal_mask(peaks.x, peaks.y, peaks.label, peaks.angle, diameter, response.shape)
    lowest = min((limits.threshold for limits in detector.limits.values()), default=np.inf)
    level = np.clip(response / lowest, 0.0, 2.0) / 2.0  # 0.5 at the threshold
    return Candidates(
        picks=_to_picks(peaks, micrograph.scale, diameter, detector),
        good=reason == "",
        reason=reason,
        coverage=coverage(response >= lowest, diameter),
        clusters=np.rint((1.0 - level) * (_RESPONSE_LEVELS - 1)).astype(np.uint8),
        mask=mask,
        scale=micrograph.scale,
    )


def _to_picks(peaks: Peaks, scale: float, diameter: float, detector: Detector) -> Picks:
    score = peaks.strength / (peaks.strength + detector.thresholds(peaks.label))
    picks = Picks.create(peaks.x, peaks.y, score, peaks.label, diameter)
    return picks_to_original(picks, scale)


def _rejection_reasons(
    peaks: Peaks, micrograph: Micrograph, diameter: float, detector: Detector
) -> Strings:
    """Return why each detection may not train the network, (N,) str; empty for good ones."""
    known = detector.limits_of(peaks.label)
    weakest = np.array([limits.least_strength for limits in known])
    least = np.array([limits.least_contrast for limits in known])
    most = np.array([limits.most_contrast for limits in known])
    lowest = np.array([limits.lowest_contrast for limits in known])
    highest = np.array([limits.highest_contrast for limits in known])
    whole = clear_of_edges(
        peaks.x, peaks.y, micrograph.image.shape, micrograph.margins, diameter / 2.0
    )
    reason = np.full(len(peaks.x), "", dtype="<U24")
    # The first violated rule gives the reason, so the rules are applied in reverse order.
    for why, broken in (
        ("touching", nearest_distance(peaks.x, peaks.y) < detector.isolation * diameter),
        ("too much contrast", peaks.contrast > most),
        ("too little contrast", peaks.contrast < least),
        (WEAK, peaks.strength < weakest),
        (CONTAMINANT, (peaks.contrast < lowest) | (peaks.contrast > highest)),
        (CUT_BY_EDGE, ~whole),
    ):
        reason[broken] = why
    return reason
