"""Windows in polar coordinates, where rotations are shifts along one axis.

The Fourier transform along the angle turns a rotation by ``alpha`` into a factor
``exp(-i m alpha)`` at the angular frequency m, so that a window is correlated with a reference in
all orientations at once. Angles run from the x axis towards the y axis (downwards).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy import fft

from deepcryopicker.types import Floats, Image

Spectra = npt.NDArray[np.complex64]
"""(N, R, M): windows, rings, angular frequencies from 0; rings are weighted by their area."""

Indices = npt.NDArray[np.int64]
"""Classes of windows, rotations in steps of a grid, or numbers of windows."""

_CHUNK, _TALLEST = 128, 32_000  # windows, and rows of pixels, of which OpenCV takes 32,767
_STEPS = np.float32(32.0)  # in a pixel, of linear interpolation in OpenCV


@dataclass(frozen=True)
class PolarGrid:
    """Points at which windows are sampled.

    Attributes
    ----------
    radii : (R,) float64
        Of the rings, pixels.
    points : int
        Number of points on each ring.
    frequencies : int
        Number of angular frequencies that are kept, from 0.
    """

    radii: Floats
    points: int
    frequencies: int


def polar_grid(radius: float, step: float) -> PolarGrid:
    """Choose rings `step` pixels apart out to `radius`, with points as close on the outermost.

    Parameters
    ----------
    radius, step : float
        Pixels.
    """
    radii = np.arange(step / 2.0, radius, step)
    points = fft.next_fast_len(int(np.ceil(2.0 * np.pi * radius / step)), real=True)
    return PolarGrid(radii, points, points // 2)


def polar_spectra(windows: Image, shifts: Floats, grid: PolarGrid) -> Spectra:
    """Sample windows about a centre of each, and transform them along the angle.

    Parameters
    ----------
    windows : (N, S, S) float32
    shifts : (N, 2) float64
        (x, y) of the centre from pixel ``S // 2``.
    grid : PolarGrid
    """
    phi = 2.0 * np.pi * np.arange(grid.points) / grid.points
    middle = windows.shape[1] // 2
    x = (middle + grid.radii[:, None] * np.cos(phi)).astype(np.float32)
    y = (middle + grid.radii[:, None] * np.sin(phi)).astype(np.float32)
    weight = np.sqrt(grid.radii).astype(np.float32)[:, None]
    spectra = np.empty((len(windows), len(grid.radii), grid.frequencies), np.complex64)
    for part in chunks(windows):
        dx, dy = shifts[part].T.astype(np.float32)[:, :, None, None]
        sampled = sample(windows[part], x + dx, y + dy)
        spectra[part] = fft.rfft(sampled * weight, axis=2)[:, :, : grid.frequencies]
    return spectra


def chunks(windows: npt.NDArray[Any]) -> list[slice]:
    """Return slices of windows that are handled together, for a small working memory."""
    size = min(_CHUNK, _TALLEST // max(windows.shape[1], 1))
    return [slice(start, start + size) for start in range(0, len(windows), size)]


def sample(windows: Image, x: Image, y: Image) -> Image:
    """Interpolate windows linearly at points of each; outside, the nearest pixel counts.

    Parameters
    ----------
    windows : (N, S, S) float32
    x, y : (N, A, B) float32
        Pixels of each window.

    Returns
    -------
    (N, A, B) float32
    """
    count, side, _ = windows.shape
    # One image of all windows, on top of each other: a call for each would take longer.
    top = (side * np.arange(count, dtype=np.float32))[:, None, None]
    x, y = np.clip(x, 0, side - 1), np.clip(y, 0, side - 1)
    # OpenCV rounds to 1/32 pixel; rounded before, a point does not depend on its window's place.
    y = np.rint(y * _STEPS) / _STEPS + top
    tall = windows.reshape(count * side, side)
    flat = x.shape[0] * x.shape[1], x.shape[2]
    return cv2.remap(tall, x.reshape(flat), y.reshape(flat), cv2.INTER_LINEAR).reshape(x.shape)


def correlate_rotated(spectra: Spectra, references: Spectra, points: int) -> tuple[Image, Indices]:
    """Correlate windows with references in the best of all orientations.

    Parameters
    ----------
    spectra : (N, R, M) complex64
    references : (K, R, M) complex64
    points : int
        Number of orientations.

    Returns
    -------
    (N, K) float32
        Largest inner product over all rotations of the window.
    (N, K) int64
        That rotation, in steps of ``2 pi / points``.
    """
    product = np.empty((len(spectra), len(references)), np.float32)
    rotation = np.empty(product.shape, np.int64)
    columns = np.ascontiguousarray(references.transpose(2, 1, 0))  # (M, R, K)
    inverse = _inverse_transform(spectra.shape[2], points)
    for part in chunks(spectra):
        rows = np.ascontiguousarray(spectra[part].transpose(2, 0, 1)).conj()  # (M, n, R)
        cross = rows @ columns
        # A product with the matrix of the transform is faster than a fast transform of few points.
        halves = np.concatenate([cross.real, cross.imag]).reshape(len(inverse), -1)
        over_angles = halves.T @ inverse  # (n K, points)
        best = over_angles.argmax(axis=1)
        rotation[part] = best.reshape(cross.shape[1:])
        product[part] = over_angles[np.arange(len(best)), best].reshape(cross.shape[1:])
    return product, rotation


@cache
def _inverse_transform(frequencies: int, points: int) -> Image:
    """Return the matrix from real and imaginary parts to the points of a ring: (2 M, points)."""
    angle = 2.0 * np.pi * np.outer(np.arange(frequencies), np.arange(points)) / points
    weight = np.where(np.arange(frequencies) == 0, 1.0, 2.0)[:, None] / points
    matrix = np.concatenate([weight * np.cos(angle), -weight * np.sin(angle)])
    return matrix.astype(np.float32)


def rotate_spectra(spectra: Spectra, rotation: Indices, points: int) -> Spectra:
    """Rotate windows.

    Parameters
    ----------
    spectra : (N, R, M) complex64
    rotation : (N,) int64
        Steps of ``2 pi / points``.
    points : int
    """
    frequency = np.arange(spectra.shape[2])
    phase = np.exp(-2j * np.pi / points * rotation[:, None] * frequency).astype(np.complex64)
    return spectra * phase[:, None, :]


def powers(spectra: Spectra, points: int) -> Image:
    """Return the squared norm of each window over its points: (N,) float32 (Parseval)."""
    weight = np.full(spectra.shape[2], 2.0, np.float32)
    weight[0] = 1.0
    square = spectra.real**2 + spectra.imag**2
    return (square.sum(axis=1) @ weight / points).astype(np.float32)
