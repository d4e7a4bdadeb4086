"""Particle diameter from the data, for users who do not give one."""

import numpy as np

from deepcryopicker.labeler.ibc import label
from deepcryopicker.labeler.schema import IbcConfig
from deepcryopicker.preprocessing.pipeline import preprocess
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Floats, Micrograph

# A micrograph shows some 6 to 40 particles along its longer side at usual magnifications.
SMALLEST, LARGEST = 1 / 40, 1 / 6
_STEPS = 12


def estimate_diameter(
    micrographs: list[Micrograph], preprocessing: PreprocessingConfig, labeler: IbcConfig
) -> float:
    """Try diameters and take the one at which the labeler finds most.

    At each diameter of a geometric series the good candidates' overlap with their ideal shape
    times their area, as a share of the micrograph, says how much of it they explain.

    Parameters
    ----------
    micrographs : list of Micrograph
        As read; a few of one kind at one magnification.
    preprocessing : PreprocessingConfig
    labeler : IbcConfig

    Returns
    -------
    float
        Original pixels.
    """
    longest = max(max(micrograph.image.shape) for micrograph in micrographs)
    diameters = longest * np.geomspace(SMALLEST, LARGEST, _STEPS)
    explained = np.array(
        [
            np.mean([_explained(m, diameter, preprocessing, labeler) for m in micrographs])
            for diameter in diameters
        ]
    )
    return _refined_peak(diameters, explained)


def _explained(
    micrograph: Micrograph,
    diameter: float,
    preprocessing: PreprocessingConfig,
    labeler: IbcConfig,
) -> float:
    """Share of the micrograph that good candidates of this diameter explain."""
    found = label(
        preprocess(micrograph, diameter, preprocessing), preprocessing.working_diameter, labeler
    )
    picks = found.picks[found.good]
    return float((picks.score * np.pi * picks.diameter**2 / 4.0).sum() / micrograph.image.size)


def _refined_peak(diameters: Floats, response: Floats) -> float:
    """Diameter at the top of the parabola through the best three of a geometric series."""
    best = int(np.clip(response.argmax(), 1, len(response) - 2))
    before, middle, after = response[best - 1 : best + 2]
    curvature = before - 2.0 * middle + after
    offset = 0.5 * (before - after) / curvature if curvature < 0 else 0.0
    step = diameters[1] / diameters[0]
    return float(diameters[best] * step ** np.clip(offset, -1.0, 1.0))
