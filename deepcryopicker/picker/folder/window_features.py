"""What the windows of candidates say beside their scores: classes of like ones, and averages.

Windows are sorted into classes (:mod:`deepcryopicker.class_averages`). Particles average to
something that two halves of a class agree on; what only looks like a particle to the network
averages to less, to something off the centre, or to something of another size.
"""

from dataclasses import dataclass

import numpy as np

from deepcryopicker.class_averages.averaging import ClassAverages, average_classes, upright
from deepcryopicker.class_averages.polar import (
    Indices,
    PolarGrid,
    Spectra,
    polar_grid,
    polar_spectra,
)
from deepcryopicker.class_averages.resolution import ring_correlation, soft_disc
from deepcryopicker.class_averages.rotational_kmeans import assign, cluster
from deepcryopicker.types import Floats, Image

FEATURES = (
    "signal_low",
    "signal_middle",
    "signal_high",
    "extent",
    "off_centre",
    "contrast",
    "residual",
    "explained",
    "score",
    "correlation",
    "norm",
    "blob",
)
"""Of a window; all but the last three are those of its class."""

SIDE = 32
"""Of the windows, pixels, in which a particle has the diameter `DIAMETER`."""
DIAMETER = 24.0

MOST_CLASSES, _WINDOWS_OF_A_CLASS, _ITERATIONS = 24, 30, 6
_RADIUS = 0.6  # diameters in which windows are compared
_POINTS, _FREQUENCIES = 64, 13
_BANDS = np.array([0.5, 2.0, 4.0, 7.0])  # cycles per diameter
_SHRINK = 4  # windows by which the correlation of halves of small classes is lowered
_LEAST, _LARGEST = 0.02, 0.99  # Fourier ring correlation
_TINY = 1e-6
_BLOB, _BLOB_RATIO = 0.85, 1.25
"""Diameter of a disc that the blob filter is made for, in particle diameters, and the ratio of its
two Gaussians to the one of the best response, whose standard deviation is the radius over the root
of two."""

_OFFSET = np.arange(SIDE) - SIDE // 2
_DISTANCE = np.hypot(_OFFSET[:, None], _OFFSET)
_DISC, _OUTSIDE = _DISTANCE <= DIAMETER / 2, _DISTANCE > DIAMETER / 2 + 1
_MASK = soft_disc(SIDE, _RADIUS * DIAMETER, DIAMETER / 8)


def _blob_filter() -> Image:
    """Return a difference of Gaussians, (S, S) float32, of mean 0 and norm 1."""
    sigma = _BLOB * DIAMETER / 2.0 / np.sqrt(2.0)
    narrow, wide = (
        np.exp(-(_DISTANCE**2) / (2.0 * each**2)) / each**2
        for each in (sigma / _BLOB_RATIO, sigma * _BLOB_RATIO)
    )
    difference = narrow - wide
    difference -= difference.mean()
    return (difference / np.linalg.norm(difference)).astype(np.float32)


_BLOB_FILTER = _blob_filter()
_GRID = PolarGrid(polar_grid(_RADIUS * DIAMETER, 1.0).radii, _POINTS, _FREQUENCIES)


@dataclass(frozen=True)
class Background:
    """What windows without particles are like.

    Attributes
    ----------
    variance : float
        In the disc of a particle; positive.
    blob : float
        Standard deviation of the response of the blob filter; positive.
    """

    variance: float
    blob: float


@dataclass(frozen=True)
class WindowClasses:
    """Classes of windows, and the features of each.

    Attributes
    ----------
    references : (K, R, M) complex64
        Spectra of the averages.
    image : (K, S, S) float32
        Averages without their background.
    count : (K,) int64
        Windows of each class.
    features : (K, F - 3) float64
        The features of a class, in the order of `FEATURES`.
    background : Background
    """

    references: Spectra
    image: Image
    count: Indices
    features: Floats
    background: Background


