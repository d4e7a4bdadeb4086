"""Blobs: particles of no particular shape, found by a difference of Gaussians."""

from collections.abc import Sequence

from deepcryopicker.labeler.detectors.detector import Detector, learn_detector
from deepcryopicker.labeler.detectors.responses import BlobFilter
from deepcryopicker.labeler.schema import LogConfig
from deepcryopicker.preprocessing.preprocessed import Preprocessed

# Sigmas in diameters. The true diameter is rarely the best: most particles are denser in the
# middle, and long ones are narrower than their diameter.
_SCALES = (0.14, 0.16, 0.18, 0.2, 0.22)


def learn_blobs(sample: Sequence[Preprocessed], config: LogConfig) -> Detector:
    """Learn the scale and the thresholds from micrographs of one kind.

    Without a given scale, the one with which most detections stand out most clearly is taken.
    """
    scales = _SCALES if config.scale is None else (config.scale,)
    learned = [
        learn_detector(
            BlobFilter(scale, config.clip),
            [preprocessed.standard for preprocessed in sample],
            sample[0].working_diameter,
            config.distance,
            config.typical,
        )
        for scale in scales
    ]
    return max(learned, key=lambda detector: detector.evidence)
