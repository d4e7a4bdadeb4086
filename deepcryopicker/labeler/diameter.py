"""Particle diameter from the data, for users who do not give one."""

from collections.abc import Sequence
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
from deepcryopicker.labeler.size import blob_lengths, rim_diameter
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.preprocessing.steps import to_working_scale
from deepcryopicker.types import NO_MARGINS, Floats, Micrograph

# A micrograph shows some 6 to 60 particles along its longer side at usual magnifications.
SMALLEST, LARGEST = 1 / 60, 1 / 6
_STEPS = 14
_FEWEST_ACROSS = 2.5  # diameters along the shorter side of a narrow micrograph
_SCALE = 0.18  # sigma of the blob filter, in diameters
_REFINEMENTS = 8
_SETTLED = 0.005  # relative change of the diameter
_MOST_MEASURED = 400  # detections of each micrograph


@dataclass(frozen=True)
class Estimate:
    """A particle diameter, and how clearly this size stands out.

    Attributes
    ----------
    diameter : float
        Original pixels.
    contrast : float
        0 where everything found at this size is of one kind, which means noise; 1 where particles
        stand out at least twice as clearly. It is no measure of the diameter's error: a shell's
        rim or a lobe of a particle can stand out as clearly as the whole.
    """

    diameter: float
    contrast: float


def estimate_diameter(
    micrographs: Sequence[Micrograph], preprocessing: PreprocessingConfig, config: AutoConfig
) -> Estimate:
    """Measure the particles that stand out most, be they round or square ones or blobs.

    A first guess for either comes from a geometric series of diameters: that at which round and
    square shapes explain most of the micrographs, and that at which the blob filter's response
    is most skewed towards dark blobs. The particles found with a guess are measured, which gives
    the next guess. Of the two kinds, that which explains more area, and more clearly, is taken:
    there is always more of what is smaller, down to the noise.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        As read; a few of one kind at one magnification.
    preprocessing : PreprocessingConfig
    config : AutoConfig
    """

    def preprocessed(diameter: float) -> list[Preprocessed]:
        return [Preprocessed(micrograph, diameter, preprocessing) for micrograph in micrographs]

    # Every diameter has to be looked at in its own scale, even if the chain has a fixed one.
    preprocessing = replace(preprocessing, scale=None, scaling="continuous")
    longest = max(max(micrograph.image.shape) for micrograph in micrographs)
    shortest = min(min(micrograph.image.shape) for micrograph in micrographs)
    largest = min(LARGEST * longest, shortest / _FEWEST_ACROSS)
    diameters = np.geomspace(SMALLEST * longest, largest, _STEPS)
    binning = min(1.0, preprocessing.working_diameter / diameters[0])
    micrographs = [_binned(micrograph, binning) for micrograph in micrographs]
    diameters = diameters * binning  # from here on in pixels of the binned micrographs
    explained, skewness = np.array([_first_look(preprocessed(d), config) for d in diameters]).T
    measured = []
    for response, measure in ((explained, _measure_shapes), (skewness, _measure_blobs)):
        result = _Measured(refined_peak(diameters, response), 0.0, 0.0)
        for _ in range(_REFINEMENTS):
            previous = result.diameter
            result = measure(preprocessed(previous), config)
            diameter = float(np.clip(result.diameter, diameters[0], diameters[-1]))
            result = replace(result, diameter=diameter)
            if abs(diameter / previous - 1.0) < _SETTLED:
                break
        measured.append(result)
    best = max(measured, key=lambda result: result.evidence * result.diameter**2)
    return Estimate(float(best.diameter / binning), min(1.0, best.clarity))


@dataclass(frozen=True)
class _Measured:
    """Diameter of what was found, and what the detector says of it."""

    diameter: float
    clarity: float
    evidence: float


def _binned(micrograph: Micrograph, scale: float) -> Micrograph:
    """Shrink a micrograph to what the smallest diameter needs, as if it had been read so."""
    return replace(to_working_scale(micrograph, scale), scale=1.0, margins=NO_MARGINS)


def _first_look(sample: Sequence[Preprocessed], config: AutoConfig) -> tuple[float, float]:
    """Share of the micrographs that shapes explain, and skewness of the blob filter's response."""
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
            size = rim_diameter(radial_profile(template.image))
        else:
            size = working * np.sqrt(np.pi / 4.0 * np.median(seeds.area[seeds.label == "side"]))
        sizes += [size] * int((label == template.label).sum())
    diameter = float(np.mean(sizes or [working])) / scale
    return _Measured(diameter, detector.clarity, detector.evidence)


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
    return _Measured(diameter, detector.clarity, detector.evidence)


def _strong(sample: Sequence[Preprocessed], detector: Detector) -> list[Peaks]:
    """Find each micrograph's detections above the threshold; the strongest, if they are many."""
    found = []
    for preprocessed in sample:
        peaks, _ = find_all(
            preprocessed.standard, detector.filter, preprocessed.working_diameter, detector.distance
        )
        strong = peaks[peaks.strength >= detector.thresholds(peaks.label)]
        found.append(strong[:_MOST_MEASURED])
    return found


def refined_peak(diameters: Floats, response: Floats) -> float:
    """Diameter at the top of the parabola through the highest peak of a geometric series.

    A rise towards either end is no peak: the largest blobs are contaminants, the smallest noise.
    """
    inner = response[1:-1]
    peak = (inner >= response[:-2]) & (inner >= response[2:])
    best = 1 + int(np.where(peak, inner, -np.inf).argmax() if peak.any() else inner.argmax())
    before, middle, after = response[best - 1 : best + 2]
    curvature = before - 2.0 * middle + after
    offset = 0.5 * (before - after) / curvature if curvature < 0 else 0.0
    step = diameters[1] / diameters[0]
    return float(diameters[best] * step ** np.clip(offset, -1.0, 1.0))
