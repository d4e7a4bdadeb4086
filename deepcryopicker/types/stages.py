"""What a stage of the pipeline hands to the next: micrographs, candidates, windows, maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deepcryopicker.types.arrays import BACKGROUND, NEGATIVE, Image, Mask, Strings
from deepcryopicker.types.picks import Picks


class Margins(NamedTuple):
    """Widths of the invalid (constant or streaked) border of an image, in its own pixels."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


NO_MARGINS = Margins()


@dataclass(frozen=True)
class Micrograph:
    """One micrograph, as read or preprocessed.

    Attributes
    ----------
    name : str
        Path below the input folder without extension, with ``/``; outputs are named by it.
    path : Path
        The file it was read from.
    image : (H, W) float32
        Row 0 is the first row of the file, never flipped. Particles are dark. Within a
        preprocessing chain in double precision, float64.
    pixel_size : float or None
        Angstrom per original pixel, None if unknown.
    scale : float
        Working pixels per original pixel; 1 as read.
    margins : Margins
        Invalid border of `image`, in pixels of `image`.
    """

    name: str
    path: Path
    image: Image
    pixel_size: float | None = None
    scale: float = 1.0
    margins: Margins = NO_MARGINS


CUT_BY_EDGE, UNCERTAIN = "cut by the edge", "uncertain"
"""Reasons not to train on a candidate although it may well be a particle."""

WEAK = "weak"
"""Reason of the weakest detections, which are as likely noise as particles."""

CONTAMINANT = "contaminant"
"""Reason of detections that are not particles; the network may learn them as negatives."""


@dataclass(frozen=True)
class Candidates:
    """Candidate particles that a labeler found in one micrograph.

    Attributes
    ----------
    picks : Picks
        Every candidate, original pixels.
    good : (N,) bool
        Whether the candidate may train the network as a particle.
    reason : (N,) str
        Why it may not train the network; empty for good candidates.
    coverage : (h, w) float32
        Fraction of particle-like pixels in the particle-sized disc around each working pixel;
        low in the background.
    clusters : (h, w) uint8
        Image from which the mask was made: intensity clusters, or levels of a filter response.
    mask : (h, w) bool
        Particle-like pixels.
    scale : float
        Working pixels of these images per original pixel.
    """

    picks: Picks
    good: Mask
    reason: Strings
    coverage: Image
    clusters: npt.NDArray[np.uint8]
    mask: Mask
    scale: float


@dataclass(frozen=True)
class TrainingSet:
    """N training windows of C classes.

    Attributes
    ----------
    windows : (N, S, S) float32 or float16
        Working pixels, centred on the sample.
    target : (N,) int64
        Index into `classes`.
    heat : (N, C) float32
        Target of a heat map: as `target`, but a window off the centre of a particle has a
        fraction of the particle's class. Each row sums to one.
    split : (N,) str
        ``train``, ``validation`` or ``test``.
    group : (N,) str
        Dataset of the window.
    unit : (N,) int64
        Number of the micrograph, or of the spatial block where a dataset has fewer than three
        micrographs. Units, not windows, are assigned to the splits.
    site : (N,) int64
        Number of the position; rotated copies share it.
    classes : tuple of str
        Class names by index, for example ``("top", "side", "irregular", "background")``.
    """

    windows: Image
    target: npt.NDArray[np.int64]
    heat: Image
    split: Strings
    group: Strings
    unit: npt.NDArray[np.int64]
    site: npt.NDArray[np.int64]
    classes: tuple[str, ...]


def particle_classes(classes: Sequence[str]) -> list[int]:
    """Return the indices of the classes that are particles."""
    return [i for i, name in enumerate(classes) if name not in (BACKGROUND, NEGATIVE)]


@dataclass(frozen=True)
class Calibration:
    """Logistic calibration of scores to probabilities.

    Attributes
    ----------
    slope, intercept : float
        ``logit(probability) = slope * logit(score) + intercept``.
    """

    slope: float = 1.0
    intercept: float = 0.0

    @property
    def even(self) -> float:
        """Logit of the score whose probability is one half."""
        return -self.intercept / self.slope


UNCALIBRATED = Calibration()


@dataclass(frozen=True)
class ScoreMap:
    """Class probabilities over one micrograph.

    Attributes
    ----------
    probability : (C, h, w) float32
        Probability of each class at each position, summing to one over C.
    classes : tuple of str
        Class names by index.
    stride : float
        Working pixels between neighbouring positions.
    offset : float
        Working coordinate (x and y alike) of position 0.
    calibration : Calibration
        Of the smoothed particle probability.
    """

    probability: Image
    classes: tuple[str, ...]
    stride: float
    offset: float
    calibration: Calibration = UNCALIBRATED
