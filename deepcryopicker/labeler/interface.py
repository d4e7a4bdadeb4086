"""Common interface of the labelers: learn from a sample, then label single micrographs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcryopicker.labeler.detectors.auto import learn_auto
from deepcryopicker.labeler.detectors.blobs import learn_blobs
from deepcryopicker.labeler.detectors.detector import Detector, detect, label_by_detector
from deepcryopicker.labeler.masks.mask_labeler import label_by_mask
from deepcryopicker.labeler.masks.selection import odd_shapes, reject_shapes
from deepcryopicker.labeler.schema import AutoConfig, LogConfig, MaskConfig
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Candidates, Picks

LearningConfig = MaskConfig | LogConfig | AutoConfig


@dataclass(frozen=True)
class MaskLabeler:
    """A labeler that treats each mask separately, except for shapes that are rare in the sample."""

    config: MaskConfig
    odd: tuple[str, ...]


Labeler = Detector | MaskLabeler


def learn(sample: Sequence[Preprocessed], config: LearningConfig) -> Labeler:
    """Learn a labeler from unlabelled micrographs of one kind.

    Parameters
    ----------
    sample : sequence of Preprocessed
        About eight are sufficient.
    config : labeler configuration
    """
    if isinstance(config, AutoConfig):
        return learn_auto(sample, config)
    if isinstance(config, LogConfig):
        return learn_blobs(sample, config)
    found = [_by_mask(preprocessed, config) for preprocessed in sample]
    return MaskLabeler(config, odd_shapes(found, config.selection))


def label(preprocessed: Preprocessed, labeler: Labeler) -> Candidates:
    """Find candidate particles in a micrograph and select those for training."""
    if isinstance(labeler, Detector):
        return label_by_detector(preprocessed.standard, preprocessed.working_diameter, labeler)
    return reject_shapes(_by_mask(preprocessed, labeler.config), labeler.odd)


def pick(preprocessed: Preprocessed, labeler: Labeler) -> Picks:
    """Find all candidates, whatever their score (labeler as picker); original pixels.

    Shapes that are rare in the dataset are left out.
    """
    if isinstance(labeler, Detector):
        return detect(preprocessed.standard, preprocessed.working_diameter, labeler)
    picks = _by_mask(preprocessed, labeler.config).picks
    return picks[~np.isin(picks.label, labeler.odd)]


def _by_mask(preprocessed: Preprocessed, config: MaskConfig) -> Candidates:
    chain = preprocessed.enhanced
    return label_by_mask(chain, preprocessed.diameter * chain.scale, config)
