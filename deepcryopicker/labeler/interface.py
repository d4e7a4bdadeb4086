"""The labelers behind one interface: learn from a sample, then label micrographs one by one."""

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
    """A labeler that judges each mask by itself, but for shapes that the sample hardly has."""

    config: MaskConfig
    odd: tuple[str, ...]


Labeler = Detector | MaskLabeler


def learn(sample: Sequence[Preprocessed], config: LearningConfig) -> Labeler:
    """Learn from micrographs of one kind, without labels.

    Parameters
    ----------
    sample : sequence of Preprocessed
        Some eight show enough.
    config : labeler configuration
    """
    if isinstance(config, AutoConfig):
        return learn_auto(sample, config)
    if isinstance(config, LogConfig):
        return learn_blobs(sample, config)
    found = [_by_mask(preprocessed, config) for preprocessed in sample]
    return MaskLabeler(config, odd_shapes(found, config.selection))


def label(preprocessed: Preprocessed, labeler: Labeler) -> Candidates:
    """Find candidate particles in a micrograph and say which may train the network."""
    if isinstance(labeler, Detector):
        return label_by_detector(preprocessed.standard, preprocessed.working_diameter, labeler)
    return reject_shapes(_by_mask(preprocessed, labeler.config), labeler.odd)


def pick(preprocessed: Preprocessed, labeler: Labeler) -> Picks:
    """Find every candidate, whatever its score: a labeler as a picker. Original pixels.

    Shapes that the dataset does not seem to hold are left out.
    """
    if isinstance(labeler, Detector):
        return detect(preprocessed.standard, preprocessed.working_diameter, labeler)
    picks = _by_mask(preprocessed, labeler.config).picks
    return picks[~np.isin(picks.label, labeler.odd)]


def _by_mask(preprocessed: Preprocessed, config: MaskConfig) -> Candidates:
    chain = preprocessed.enhanced
    return label_by_mask(chain, preprocessed.diameter * chain.scale, config)
