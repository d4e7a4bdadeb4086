"""The control of a run: what the same picker picks in noise, and what that averages to."""

from collections.abc import Sequence

import numpy as np

from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.picker.folder.candidate_windows import restored
from deepcryopicker.picker.folder.curve import apply_curve
from deepcryopicker.picker.folder.noise_image import share_in_noise
from deepcryopicker.picker.folder.second_opinion import if_particles
from deepcryopicker.picker.folder.window_features import (
    Background,
    WindowClasses,
    classify_candidates,
)
from deepcryopicker.pipeline.picking.results.folder_calibration import FolderCalibration
from deepcryopicker.pipeline.picking.results.pick_files import Files
from deepcryopicker.pipeline.picking.results.window_files import read_windows
from deepcryopicker.pipeline.scoring.picked import Picked

_FEWEST = 60  # windows: two classes


def picks_in_noise(
    drawn: Sequence[Picked], files: Files, calibration: FolderCalibration | None, threshold: float
) -> float:
    """Return how many picks a micrograph would have if it were noise like it.

    Parameters
    ----------
    drawn : sequence of Picked
        Micrographs whose noise was picked.
    files : Files
    calibration : FolderCalibration or None
        Scores are calibrated as those of the micrographs, but not corrected by windows; None keeps
        those of the network.
    threshold : float
    """
    count, micrographs = 0, 0.0
    for one in drawn:
        score = read_picks(files.noise(one.entry)).score
        if calibration is not None:
            score = apply_curve(score, calibration.curve)
            if calibration.opinion is not None:
                score = if_particles(score, calibration.opinion)
        count += int((score >= threshold).sum())
        shape = one.entry.shape_in((one.record.height, one.record.width))
        micrographs += share_in_noise(shape, one.record.diameter)
    return count / micrographs if micrographs else 0.0


def classes_in_noise(
    drawn: Sequence[Picked], files: Files, background: Background
) -> WindowClasses | None:
    """Classify the strongest candidates in noise as those of the micrographs are.

    Parameters
    ----------
    drawn : sequence of Picked
        Micrographs whose noise was picked.
    files : Files
    background : Background
        Of the micrographs.

    Returns
    -------
    WindowClasses or None
        None if there are too few.
    """
    stacks = [read_windows(files.noise_windows(one.entry)) for one in drawn]
    windows = restored(np.concatenate(stacks)) if stacks else np.zeros((0, 1, 1), np.float32)
    if len(windows) < _FEWEST:
        return None
    return classify_candidates(
        windows, np.zeros(len(windows)), background, np.random.default_rng(0)
    )
