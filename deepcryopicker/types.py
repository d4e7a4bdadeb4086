"""Data passed between the stages of the pipeline: shapes, units and frames, documented once.

Two pixel frames exist. *Original* pixels are those of the micrograph's file; *working* pixels are
those of the rescaled image that labelers and networks see. In both, x is the column, y the row,
and 0 is the centre of the top-left pixel. ``deepcryopicker.frames`` converts between them.
All output is in original pixels.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Strings = npt.NDArray[np.str_]
Labels = npt.NDArray[np.int32]
"""Components of a mask, (H, W): 0 is background, each component has its own positive number."""

SHAPES = ("top", "side", "irregular")
"""Particle classes in the paper's order; RELION's class numbers are their positions, from 1."""

PARTICLE = "particle"
"""Class of any shape, for networks that do not distinguish shapes."""

BACKGROUND = "background"
NEGATIVE = "negative"
"""Classes of windows without a particle, or without one at the centre."""

DEVICES = ("auto", "cpu", "cuda")
"""Where a network runs; ``auto`` is CUDA if available."""


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


@dataclass(frozen=True)
class Picks:
    """Particle positions of one micrograph, from any picker.

    Attributes
    ----------
    x, y : (N,) float64
        Particle centres, column and row, original pixels.
    score : (N,) float64
        Probability in [0, 1] that this is a particle; for other programs, any number that
        increases with the likelihood of a particle.
    label : (N,) str
        Particle class: ``top``, ``side`` or ``irregular``.
    diameter : (N,) float64
        Original pixels.
    """

    x: Floats
    y: Floats
    score: Floats
    label: Strings
    diameter: Floats

    def __post_init__(self) -> None:
        lengths = {len(column) for column in (self.x, self.y, self.score, self.label)}
        if lengths != {len(self.diameter)}:
            raise ValueError(f"Picks need columns of one length, got lengths {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.x)

    @classmethod
    def create(
        cls,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        score: npt.ArrayLike = 1.0,
        label: npt.ArrayLike = "irregular",
        diameter: npt.ArrayLike = np.nan,
    ) -> Self:
        """Build from arrays, lists or scalars; scalars are repeated for every pick.

        Parameters
        ----------
        x, y : (N,) array_like
            Particle centres, original pixels.
        score, label, diameter : (N,) array_like or scalar
            See `Picks`.
        """
        x = np.atleast_1d(np.asarray(x, np.float64))
        size = x.shape
        return cls(
            x,
            np.atleast_1d(np.asarray(y, np.float64)),
            np.array(np.broadcast_to(np.asarray(score, np.float64), size)),
            np.array(np.broadcast_to(np.asarray(label, np.str_), size)),
            np.array(np.broadcast_to(np.asarray(diameter, np.float64), size)),
        )

    @property
    def positions(self) -> Floats:
        """Centres, (N, 2): x, y in original pixels."""
        return np.column_stack([self.x, self.y])

    @classmethod
    def empty(cls) -> Self:
        """Return a set without picks."""
        return cls.create([], [])

    def moved(self, x: float, y: float) -> Self:
        """Return the same picks shifted by `x` columns and `y` rows."""
        return replace(self, x=self.x + x, y=self.y + y)

    def flipped(self, height: int) -> Self:
        """Return the same picks mirrored top to bottom in an image of `height` rows."""
        return replace(self, y=height - 1 - self.y)

    def joined(self, others: Self) -> Self:
        """Return these picks followed by others of the same micrograph."""
        return replace(
            self,
            **{
                name: np.concatenate([getattr(self, name), getattr(others, name)])
                for name in ("x", "y", "score", "label", "diameter")
            },
        )

    def grouped(self, names: Sequence[str]) -> dict[str, Self]:
        """Return the picks by name, in order of appearance; `names` has one name per pick."""
        members: dict[str, array[int]] = {}
        for index, name in enumerate(names):
            members.setdefault(name, array("q")).append(index)
        return {name: self[np.array(which)] for name, which in members.items()}

    def __getitem__(self, index: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Self:
        return replace(
            self,
            x=self.x[index],
            y=self.y[index],
            score=self.score[index],
            label=self.label[index],
            diameter=self.diameter[index],
        )


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
