"""The patch around a particle, measured without labels, and the scale that it asks for."""

from dataclasses import replace
from functools import partial

import numpy as np

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import track
from deepcryopicker.labeler.interface import MaskLabeler
from deepcryopicker.labeler.patch_sizes import average_patches
from deepcryopicker.labeler.schema import LabelerConfig, MaskConfig, PaperConfig
from deepcryopicker.pipeline.inputs.open_dataset import spread
from deepcryopicker.pipeline.labels.label_dataset import learn_labelers, preprocess_entry
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.attempts import Attempts

_MEASURED = 8  # micrographs of each group


def settle_patch(config: TrainConfig, catalogue: Catalogue, attempts: Attempts) -> TrainConfig:
    """Measure the patch that sets the scale where ``preprocessing.patch`` is null.

    The largest view decides, and of several datasets the one with the largest patch in relation to
    its particles, so that every patch fits into the window.

    Parameters
    ----------
    config : TrainConfig
    catalogue : Catalogue
        With a diameter for every micrograph.
    attempts : Attempts
        Notes the patch and its scale.

    Raises
    ------
    UsageError
        The labeler measures nothing, or finds no particle.
    """
    chain = config.preprocessing
    if chain.scaling != "grid" or chain.patch is not None:
        return config
    measured = measure_patches(catalogue, chain, config.labeler, attempts)
    shares = {}
    for group, (diameter, sides) in measured.items():
        shares[group] = max(sides.values()) / diameter
        views = ", ".join(f"{name} {side:.1f}" for name, side in sides.items())
        attempts.decide(f"patch of {group}", round(max(sides.values()), 2), f"pixels: {views}")
    if not shares:
        raise UsageError(
            "preprocessing.patch=null: the labeler finds no particle to measure; give a number "
            "of diameters, such as preprocessing.patch=1.5"
        )
    return replace(config, preprocessing=replace(chain, patch=max(shares.values())))


def measure_patches(
    catalogue: Catalogue,
    preprocessing: PreprocessingConfig,
    labeler: LabelerConfig,
    attempts: Attempts,
) -> dict[str, tuple[float, dict[str, float]]]:
    """Measure the average patch of each view in some micrographs of each group.

    Parameters
    ----------
    catalogue : Catalogue
    preprocessing : PreprocessingConfig
    labeler : LabelerConfig
    attempts : Attempts

    Returns
    -------
    dict
        From the group to the diameter of its particles, and from the views found in it to the side
        of their patch, original pixels.

    Raises
    ------
    UsageError
        The labeler has no masks to measure.
    """
    if not isinstance(labeler, MaskConfig | PaperConfig):
        raise UsageError(
            "preprocessing.patch=null measures the masks of a clustering: use labeler=paper, or "
            "give a number of diameters, such as preprocessing.patch=1.5"
        )
    unscaled = replace(preprocessing, scaling="continuous")  # masks do not depend on it
    labelers = learn_labelers(catalogue, unscaled, labeler, attempts)
    measured = {}
    for group, learned in labelers.items():
        assert isinstance(learned, MaskLabeler)
        members = [entry for entry in catalogue.entries if entry.group == group]
        sample = []
        for entry in track(spread(members, _MEASURED), f"measuring patches of {group}"):
            work = partial(preprocess_entry, entry, unscaled, whole_chain=True)
            seen = attempts.attempt("measure", entry.name, entry.path, work)
            if seen is not None and not seen.is_blank:
                sample.append(seen)
        sides = average_patches(sample, learned)
        if sides:
            measured[group] = (float(np.median([one.diameter for one in sample])), sides)
    return measured
