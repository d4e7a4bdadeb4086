"""Blobs: particles without a specific shape, found by a difference of Gaussians."""

from collections.abc import Sequence

from deepcryopicker.labeler.detectors.detector import Detector, learn_detector
from deepcryopicker.labeler.detectors.responses import BlobFilter
from deepcryopicker.labeler.schema import LogConfig
from deepcryopicker.preprocessing.preprocessed import Preprocessed

# Sigmas in diameters. The value for the true diameter is rarely the best: most particles are
# denser at the centre, and elongated ones are narrower than their diameter.
_SCALES = (0.14, 0.16, 0.18, 0.2, 0.22)


def learn_blobs(sample: Sequence[Preprocessed], config: LogConfig) -> Detector:
    """Learn the scale and the thresholds from micrographs of one kind.

    If the configuration gives no scale, the one with the largest total separation is used.
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
    return max(learned, key=lambda detector: detector.total_separation)
