"""Windows in polar coordinates, where rotations are shifts along one axis.

The Fourier transform along the angle turns a rotation by ``alpha`` into a factor
``exp(-i m alpha)`` at the angular frequency m, so that a window is correlated with a reference in
all orientations at once. Angles run from the x axis towards the y axis (downwards).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import fft

from deepcryopicker.types import Floats, Image

Spectra = npt.NDArray[np.complex64]
"""(N, R, M): windows, rings, angular frequencies from 0; rings are weighted by their area."""

Indices = npt.NDArray[np.int64]
"""Classes of windows, rotations in steps of a grid, or numbers of windows."""

_CHUNK = 128  # windows that are correlated at a time, for a small working memory


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
    for start in range(0, len(windows), _CHUNK):
        part = slice(start, start + _CHUNK)
        sampled = np.stack(
            [
                cv2.remap(
                    window,
                    x + np.float32(dx),
                    y + np.float32(dy),
                    cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_REPLICATE,
                )
                for window, (dx, dy) in zip(windows[part], shifts[part], strict=True)
            ]
        )
        spectra[part] = fft.rfft(sampled * weight, axis=2)[:, :, : grid.frequencies]
    return spectra


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
    for start in range(0, len(spectra), _CHUNK):
        part = slice(start, start + _CHUNK)
        rows = np.ascontiguousarray(spectra[part].transpose(2, 0, 1)).conj()  # (M, n, R)
        over_angles = fft.irfft(rows @ columns, n=points, axis=0, overwrite_x=True)
        rotation[part] = over_angles.argmax(axis=0)
        product[part] = over_angles.max(axis=0)
    return product, rotation


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