def classify_candidates(
    windows: Image, logit: Floats, background: Background, rng: np.random.Generator
) -> WindowClasses:
    """Sort windows of candidates into classes.

    Parameters
    ----------
    windows : (N, S, S) float32
        Particles are dark, as in the input of networks; N is at least 2.
    logit : (N,) float64
        Of the probabilities of a particle.
    background : Background
    rng : Generator
    """
    count = int(np.clip(len(windows) // _WINDOWS_OF_A_CLASS, 2, MOST_CLASSES))
    found = cluster(_spectra(windows), _POINTS, count, _ITERATIONS, rng)
    turned = upright(windows, np.zeros((len(windows), 2)), _angles(found.rotation))
    averages = average_classes(turned, found.label, len(found.references))
    power = np.bincount(found.label, windows[:, _DISC].var(axis=1)) / averages.count
    score = np.bincount(found.label, logit) / averages.count
    features = np.column_stack([_of_averages(averages, power, background.variance), score])
    image = _flat(averages.image)
    return WindowClasses(found.references, image, averages.count, features, background)


def features_of(windows: Image, classes: WindowClasses) -> Floats:
    """Return the features of windows, (N, F) float64: those of their class, and their own.

    Parameters
    ----------
    windows : (N, S, S) float32
    classes : WindowClasses
    """
    if not len(windows):
        return np.zeros((0, len(FEATURES)))
    label, rotation = assign(_spectra(windows), classes.references, _POINTS)
    turned = upright(windows, np.zeros((len(windows), 2)), _angles(rotation))
    inside = _flat(turned)[:, _DISC].astype(np.float64)
    average = classes.image[label][:, _DISC].astype(np.float64)
    square = (inside * inside).sum(axis=1)
    norm = np.sqrt(square * (average * average).sum(axis=1))
    correlation = (inside * average).sum(axis=1) / np.maximum(norm, _TINY)
    power = np.log(np.maximum(square / inside.shape[1] / classes.background.variance, _TINY))
    blob = _darkness(windows) / classes.background.blob
    return np.column_stack([classes.features[label], correlation, power, blob])


def background_of(windows: Image) -> Background:
    """Describe windows without particles, (N, S, S) float32."""
    if not len(windows):
        return Background(1.0, 1.0)
    variance, blob = float(windows[:, _DISC].var()), float(_darkness(windows).std())
    return Background(max(variance, _TINY), max(blob, _TINY))


def _darkness(windows: Image) -> Floats:
    """Return how much windows look like a dark disc in their middle, (N,) float64."""
    return np.asarray(-np.tensordot(windows, _BLOB_FILTER, axes=2), np.float64)


def _of_averages(averages: ClassAverages, power: Floats, variance: float) -> Floats:
    """Return the features of classes that depend on their windows alone, (K, F - 4)."""
    flat, count = _flat(averages.image), averages.count
    first, second = (_flat(half) * _MASK for half in averages.halves)
    agreement = ring_correlation(first, second, _BANDS / DIAMETER)
    agreement = np.clip(agreement * (count / (count + _SHRINK))[:, None], _LEAST, _LARGEST)
    # Signal-to-noise ratio of a single window: that of a half over its number of windows.
    signal = np.log(agreement / (1.0 - agreement) / (count / 2.0)[:, None])
    dark = np.maximum(-flat, 0.0) * _MASK
    total = dark.sum(axis=(1, 2)) + _TINY
    radius = DIAMETER / 2.0
    extent = np.sqrt((dark * _DISTANCE**2).sum(axis=(1, 2)) / total) / radius
    x, y = (dark.sum(axis=axis) @ _OFFSET for axis in (1, 2))
    off_centre = np.hypot(x, y) / total / radius
    contrast = -flat[:, _DISC].mean(axis=1) / np.sqrt(variance)
    own = averages.residual[:, _DISC].mean(axis=1)
    residual = np.log(np.maximum(own * _unbiased(count) / variance, _TINY))
    explained = np.maximum(flat[:, _DISC].var(axis=1) - own / count, 0.0) / (power + _TINY)
    return np.column_stack([signal, extent, off_centre, contrast, residual, explained])


def _unbiased(count: Indices) -> Floats:
    return np.asarray(count / np.maximum(count - 1, 1))


def _flat(images: Image) -> Image:
    """Subtract the mean outside the disc of a particle."""
    level = images[:, _OUTSIDE].mean(axis=1)
    return np.asarray(images - level[:, None, None])


def _spectra(windows: Image) -> Spectra:
    return polar_spectra(windows, np.zeros((len(windows), 2)), _GRID)


def _angles(rotation: Indices) -> Floats:
    return 2.0 * np.pi * rotation / _POINTS
