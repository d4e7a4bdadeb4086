"""Teach a network the mean of what it finds in eight orientations of a micrograph.

Particles lie in all orientations, but a network scores them a little differently in each. The mean
over four rotations and their mirror images ranks better, at eight times the cost of picking. A
short training towards this mean (distillation, Hinton et al. 2015) brings half of that to a single
scan (docs/general.md).
"""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import torch
from torch import Tensor

from deepcryopicker.io.console import console
from deepcryopicker.model.network import Network
from deepcryopicker.trainer.crops.descent import descend
from deepcryopicker.types import Image

_OUTPUTS = 64  # along each side of a crop
_CROPS = 4  # in a step
_LEARNING_RATE = 7e-4
_TITLE = "training towards the mean of eight orientations,"
_BACKGROUND = 0.05  # weight of what is surely background; of a sure particle 1.05
_TINY = 1e-7


def symmetrise(
    network: Network,
    teacher: Callable[[Tensor], Tensor],
    images: Sequence[Image],
    particles: Sequence[int],
    steps: int,
    seed: int,
) -> None:
    """Train a network, in place, towards the mean of a teacher over eight orientations.

    The loss is the Kullback-Leibler divergence from that mean, at every output of random crops,
    weighted by the probability of a particle. No label has a part in it.

    Parameters
    ----------
    network : Network
        On its device. Its batch normalisation keeps its statistics.
    teacher : callable
        From images (N, 1, H, W) to logits (N, C, h, w); the network before, prepared for a scan.
    images : sequence of (H, W) float16 or float32
        Preprocessed, at the scale of the network. Those smaller than a crop are left out; if all
        are, a warning says so and the network stays as it is.
    particles : sequence of int
        Indices of the classes of particles.
    steps : int
    seed : int
        Equal seeds give equal weights.
    """
    side = network.window + network.stride * (_OUTPUTS - 1)
    large = [image for image in images if min(image.shape) >= side]
    if not large:
        console.print(
            "[yellow]warning: no training towards all orientations: trainer.symmetry_steps needs "
            f"micrographs of at least {side} working pixels[/]"
        )
        return
    rng = np.random.default_rng([seed, steps])
    device = next(network.parameters()).device
    network.eval()

    def next_loss() -> Tensor:
        crops = torch.from_numpy(_random_crops(large, side, rng))[:, None].to(device)
        crops = crops.contiguous(memory_format=torch.channels_last)
        target = mean_over_orientations(teacher, crops)
        return _divergence(torch.log_softmax(network(crops), dim=1), target, particles)

    descend(network, next_loss, steps, _LEARNING_RATE, 0.0, _TITLE)


@torch.no_grad()
def mean_over_orientations(network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Return the mean class probabilities over rotations by 90 degrees and mirror images.

    Parameters
    ----------
    network : callable
        From images to logits; its outputs lie symmetrically about the middle of square images.
    images : (N, 1, S, S) float32

    Returns
    -------
    (N, C, s, s) float32
    """
    found = []
    for quarters, mirrored in product(range(4), (False, True)):
        turned = torch.rot90(images, quarters, (2, 3))
        turned = turned.flip(3) if mirrored else turned
        probability = torch.softmax(network(turned.contiguous()), dim=1)
        probability = probability.flip(3) if mirrored else probability
        found.append(torch.rot90(probability, -quarters, (2, 3)))
    return torch.stack(found).mean(dim=0)


def _divergence(found: Tensor, target: Tensor, particles: Sequence[int]) -> Tensor:
    """Return the weighted Kullback-Leibler divergence of log probabilities from a target."""
    chosen = list(particles)
    likely = torch.maximum(target[:, chosen].sum(dim=1), found[:, chosen].detach().exp().sum(dim=1))
    weight = _BACKGROUND + likely
    each = (target * (target.clamp_min(_TINY).log() - found)).sum(dim=1)
    return (weight * each).sum() / weight.sum()


def _random_crops(images: Sequence[Image], side: int, rng: np.random.Generator) -> Image:
    """Return square crops of random images, (N, S, S) float32."""
    crops = []
    for index in rng.integers(0, len(images), _CROPS):
        top, left = (int(rng.integers(0, size - side + 1)) for size in images[index].shape)
        crops.append(images[index][top : top + side, left : left + side])
    return np.stack(crops).astype(np.float32)
