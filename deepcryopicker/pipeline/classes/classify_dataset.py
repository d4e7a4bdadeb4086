"""Sort the picks of a dataset into classes, and compare these with classes of random places."""

from dataclasses import dataclass

import numpy as np

from deepcryopicker.class_averages.averaging import ClassAverages
from deepcryopicker.class_averages.classify import (
    assign_others,
    classify,
    number_of_classes,
    particle_mask,
    without_background,
)
from deepcryopicker.class_averages.polar import Indices
from deepcryopicker.class_averages.resolution import resolution, ring_correlation
from deepcryopicker.pipeline.classes.cut_dataset import PickedWindows
from deepcryopicker.types import Floats, Image, Mask

_SAMPLE = 5_000  # windows that classes are found in; the others are assigned to them
_CHUNK = 2_000  # windows that are assigned at a time
_FEWEST = 4  # windows in a class, without which its halves say nothing
_BAND = 1e-3  # of the largest power of random places: rings with less hold no image


@dataclass(frozen=True)
class PickClasses:
    """The classes of the picks of a dataset.

    Attributes
    ----------
    label : (N,) int64
        Class of each pick, from 0; the largest first.
    shifts : (N, 2) float64
        (x, y) from the pick to the particle, pixels of the windows.
    angles : (N,) float64
        Radian, by which a window is rotated onto its average.
    image : (K, S, S) float32
        Averages, particles positive.
    count : (K,) int64
        Picks of each class.
    finest : (K,) float64
        Cycles per diameter to which two halves of a class agree.
    contrast : (K,) float64
        Mean of the particle over its surroundings, standard deviations of random places.
    like_random : (K,) bool
        Whether neither is better than those of classes of random places.
    """

    label: Indices
    shifts: Floats
    angles: Floats
    image: Image
    count: Indices
    finest: Floats
    contrast: Floats
    like_random: Mask


def classify_dataset(cut: PickedWindows, count: int | None, seed: int) -> PickClasses:
    """Sort windows into classes.

    Parameters
    ----------
    cut : PickedWindows
        At least two windows.
    count : int or None
        Most classes; None: by the number of windows.
    seed : int
    """
    rng = np.random.default_rng(seed)
    number = len(cut.windows)
    sample = np.sort(rng.permutation(number)[:_SAMPLE])
    classes = number_of_classes(len(sample)) if count is None else count
    found = classify(cut.windows[sample].astype(np.float32), cut.diameter, classes, rng)
    label, shifts, angles = np.zeros(number, np.int64), np.zeros((number, 2)), np.zeros(number)
    label[sample], shifts[sample], angles[sample] = found.label, found.shifts, found.angles
    others = np.setdiff1d(np.arange(number), sample)
    for start in range(0, len(others), _CHUNK):
        part = others[start : start + _CHUNK]
        windows = cut.windows[part].astype(np.float32)
        averages = found.averages.image
        label[part], shifts[part], angles[part] = assign_others(windows, cut.diameter, averages)
    places = np.sort(rng.permutation(len(cut.elsewhere))[: len(sample)])
    nothing = cut.elsewhere[places].astype(np.float32)
    band = has_power(nothing, _edges(nothing.shape[1]))
    spread = max(float(nothing.std()), 1e-9) if len(nothing) else 1.0
    finest, contrast = describe(found.averages, cut.diameter, band, spread)
    like_random = np.zeros(len(finest), bool)
    if len(nothing) >= 2 * _FEWEST:
        alike = max(int(len(nothing) * len(finest) / len(sample)), 2)
        at_random = classify(nothing, cut.diameter, alike, rng).averages
        usual = [np.median(each) for each in describe(at_random, cut.diameter, band, spread)]
        like_random = (finest <= usual[0]) & (contrast <= usual[1])
    counts = np.bincount(label, minlength=len(finest))
    return PickClasses(
        label, shifts, angles, found.averages.image, counts, finest, contrast, like_random
    )


def describe(
    averages: ClassAverages, diameter: float, band: Mask, spread: float
) -> tuple[Floats, Floats]:
    """Return to what detail the halves of classes agree, and the contrast of the averages.

    Parameters
    ----------
    averages : ClassAverages
    diameter : float
        Pixels.
    band : (B,) bool
        In which rings micrographs have power, see :func:`has_power`.
    spread : float
        Standard deviation of windows of random places.

    Returns
    -------
    (K,) float64
        Cycles per diameter at which the Fourier ring correlation falls below one half; 0 for
        classes of very few windows. Where micrographs hold next to nothing, as after smoothing or
        JPEG, halves would agree on what the mask adds: such rings count as 0.
    (K,) float64
        Mean within a diameter over that outside, in units of `spread`.
    """
    side = averages.image.shape[1]
    mask = particle_mask(side, diameter)
    edges = _edges(side)
    first, second = (without_background(half, mask) for half in averages.halves)
    correlation = ring_correlation(first, second, edges) * band
    finest = resolution(correlation, edges * diameter)
    finest[averages.count < _FEWEST] = 0.0
    inside = without_background(averages.image, mask).sum(axis=(1, 2)) / mask.sum()
    return finest, inside / spread


def _edges(side: int) -> Floats:
    """Return the borders of rings a pixel wide in Fourier space, cycles per pixel."""
    return np.arange(0.5, side // 2) / side


def has_power(windows: Image, edges: Floats) -> Mask:
    """Return in which rings of Fourier space windows have power, (B,) bool.

    Parameters
    ----------
    windows : (R, S, S) float32
    edges : (B + 1,) float64
        Borders of the rings, cycles per pixel.
    """
    if not len(windows):
        return np.ones(len(edges) - 1, bool)
    side = windows.shape[1]
    taper = np.hanning(side)  # so that the borders of windows add no power
    power = (np.abs(np.fft.rfft2(windows * np.outer(taper, taper))) ** 2).mean(axis=0)
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    ring = np.digitize(radius.ravel(), edges) - 1
    inside = (ring >= 0) & (ring < len(edges) - 1)
    total = np.bincount(ring[inside], power.ravel()[inside], len(edges) - 1)
    mean = total / np.maximum(np.bincount(ring[inside], minlength=len(edges) - 1), 1)
    return np.asarray(mean >= _BAND * mean.max())
