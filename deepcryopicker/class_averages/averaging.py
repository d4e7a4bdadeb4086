"""Averages of the classes of particle windows, and of half of each."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepcryopicker.class_averages.polar import Indices, chunks, sample
from deepcryopicker.types import Floats, Image


@dataclass(frozen=True)
class ClassAverages:
    """Averages of classes.

    Attributes
    ----------
    image : (K, S, S) float32
        Averages of all windows.
    halves : (2, K, S, S) float32
        Averages of every other window of a class, to be compared with each other.
    residual : (K, S, S) float32
        Variance of the windows of a class at each pixel.
    count : (K,) int64
        Windows of each class.
    """

    image: Image
    halves: Image
    residual: Image
    count: Indices


def upright(windows: Image, shifts: Floats, angles: Floats) -> Image:
    """Rotate windows about their centres, and move the centres to the middle pixel.

    Parameters
    ----------
    windows : (N, S, S) float32
    shifts : (N, 2) float64
        (x, y) of the centre from pixel ``S // 2``.
    angles : (N,) float64
        Radian, from the x axis towards the y axis (downwards).

    Returns
    -------
    (N, S, S) float32
    """
    middle = windows.shape[1] // 2
    offset = np.arange(windows.shape[1], dtype=np.float32) - middle
    turned = np.empty_like(windows)
    for part in chunks(windows):
        angle = angles[part].astype(np.float32)[:, None, None]
        cosine, sine = np.cos(angle), np.sin(angle)
        x, y = (middle + shifts[part]).T.astype(np.float32)[:, :, None, None]
        # The point of a window that each pixel of the result shows.
        x = x + cosine * offset + sine * offset[:, None]
        y = y - sine * offset + cosine * offset[:, None]
        turned[part] = sample(windows[part], x, y)
    return turned


def average_classes(turned: Image, label: Indices, classes: int) -> ClassAverages:
    """Average upright windows by class.

    Parameters
    ----------
    turned : (N, S, S) float32
    label : (N,) int64
        Class of each window; every class has at least one.
    classes : int
        Number of classes K.
    """
    flat = turned.reshape(len(turned), -1)
    shape = (classes, *turned.shape[1:])
    count = np.bincount(label, minlength=classes)
    # Every other window of each class, in the order of the windows.
    order = np.argsort(label, kind="stable")
    place = np.empty(len(label), np.int64)
    place[order] = np.arange(len(label)) - np.repeat(np.cumsum(count) - count, count)
    half = place % 2
    sums = [_sum(flat, label, classes, half == which) for which in (0, 1)]
    in_half = [np.bincount(label[half == which], minlength=classes) for which in (0, 1)]
    mean = (sums[0] + sums[1]) / count[:, None]
    square = _sum(flat * flat, label, classes, np.ones(len(label), bool)) / count[:, None]
    halves = [total / np.maximum(n, 1)[:, None] for total, n in zip(sums, in_half, strict=True)]
    residual = np.maximum(square - mean * mean, 0.0)
    return ClassAverages(
        mean.reshape(shape).astype(np.float32),
        np.stack(halves).reshape(2, *shape).astype(np.float32),
        residual.reshape(shape).astype(np.float32),
        count,
    )


def _sum(flat: Image, label: Indices, classes: int, chosen: npt.NDArray[np.bool_]) -> Floats:
    member = np.zeros((classes, len(label)), np.float32)
    member[label[chosen], np.flatnonzero(chosen)] = 1.0
    return (member @ flat).astype(np.float64)
