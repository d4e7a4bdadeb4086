"""Responses of blob and class-average filters, and their peaks; all in working pixels."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from deepcryopicker.detection.bounds import clear_of_margins
from deepcryopicker.detection.filters import (
    correlate,
    difference_of_gaussians,
    disc_deviation,
    disc_mask,
)
from deepcryopicker.detection.peaks import find_peaks
from deepcryopicker.detection.windows import cut
from deepcryopicker.labeler.detectors.averages import Template, rotate
from deepcryopicker.types import Floats, Image, Mask, Micrograph, Strings

Orientation = tuple[str, float]
"""A particle class and its orientation in degrees, from the x axis towards the y axis."""

_FLOOR = 0.02  # minimum response of a candidate


@dataclass(frozen=True)
class BlobFilter:
    """Difference of Gaussians; `scale` is the sigma of the narrow one in diameters."""

    scale: float
    clip: float


@dataclass(frozen=True)
class AverageFilter:
    """Correlation with class averages within one diameter of the centre."""

    templates: tuple[Template, ...]
    clip: float


@dataclass(frozen=True)
class Peaks:
    """Maxima of a filter response over one micrograph, strongest first; working pixels."""

    x: Floats
    y: Floats
    strength: Floats
    label: Strings
    angle: Floats
    contrast: Floats

    def __getitem__(self, index: slice | Mask) -> Self:
        return replace(
            self,
            x=self.x[index],
            y=self.y[index],
            strength=self.strength[index],
            label=self.label[index],
            angle=self.angle[index],
            contrast=self.contrast[index],
        )


def find_all(
    micrograph: Micrograph,
    filter_: BlobFilter | AverageFilter,
    diameter: float,
    distance: float,
) -> tuple[Peaks, Image]:
    """Find all maxima of the response of a filter.

    Parameters
    ----------
    micrograph : Micrograph
        Standardised, at the working scale.
    filter_ : BlobFilter or AverageFilter
    diameter : float
        Particle diameter, working pixels.
    distance : float
        Minimum distance between two maxima, diameters.

    Returns
    -------
    Peaks
        At least half a diameter from invalid borders.
    (H, W) float32
        The response.
    """
    response, orientations, index = respond(micrograph.image, diameter, filter_)
    x, y, strength = find_peaks(response, distance * diameter, _FLOOR)
    margins, shape = micrograph.margins, response.shape
    valid = clear_of_margins(x, y, shape, margins, diameter / 2.0)
    x, y, strength = x[valid], y[valid], strength[valid]
    row, column = np.rint(y).astype(int), np.rint(x).astype(int)
    best = index[row, column]
    label, angle = (np.array(values)[best] for values in zip(*orientations, strict=True))
    contrast = _contrast(micrograph.image, x, y, diameter)
    return Peaks(x, y, strength, label, angle, contrast), response


def respond(
    image: Image, diameter: float, filter_: BlobFilter | AverageFilter
) -> tuple[Image, list[Orientation], npt.NDArray[np.uint8]]:
    """Filter an image.

    Parameters
    ----------
    image : (H, W) float32
        Standardised, at the working scale.
    diameter : float
        Particle diameter, working pixels.
    filter_ : BlobFilter or AverageFilter

    Returns
    -------
    response : (H, W) float32
        Maximum over the orientations.
    orientations : list of (str, float)
        Classes and orientations (degrees) of the filter.
    index : (H, W) uint8
        Index of the orientation with the maximum response at each pixel.
    """
    clipped = np.clip(image, -filter_.clip, filter_.clip)
    if isinstance(filter_, BlobFilter):
        response = difference_of_gaussians(clipped, filter_.scale * diameter)
        return response, [("irregular", 0.0)], np.zeros(image.shape, np.uint8)
    rotated = [(template, angle) for template in filter_.templates for angle in template.angles]
    strongest = np.full(image.shape, -np.inf, np.float32)
    index = np.zeros(image.shape, np.uint8)
    deviation = disc_deviation(clipped, rotated[0][0].image.shape[0], diameter)
    for number, (template, angle) in enumerate(rotated):
        response = correlate(clipped, rotate(template.image, -angle), diameter, deviation)
        better = response > strongest
        strongest[better], index[better] = response[better], number
    return strongest, [(template.label, angle) for template, angle in rotated], index


def _contrast(image: Image, x: Floats, y: Floats, diameter: float) -> Floats:
    """Return the standard deviation within the disc of each particle, (N,)."""
    size = 2 * int(diameter / 2.0) + 1
    inside = disc_mask(size, diameter / 2.0) > 0
    return cut(image, np.column_stack([x, y]), size)[:, inside].std(axis=1)
