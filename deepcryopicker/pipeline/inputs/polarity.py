"""Whether bright blobs of the size of particles stand out where dark particles are expected.

Ice and noise have blobs of both signs. A warning needs many more of the unexpected sign: where
particles are faint the two numbers are alike, and there is none.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.detection.filters import difference_of_gaussians
from deepcryopicker.detection.peaks import local_maxima
from deepcryopicker.picker.pick_counts import SPREAD_OF_MAD
from deepcryopicker.preprocessing.operators.resize import rescale
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Image

_MICROGRAPHS = 3  # of each group
_SIGMA = 0.18  # of the blob filter, diameters
_LARGEST = 24.0  # pixels of a particle: of more, the image is reduced
_CLIP = 3.0  # standard deviations: contaminants do not outweigh particles
_SEPARATION = 0.8  # diameters between the maxima of a response
_STRONG = 3.0  # robust standard deviations of the response
_SKEWED = 0.2  # skewness of the response towards bright blobs
_MORE = 1.5  # times as many bright blobs as dark ones
_SURE = 3.0  # standard deviations of the difference of the two counts


class Blobs(NamedTuple):
    """Strong blobs of a micrograph of the size of particles.

    Attributes
    ----------
    dark, bright : int
        Numbers of blobs; dark are those that look like particles once the polarity is applied.
    skewness : float
        Of the response of the blob filter, positive towards dark blobs.
    """

    dark: int
    bright: int
    skewness: float


class PolarityCheck:
    """Counts the blobs of the first micrographs of each group, and warns at most once for each.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._seen: dict[str, list[Blobs]] = {}

    def add(self, entry: Entry, preprocessed: Preprocessed) -> None:
        """Count the blobs of a micrograph if it is one of the first of its group."""
        seen = self._seen.setdefault(entry.group, [])
        if len(seen) < _MICROGRAPHS and not preprocessed.is_blank:
            seen.append(count_blobs(preprocessed))
            text = polarity_doubt(entry.group, entry.polarity, seen)
            self._run.warn(f"polarity of {entry.group}", text)


def polarity_doubt(group: str, polarity: str, seen: Sequence[Blobs]) -> str | None:
    """Return a warning if the opposite polarity clearly fits better, else None.

    Parameters
    ----------
    group : str
        Name of the micrographs in the warning.
    polarity : {"dark", "bright"}
        As given.
    seen : sequence of Blobs
        Of the first micrographs.
    """
    as_given, opposite = (sum(one[kind] for one in seen) for kind in (0, 1))
    skewness = float(np.mean([one.skewness for one in seen]))
    more = opposite - as_given
    sure = more > _SURE * np.sqrt(opposite + as_given) and opposite > _MORE * as_given
    if not sure or skewness > -_SKEWED:
        return None
    other = "bright" if polarity == "dark" else "dark"
    return (
        f"{group}: {other} blobs of the size of particles outnumber {polarity} ones, {opposite} "
        f"to {as_given}; if particles are {other}, type dataset.polarity={other}"
    )


def count_blobs(preprocessed: Preprocessed) -> Blobs:
    """Count the strong dark and bright blobs of the size of particles."""
    seen = preprocessed.standard
    factor = min(1.0, _LARGEST / preprocessed.working_diameter)  # for chains that enlarge
    working = factor * preprocessed.working_diameter
    image = rescale(np.clip(seen.image, -_CLIP, _CLIP), factor)
    height, width = image.shape
    top, bottom, left, right = (math.ceil(factor * side) for side in seen.margins)
    response = difference_of_gaussians(image, _SIGMA * working)
    response = response[top : height - bottom, left : width - right]
    if not response.size:
        return Blobs(0, 0, 0.0)
    level = _STRONG * SPREAD_OF_MAD * float(np.median(np.abs(response - np.median(response))))
    dark, bright = (
        len(local_maxima(one, _SEPARATION / 2.0 * working, level)[0])
        for one in (response, -response)
    )
    return Blobs(dark, bright, _skewness(response) if level > 0 else 0.0)


def _skewness(values: Image) -> float:
    """Return the third standardised moment; without scipy.stats, which starts slowly."""
    standard = (values - values.mean()) / values.std()
    return float((standard * standard * standard).mean())  # a power is ten times as slow
