"""Responses of blob and class-average filters, and their peaks; working pixels throughout."""

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
from deepcryopicker.labeler.detectors.averages import Template, turn
from deepcryopicker.types import Floats, Image, Mask, Micrograph, Strings

Look = tuple[str, float]
"""A particle class and its orientation in degrees, from the x axis towards the y axis."""

_FLOOR = 0.02  # responses below are no candidates at all


@dataclass(frozen=True)
class BlobFilter:
    """Difference of Gaussians; `scale` is the narrow one's sigma in diameters."""

    scale: float
    clip: float


@dataclass(frozen=True)
class AverageFilter:
    """Correlation with class averages within one diameter of the centre."""

    templates: tuple[Template, ...]
    clip: float


@dataclass(frozen=True)
class Peaks:
    """Maxima of a filter's response over one micrograph, strongest first; working pixels."""

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
    """Find every maximum of the filter's response, and the response itself, (H, W)."""
    response, looks, index = respond(micrograph.image, diameter, filter_)
    x, y, strength = find_peaks(response, distance * diameter, _FLOOR)
    margins, shape = micrograph.margins, response.shape
    valid = clear_of_margins(x, y, shape, margins, diameter / 2.0)
    x, y, strength = x[valid], y[valid], strength[valid]
    row, column = np.rint(y).astype(int), np.rint(x).astype(int)
    best = index[row, column]
    label, angle = (np.array(values)[best] for values in zip(*looks, strict=True))
    contrast = _contrast(micrograph.image, x, y, diameter)
    return Peaks(x, y, strength, label, angle, contrast), response


def respond(
    image: Image, diameter: float, filter_: BlobFilter | AverageFilter
) -> tuple[Image, list[Look], npt.NDArray[np.uint8]]:
    """Filter an image.

    Returns
    -------
    response : (H, W) float32
    looks : list of (str, float)
        Classes and orientations (degrees) that the filter knows.
    index : (H, W) uint8
        Which of them responds most at each pixel.
    """
    clipped = np.clip(image, -filter_.clip, filter_.clip)
    if isinstance(filter_, BlobFilter):
        response = difference_of_gaussians(clipped, filter_.scale * diameter)
        return response, [("irregular", 0.0)], np.zeros(image.shape, np.uint8)
    looks = [(template, angle) for template in filter_.templates for angle in template.turns]
    strongest = np.full(image.shape, -np.inf, np.float32)
    index = np.zeros(image.shape, np.uint8)
    deviation = disc_deviation(clipped, looks[0][0].image.shape[0], diameter)
    for number, (template, angle) in enumerate(looks):
        response = correlate(clipped, turn(template.image, -angle), diameter, deviation)
        better = response > strongest
        strongest[better], index[better] = response[better], number
    return strongest, [(template.label, angle) for template, angle in looks], index


def _contrast(image: Image, x: Floats, y: Floats, diameter: float) -> Floats:
    """Measure the standard deviation within each particle's disc, (N,)."""
    size = 2 * int(diameter / 2.0) + 1
    inside = disc_mask(size, diameter / 2.0) > 0
    return cut(image, np.column_stack([x, y]), size)[:, inside].std(axis=1)
