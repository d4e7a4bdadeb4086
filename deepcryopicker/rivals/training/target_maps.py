"""Maps that networks are trained to give: bumps at particles, and where they count."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from deepcryopicker.rivals.training.training_windows import Window
from deepcryopicker.types import Floats, Image


def heat_map(particles: Floats, size: int, sigma: float, stride: int) -> Image:
    """Draw a Gaussian of height 1 at every particle; where they overlap the higher one counts.

    Parameters
    ----------
    particles : (N, 2) float64
        (x, y), pixels of the window.
    size : int
        Side of the window, a multiple of the stride.
    sigma : float
        Pixels.
    stride : int
        Pixels per map pixel: position i lies in the middle of the pixels that it stands for.

    Returns
    -------
    (size / stride, size / stride) float32
    """
    nearest = _squared_distance(particles, size, stride)
    return np.exp(-nearest / (2.0 * sigma**2)).astype(np.float32)


def weight_map(avoid: Floats, size: int, radius: float, stride: int) -> Image:
    """Return 0 within `radius` pixels of doubtful places and 1 elsewhere; as `heat_map`."""
    return (_squared_distance(avoid, size, stride) > radius**2).astype(np.float32)


def map_loss(logits: Tensor, windows: Sequence[Window], sigma: float, stride: int) -> Tensor:
    """Compare maps (N, 1, h, w) of logits with the particles in their windows.

    Parameters
    ----------
    sigma : float
        Of the bumps, in diameters.
    stride : int

    Returns
    -------
    () float32 Tensor
        The cross entropy, averaged over all that counts.
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
    """Squared distance of every map position to the nearest place, pixels; inf if there is none."""
    position = np.arange(size // stride) * stride + (stride - 1) / 2.0
    x, y = places.reshape(-1, 2).T
    squared = (position[None, :, None] - y[:, None, None]) ** 2
    squared = squared + (position[None, None, :] - x[:, None, None]) ** 2
    return squared.min(axis=0, initial=np.inf)
