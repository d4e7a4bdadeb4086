"""Target maps of networks: Gaussians at particles, and weights of the loss."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from deepcryopicker.rivals.training.training_windows import Window
from deepcryopicker.types import Floats, Image


def heat_map(particles: Floats, size: int, sigma: float, stride: int) -> Image:
    """Draw a Gaussian of height 1 at every particle; overlapping ones are combined by maximum.

    Parameters
    ----------
    particles : (N, 2) float64
        (x, y), pixels of the window.
    size : int
        Side of the window, a multiple of the stride.
    sigma : float
        Pixels.
    stride : int
        Pixels per map pixel; a map pixel is at the centre of its pixels.

    Returns
    -------
    (size / stride, size / stride) float32
    """
    nearest = _squared_distance(particles, size, stride)
    return np.exp(-nearest / (2.0 * sigma**2)).astype(np.float32)


def weight_map(avoid: Floats, size: int, radius: float, stride: int) -> Image:
    """Return 0 around uncertain positions and 1 elsewhere.

    Parameters
    ----------
    avoid : (M, 2) float64
        Uncertain positions (x, y), pixels of the window.
    size, stride : int
        As in :func:`heat_map`.
    radius : float
        Pixels.

    Returns
    -------
    (size / stride, size / stride) float32
    """
    return (_squared_distance(avoid, size, stride) > radius**2).astype(np.float32)


def map_loss(logits: Tensor, windows: Sequence[Window], sigma: float, stride: int) -> Tensor:
    """Compute the loss of maps of logits against the particles in their windows.

    Parameters
    ----------
    logits : (N, 1, h, w) float32 Tensor
    windows : sequence of Window
        N windows.
    sigma : float
        Standard deviation of the Gaussians, in diameters.
    stride : int
        Pixels per map pixel.

    Returns
    -------
    () float32 Tensor
        Cross entropy, averaged over map pixels away from uncertain positions.
    """
    sizes = [len(one.image) for one in windows]
    heat = np.stack(
        [
            heat_map(one.particles, size, sigma * one.diameter, stride)
            for one, size in zip(windows, sizes, strict=True)
        ]
    )
    weight = np.stack(
        [
            weight_map(one.avoid, size, one.diameter / 2.0, stride)
            for one, size in zip(windows, sizes, strict=True)
        ]
    )
    target, counts = (torch.from_numpy(each)[:, None].to(logits.device) for each in (heat, weight))
    losses = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (losses * counts).sum() / counts.sum().clamp(min=1.0)


def _squared_distance(places: Floats, size: int, stride: int) -> Floats:
    """Return the squared distance of every map pixel to the nearest place, pixels; inf if none."""
    position = np.arange(size // stride) * stride + (stride - 1) / 2.0
    x, y = places.reshape(-1, 2).T
    squared = (position[None, :, None] - y[:, None, None]) ** 2
    squared = squared + (position[None, None, :] - x[:, None, None]) ** 2
    return squared.min(axis=0, initial=np.inf)
