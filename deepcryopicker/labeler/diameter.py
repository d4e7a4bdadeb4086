"""Estimation of the particle diameter from micrographs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import skew

from deepcryopicker.detection.filters import difference_of_gaussians
from deepcryopicker.labeler.detectors.auto import find_seeds, learn_averages
from deepcryopicker.labeler.detectors.averages import radial_profile
from deepcryopicker.labeler.detectors.blobs import learn_blobs
from deepcryopicker.labeler.detectors.detector import Detector
from deepcryopicker.labeler.detectors.responses import AverageFilter, Peaks, find_all
from deepcryopicker.labeler.schema import AutoConfig
from deepcryopicker.labeler.size import blob_lengths, round_diameter
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.preprocessing.steps import to_working_scale
from deepcryopicker.types import NO_MARGINS, Floats, Micrograph

# At usual magnifications the longer side of a micrograph is 6 to 60 particle diameters.
SMALLEST, LARGEST = 1 / 60, 1 / 6
_STEPS = 14
_FEWEST_ACROSS = 2.5  # diameters along the shorter side of a narrow micrograph
_SCALE = 0.18  # sigma of the blob filter, in diameters
_REFINEMENTS = 8
_SETTLED, _CLOSE = 0.005, 0.25  # relative change of the diameter
_LOST = 0.2  # of the strength before; a diameter that is half of the guess leaves a quarter
_MOST_MEASURED = 400  # detections per micrograph


@dataclass(frozen=True)
class Estimate:
    """A particle diameter, and how clearly particles of this size stand out.

    Attributes
    ----------
    diameter : float
        Original pixels.
    contrast : float
        0 if all detections of this size are of one kind, that is, noise; 1 if particles are at
        least twice as well separated. It does not measure the error of the diameter: the wall of
        a shell or a lobe of a particle can stand out as clearly as the whole particle.
    """

    diameter: float
    contrast: float


def estimate_diameter(
    micrographs: Sequence[Micrograph], preprocessing: PreprocessingConfig, config: AutoConfig
) -> Estimate:
    """Measure the particles that stand out most: round and square particles, or blobs.

    The first guesses come from a geometric series of diameters: the diameter at which round and
    square shapes cover most of the micrographs, and that at which the response of the blob filter
    is most skewed towards dark blobs. The particles found with a guess are measured, which gives
    the next guess. Of the two results, the stronger one is returned.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        As read; a few of the same specimen and magnification.
    preprocessing : PreprocessingConfig
    config : AutoConfig
    """

    def preprocessed(diameter: float) -> list[Preprocessed]:
        return [Preprocessed(micrograph, diameter, preprocessing) for micrograph in micrographs]

    # Every diameter is tested at its own working scale, even if the chain has a fixed scale.
    preprocessing = replace(preprocessing, scale=None, scaling="continuous")
    longest = max(max(micrograph.image.shape) for micrograph in micrographs)
    shortest = min(min(micrograph.image.shape) for micrograph in micrographs)
    largest = min(LARGEST * longest, shortest / _FEWEST_ACROSS)
    diameters = np.geomspace(SMALLEST * longest, largest, _STEPS)
    binning = min(1.0, preprocessing.working_diameter / diameters[0])
    micrographs = [_binned(micrograph, binning) for micrograph in micrographs]
    diameters = diameters * binning  # from here on in pixels of the binned micrographs
    explained, skewness = np.array([_first_guess(preprocessed(d), config) for d in diameters]).T
    limits = float(diameters[0]), float(diameters[-1])
    shapes = _refined(
        refined_peak(diameters, explained),
        lambda diameter: _measure_shapes(preprocessed(diameter), config),
        limits,
    )
    blobs = _refined(
        refined_peak(diameters, skewness),
        lambda diameter: _measure_blobs(preprocessed(diameter), config),
        limits,
    )
    best = max(shapes, blobs, key=lambda result: result.strength)
    return Estimate(float(best.diameter / binning), min(1.0, best.separation))


@dataclass(frozen=True)
class _Measured:
    """Diameter of the detections, and the separations of :class:`Detector`."""

    diameter: float
    separation: float
    total_separation: float

    @property
    def strength(self) -> float:
        """Total separation times particle area, because smaller detections are more numerous."""
        return self.total_separation * self.diameter**2


def _refined(
    guess: float, measure: Callable[[float], _Measured], limits: tuple[float, float]
) -> _Measured:
    """Measure what is found with a diameter, and again with the measured one, until it settles.

    Where the particles are lost on the way (the average of few particles is measured at its noisy
    centre, and the next diameter finds noise), the refinement ends too. The result is the one that
    differs least from the diameter that it was found with; without separation if that is not
    close, as beyond a limit.
    """
    results: list[tuple[float, _Measured]] = []
    strength = 0.0
    for _ in range(_REFINEMENTS):
        found = measure(guess)
        change = abs(found.diameter / guess - 1.0)
        found = replace(found, diameter=float(np.clip(found.diameter, *limits)))
        if found.strength < _LOST * strength:
            break
        results.append((change, found))
        if change < _SETTLED or found.diameter == guess:  # the same again at a limit
            break
        guess, strength = found.diameter, found.strength
    change, closest = min(results, key=lambda each: each[0])
    if change > _CLOSE:
        return replace(closest, separation=0.0, total_separation=0.0)
    return closest


def _binned(micrograph: Micrograph, scale: float) -> Micrograph:
    """Reduce a micrograph to the scale of the smallest diameter, as if read at that scale."""
    return replace(to_working_scale(micrograph, scale), scale=1.0, margins=NO_MARGINS)


def _first_guess(sample: Sequence[Preprocessed], config: AutoConfig) -> tuple[float, float]:
    """Return the area fraction covered by shapes, and the skewness of the blob response."""
    seeds = find_seeds(sample, config)
    shaped = seeds.label != "irregular"
    disc = np.pi * sample[0].working_diameter ** 2 / 4.0
    clip = config.blobs.clip
    images = [np.clip(preprocessed.standard.image, -clip, clip) for preprocessed in sample]
    explained = seeds.area[shaped].sum() * disc / sum(image.size for image in images)
    sigma = _SCALE * sample[0].working_diameter
    skewness = [skew(difference_of_gaussians(image, sigma), axis=None) for image in images]
    return float(explained), float(np.mean(skewness))


def _measure_shapes(sample: Sequence[Preprocessed], config: AutoConfig) -> _Measured:
    """Find round and square particles and measure them."""
    seeds = find_seeds(sample, config)
    detector = learn_averages(sample, seeds, config)
    if detector is None or not isinstance(detector.filter, AverageFilter):
        return _Measured(sample[0].diameter, 0.0, 0.0)
    label = np.concatenate([peaks.label for peaks in _strong(sample, detector)])
    scale, working = sample[0].standard.scale, sample[0].working_diameter
    sizes = []
    for template in detector.filter.templates:
        if template.label == "top":
            size = round_diameter(radial_profile(template.image))
        else:
            size = working * np.sqrt(np.pi / 4.0 * np.median(seeds.area[seeds.label == "side"]))
        sizes += [size] * int((label == template.label).sum())
    diameter = float(np.mean(sizes or [working])) / scale
    return _Measured(diameter, detector.separation, detector.total_separation)


def _measure_blobs(sample: Sequence[Preprocessed], config: AutoConfig) -> _Measured:
    """Find blobs and measure them."""
    detector = learn_blobs(sample, replace(config.blobs, scale=_SCALE))
    working, clip = sample[0].working_diameter, config.blobs.clip
    lengths = [
        blob_lengths(np.clip(preprocessed.standard.image, -clip, clip), peaks.x, peaks.y, working)
        for preprocessed, peaks in zip(sample, _strong(sample, detector), strict=True)
    ]
    every = np.concatenate(lengths)
    median = float(np.median(every)) if len(every) else working
    diameter = median / sample[0].standard.scale
    return _Measured(diameter, detector.separation, detector.total_separation)


def _strong(sample: Sequence[Preprocessed], detector: Detector) -> list[Peaks]:
    """Return the detections above the threshold, at most `_MOST_MEASURED` per micrograph."""
    found = []
    for preprocessed in sample:
        peaks, _ = find_all(
            preprocessed.standard, detector.filter, preprocessed.working_diameter, detector.distance
        )
        strong = peaks[peaks.strength >= detector.thresholds(peaks.label)]
        found.append(strong[:_MOST_MEASURED])
    return found


def refined_peak(diameters: Floats, response: Floats) -> float:
    """Return the diameter at the vertex of the parabola through the highest peak of a series.

    A rise towards either end is not a peak: the largest blobs are contaminants, the smallest
    noise.

    Parameters
    ----------
    diameters : (N,) float64
        Geometric series, pixels.
    response : (N,) float64
    """
    inner = response[1:-1]
    peak = (inner >= response[:-2]) & (inner >= response[2:])
    best = 1 + int(np.where(peak, inner, -np.inf).argmax() if peak.any() else inner.argmax())
    before, middle, after = response[best - 1 : best + 2]
    curvature = before - 2.0 * middle + after
    offset = 0.5 * (before - after) / curvature if curvature < 0 else 0.0
    step = diameters[1] / diameters[0]
    return float(diameters[best] * step ** np.clip(offset, -1.0, 1.0))
