"""Fourier ring correlation, and the signal of a single window that it stands for."""

from itertools import pairwise

import numpy as np

from deepcryopicker.types import Floats, Image


def soft_disc(side: int, radius: float, edge: float) -> Image:
    """Return a centred disc with a linear edge: (side, side) float32, 1 inside, 0 outside.

    Parameters
    ----------
    side : int
        Pixels.
    radius, edge : float
        Where the disc has 0.5, and width of its edge, pixels.
    """
    offset = np.arange(side) - side // 2
    distance = np.hypot(offset[:, None], offset)
    return np.clip((radius - distance) / edge + 0.5, 0.0, 1.0).astype(np.float32)


def ring_correlation(first: Image, second: Image, edges: Floats) -> Floats:
    """Correlate two sets of images in rings of Fourier space.

    Parameters
    ----------
    first, second : (K, S, S) float32
        Masked, without a mean.
    edges : (B + 1,) float64
        Borders of the rings, cycles per pixel.

    Returns
    -------
    (K, B) float64
        Fourier ring correlation, ``Re sum(A B*) / sqrt(sum |A|^2 sum |B|^2)``; 0 where one is 0.
    """
    side = first.shape[1]
    a, b = np.fft.rfft2(first), np.fft.rfft2(second)
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    # The columns between the first and the Nyquist column stand for two of the full transform.
    weight = np.full(radius.shape, 2.0)
    weight[:, 0] = 1.0
    if side % 2 == 0:
        weight[:, -1] = 1.0
    found = np.zeros((len(first), len(edges) - 1))
    for ring, (low, high) in enumerate(pairwise(edges)):
        inside = weight * ((radius >= low) & (radius < high))
        cross = (inside * (a * b.conj()).real).sum(axis=(1, 2))
        norm = np.sqrt(
            (inside * np.abs(a) ** 2).sum(axis=(1, 2)) * (inside * np.abs(b) ** 2).sum(axis=(1, 2))
        )
        found[:, ring] = np.divide(cross, norm, out=np.zeros_like(cross), where=norm > 0)
    return found


def resolution(correlation: Floats, edges: Floats, limit: float = 0.5) -> Floats:
    """Return the frequency at which a correlation first falls below a limit.

    Parameters
    ----------
    correlation : (K, B) float64
    edges : (B + 1,) float64
        Borders of its rings, in any unit.
    limit : float

    Returns
    -------
    (K,) float64
        In that unit, interpolated between the centres of rings; the last centre where it never
        falls.
    """
    centre = (edges[:-1] + edges[1:]) / 2.0
    found = np.empty(len(correlation))
    for row, values in enumerate(correlation):
        below = np.flatnonzero(values < limit)
        if not len(below):
            found[row] = centre[-1]
        elif below[0] == 0:
            found[row] = centre[0]
        else:
            i = below[0]
            share = (values[i - 1] - limit) / (values[i - 1] - values[i])
            found[row] = centre[i - 1] + share * (centre[i] - centre[i - 1])
    return found
