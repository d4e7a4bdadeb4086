"""Responses of blob filters to micrographs, summed at given places and at all shifts of them."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
import scipy  # its large subpackages are loaded on first use

from deepcryopicker.detection.filters import difference_of_gaussians
from deepcryopicker.frames import Reading, to_working
from deepcryopicker.preprocessing.operators.borders import fill_margins, find_margins
from deepcryopicker.preprocessing.operators.contrast import standardise
from deepcryopicker.types import Floats, Image, Mask, Picks

Ints = npt.NDArray[np.int64]

_WORKING_DIAMETER = 10.0  # pixels, of the reduced micrograph
_LARGEST_SIDE, _SMALLEST_DIAMETER = 1024, 5.0  # pixels; the diameter shrinks to keep the side
# Of the narrow Gaussian, diameters: the middle of a particle, all of it, and all of one whose
# diameter is larger than given.
_SIGMAS = (0.18, 0.35, 0.8)
_CLIP = 2.5  # standard deviations: contaminants do not outvote particles
_FARTHEST = 1e9  # pixels
_MOST_PLACES = 5000  # of a micrograph


@dataclass(frozen=True)
class Responses:
    """A micrograph, as it votes, and the places in its coordinate file.

    Attributes
    ----------
    values : (K, h, w) float32
        By filter, with mean 0 and deviation 1.
    shape : (int, int)
        H and W of the micrograph, original pixels.
    diameter : float
        Of a particle, original pixels.
    places : Picks
        As in the file.
    """

    values: Image
    shape: tuple[int, int]
    diameter: float
    places: Picks


def respond_to_micrograph(image: Image, diameter: float, places: Picks) -> Responses:
    """Filter a micrograph.

    Parameters
    ----------
    image : (H, W) float32
    diameter : float
        Of a particle, original pixels.
    places : Picks
        As in the coordinate file.
    """
    shape = image.shape[0], image.shape[1]
    most = max(_LARGEST_SIDE * diameter / max(shape), _SMALLEST_DIAMETER)
    scale = min(1.0, min(_WORKING_DIAMETER, most) / diameter)
    filled = fill_margins(image, find_margins(image))
    height, width = (max(1, round(side * scale)) for side in shape)
    small = cv2.resize(filled, (width, height), interpolation=cv2.INTER_AREA)
    clipped = np.clip(standardise(small), -_CLIP, _CLIP)
    responses = [difference_of_gaussians(clipped, sigma * diameter * scale) for sigma in _SIGMAS]
    return Responses(
        np.stack([_standard(each) for each in responses]), shape, diameter, _usable(places)
    )


def respond_to_picks(picks: Picks, diameter: float, places: Picks) -> Responses:
    """Draw the picks of another source as blobs, for coordinates without a micrograph.

    Parameters
    ----------
    picks, places : Picks
        In the same frame, if all is well; original pixels.
    diameter : float
        Of a particle, original pixels.
    """
    ends = np.concatenate([picks.positions, places.positions]).max(axis=0, initial=1.0)
    shape = int(ends[1]) + 1, int(ends[0]) + 1
    scale = min(_WORKING_DIAMETER / diameter, _LARGEST_SIDE / max(shape))
    drawn = np.zeros([max(3, round(side * scale)) for side in shape], np.float32)
    x, y, inside = _within(picks, shape, drawn.shape)
    drawn[y[inside], x[inside]] = -1.0
    response = difference_of_gaussians(drawn, max(_SIGMAS[0] * diameter * scale, 0.6))
    return Responses(_standard(response)[None], shape, diameter, _usable(places))


def _usable(places: Picks) -> Picks:
    """Return at most a few thousand places; absurd numbers become places far outside."""
    step = max(1, -(-len(places) // _MOST_PLACES))
    few = places[np.arange(0, len(places), step)]
    x, y = (np.clip(position, -_FARTHEST, _FARTHEST) for position in (few.x, few.y))
    return replace(few, x=x, y=y)


def _standard(response: Image) -> Image:
    """Return a response with mean 0 and deviation 1, its extremes clipped; NaN if constant."""
    for _ in range(2):
        with np.errstate(invalid="ignore", divide="ignore"):
            response = (response - response.mean()) / response.std()
        response = np.clip(response, -_CLIP, _CLIP)
    return response - response.mean()


def pixels(position: Floats) -> Ints:
    """Round positions."""
    return np.rint(position).astype(np.int64)


def _within(
    picks: Picks, shape: tuple[int, int], reduced: tuple[int, ...]
) -> tuple[Ints, Ints, Mask]:
    """Return column and row in a reduced image, int64 of any shape, and whether they are in it."""
    x, y = (
        pixels(to_working(position, small / full))
        for position, small, full in (
            (picks.x, reduced[1], shape[1]),
            (picks.y, reduced[0], shape[0]),
        )
    )
    return x, y, (x >= 0) & (y >= 0) & (x < reduced[1]) & (y < reduced[0])


def sum_at_shifts(one: Responses, reading: Reading, around: bool) -> Image:
    """Sum the responses at the places, for all shifts around the image.

    Parameters
    ----------
    one : Responses
    reading : Reading
    around : bool
        Whether places outside count at the other side of the image; otherwise they are left out.

    Returns
    -------
    (K, h, w) float32
        By filter and shift in y and x.
    """
    height, width = one.values.shape[1:]
    x, y, inside = _within(reading.apply(one.places, one.shape), one.shape, (height, width))
    if not around:
        x, y = x[inside], y[inside]
    drawn = np.zeros((height, width), np.float32)
    np.add.at(drawn, (y % height, x % width), 1.0)
    spectrum = np.conj(scipy.fft.rfft2(drawn)) * scipy.fft.rfft2(one.values)
    summed: Image = scipy.fft.irfft2(spectrum, (height, width))
    return summed
