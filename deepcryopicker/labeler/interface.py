"""Common interface of the labelers: learn from a sample, then label single micrographs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepcryopicker.labeler.detectors.auto import learn_auto
from deepcryopicker.labeler.detectors.blobs import learn_blobs
from deepcryopicker.labeler.detectors.detector import Detector, detect, label_by_detector
from deepcryopicker.labeler.detectors.responses import BlobFilter
from deepcryopicker.labeler.masks.mask_labeler import label_by_mask
from deepcryopicker.labeler.masks.selection import odd_shapes, reject_shapes
from deepcryopicker.labeler.masks.shapes import nearest_distance
from deepcryopicker.labeler.schema import (
    AutoConfig,
    FcmConfig,
    IbcConfig,
    KmeansConfig,
    LogConfig,
    MaskConfig,
    PaperConfig,
    SuperKmeansConfig,
    TypicalConfig,
)
from deepcryopicker.labeler.truth import as_candidates
from deepcryopicker.plugins.announced import component
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Candidates, Picks

LearningConfig = MaskConfig | LogConfig | AutoConfig | PaperConfig

_CLUSTERINGS = {
    IbcConfig: "intensity clusters",
    KmeansConfig: "k-means",
    FcmConfig: "fuzzy c-means",
    SuperKmeansConfig: "superpixel clusters",
}


@dataclass(frozen=True)
class MaskLabeler:
    """A labeler that treats each mask separately, except for shapes that are rare in the sample."""

    config: MaskConfig
    odd: tuple[str, ...]


@dataclass(frozen=True)
class FunctionLabeler:
    """A labeler of a plugin: a function of a preprocessed micrograph and its configuration."""

    config: Any
    function: Callable[[Preprocessed, Any], Picks | Candidates]


Labeler = Detector | MaskLabeler | FunctionLabeler


def learn(sample: Sequence[Preprocessed], config: LearningConfig) -> Labeler:
    """Learn a labeler from unlabelled micrographs of one kind.

    Parameters
    ----------
    sample : sequence of Preprocessed
        About eight are sufficient.
    config : labeler configuration
    """
    function = component("labeler", config)
    if function is not None:
        return FunctionLabeler(config, function)
    if isinstance(config, AutoConfig):
        return learn_auto(sample, config)
    if isinstance(config, LogConfig):
        return learn_blobs(sample, config)
    if isinstance(config, PaperConfig):
        return _learn_paper(sample, config)
    found = [_by_mask(preprocessed, config) for preprocessed in sample]
    return MaskLabeler(config, odd_shapes(found, config.selection))


def _learn_paper(sample: Sequence[Preprocessed], config: PaperConfig) -> MaskLabeler:
    """Choose the clustering of a dataset by the shapes that the intensity clustering finds."""
    found = [_by_mask(preprocessed, config.regular) for preprocessed in sample]
    names = np.concatenate([candidates.picks.label[candidates.good] for candidates in found])
    if np.count_nonzero(names != "irregular") > config.rarest_shape * len(names):
        regular = [reject_shapes(candidates, ("irregular",)) for candidates in found]
        return MaskLabeler(config.regular, odd_shapes(regular, config.regular.selection))
    return MaskLabeler(config.irregular, ("top", "side"))


def describe(labeler: Labeler) -> tuple[str, str]:
    """Return what a labeler looks for, and why it was chosen."""
    if isinstance(labeler, Detector):
        kind = "blobs" if isinstance(labeler.filter, BlobFilter) else "class averages"
        return kind, f"detections are {labeler.separation:.1f} deviations from noise on average"
    if isinstance(labeler, MaskLabeler):
        odd = ", ".join(labeler.odd)
        why = f"without the rare {odd}" if odd else "every shape is frequent"
        return f"shapes in masks of {_CLUSTERINGS[type(labeler.config)]}", why
    return labeler.function.__name__, "of a plugin"


def label(preprocessed: Preprocessed, labeler: Labeler) -> Candidates:
    """Find candidate particles in a micrograph and select those for training."""
    if isinstance(labeler, FunctionLabeler):
        return _by_function(preprocessed, labeler)
    if isinstance(labeler, Detector):
        return label_by_detector(preprocessed.standard, preprocessed.working_diameter, labeler)
    return reject_shapes(_by_mask(preprocessed, labeler.config), labeler.odd)


def pick(preprocessed: Preprocessed, labeler: Labeler) -> Picks:
    """Find all candidates, whatever their score (labeler as picker); original pixels.

    Shapes that are rare in the dataset are left out.
    """
    if isinstance(labeler, FunctionLabeler):
        return _by_function(preprocessed, labeler).picks
    if isinstance(labeler, Detector):
        return detect(preprocessed.standard, preprocessed.working_diameter, labeler)
    picks = _by_mask(preprocessed, labeler.config).picks
    return picks[~np.isin(picks.label, labeler.odd)]


def _by_function(preprocessed: Preprocessed, labeler: FunctionLabeler) -> Candidates:
    """Call a labeler of a plugin; of its picks, those that touch another do not train."""
    found = labeler.function(preprocessed, labeler.config)
    if isinstance(found, Candidates):
        return found
    isolation = TypicalConfig().isolation * preprocessed.diameter
    touching = nearest_distance(found.x, found.y) < isolation
    return as_candidates(preprocessed, found, np.where(touching, "touching", ""))


def _by_mask(preprocessed: Preprocessed, config: MaskConfig) -> Candidates:
    chain = preprocessed.enhanced
    return label_by_mask(chain, preprocessed.diameter * chain.scale, config)
