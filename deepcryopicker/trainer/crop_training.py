"""Train a network on crops of micrographs, with a target at every output.

A window has one label; a crop that costs as much as a few windows has thousands, among them every
place that looks like a particle and is none. So false picks need not be searched for. A network
that has learned the usual from windows learns the rare from crops; with enough micrographs it
learns all from crops (docs/general.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from deepcryopicker.class_set.target_map import UNKNOWN, TargetMap
from deepcryopicker.detection.windows import extend
from deepcryopicker.io.console import track
from deepcryopicker.model.network import Network
from deepcryopicker.types import Image

_OUTPUTS = 48  # along each side of a crop
_CROPS = 4  # in a step
_LEARNING_RATE, _FROM_START, _DECAY = 1e-3, 2e-3, 1e-4
_WARM_UP, _LARGEST_STEP = 0.1, 1.0
_NORMALISED = 0.5  # share of the steps in which statistics are learned, from random weights
_SHARPENED = 0.7  # share of the crops whose sharpness is changed
_BLUR = (0.8, 8.0)  # standard deviation of the Gaussian, pixels
_BACKGROUND = 0.05  # weight of what is surely background; of a particle 1.05
_TINY = 1e-7
_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True)
class LabelledImage:
    """A micrograph with a target at every output of a network.

    Attributes
    ----------
    image : (H, W) float16
        Preprocessed, at the scale of the network, extended beyond its edges as for a scan.
    target : (h, w) int8
        Index of the class, or -1 where nothing is known.
    """

    image: Image
    target: TargetMap


def labelled_image(image: Image, target: TargetMap, network: Network) -> LabelledImage:
    """Extend an image beyond its edges, so that every output and at least one crop lie inside.

    Parameters
    ----------
    image : (H, W) float32
        Preprocessed, at the scale of the network.
    target : (h, w) int8
        At every output, of which the first lies at the first pixel.
    network : Network
    """
    lacking = [max(_OUTPUTS - size, 0) for size in target.shape]
    before = network.window // 2
    after = [network.window - 1 - before + network.stride * each for each in lacking]
    extended = extend(image, (before, after[0], before, after[1]), "mean")
    padding = [(0, each) for each in lacking]
    padded = np.pad(target, padding, constant_values=UNKNOWN)
    return LabelledImage(extended.astype(np.float16), padded)


def train_on_crops(
    network: Network,
    labelled: Sequence[LabelledImage],
    particles: Sequence[int],
    steps: int,
    jitter: float,
    sharpness: float,
    seed: int,
    bfloat16: bool = False,
    from_start: bool = False,
) -> None:
    """Train a network, in place, on random crops of labelled images in random orientations.

    With AdamW, a one-cycle schedule and clipped gradients.

    Parameters
    ----------
    network : Network
        On its device; its outputs are those of its windows.
    labelled : sequence of LabelledImage
    particles : sequence of int
        Indices of the classes of particles.
    steps : int
    jitter : float
        Standard deviation of the random contrast and brightness of each crop.
    sharpness : float
        See :func:`with_random_sharpness`.
    seed : int
        Equal seeds give equal weights.
    bfloat16 : bool
        Whether to multiply 16-bit floats.
    from_start : bool
        Whether the weights are random: the steps are larger, and batch normalisation learns its
        statistics in the first half of them. Otherwise it keeps them.
    """
    rng = np.random.default_rng([seed, steps])
    parameters = list(network.parameters())
    device = parameters[0].device
    rate = _FROM_START if from_start else _LEARNING_RATE
    optimiser = AdamW(parameters, rate, weight_decay=_DECAY)
    schedule = OneCycleLR(optimiser, rate, total_steps=steps, pct_start=_WARM_UP)
    normalised = round(_NORMALISED * steps) if from_start else 0
    network.train()
    for step in track(range(steps), "training on crops,", "step"):
        if step == normalised:
            _keep_statistics(network)
        crops, target = _random_crops(labelled, network, jitter, sharpness, rng)
        images = crops.to(device).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            logits = network(images)
        loss = crop_loss(logits.float(), target.to(device), particles)
        optimiser.zero_grad()
        loss.backward()
        clip_grad_norm_(parameters, _LARGEST_STEP)
        optimiser.step()
        schedule.step()
    network.eval()


def _keep_statistics(network: Network) -> None:
    """Let batch normalisation use its statistics instead of those of each batch."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()


def crop_loss(logits: Tensor, target: Tensor, particles: Sequence[int]) -> Tensor:
    """Return the weighted cross-entropy at all outputs whose target is known.

    Outputs weigh as much as a particle is likely there, by the target or by the network: otherwise
    the many outputs that are surely background would drown the others.

    Parameters
    ----------
    logits : (N, C, h, w) float32 Tensor
    target : (N, h, w) int64 Tensor
        Index of the class, or -1.
    particles : sequence of int
        Indices of the classes of particles.
    """
    log_probability = torch.log_softmax(logits, dim=1)
    chosen = list(particles)
    found = log_probability[:, chosen].detach().exp().sum(dim=1)
    is_particle = torch.isin(target, torch.tensor(chosen, device=target.device))
    weight = _BACKGROUND + torch.maximum(found, is_particle.float())
    weight = weight * (target != UNKNOWN)
    each = functional.nll_loss(log_probability, target.clamp_min(0), reduction="none")
    return (weight * each).sum() / weight.sum().clamp_min(_TINY)


def with_random_sharpness(image: Image, largest: float, rng: np.random.Generator) -> Image:
    """Blur or sharpen an image at random, as microscopes, detectors and denoising do.

    ``image + a (blurred - image)``, with `a` from [-`largest`, `largest`] and a Gaussian of random
    width; three in ten images stay as they are.

    Parameters
    ----------
    image : (H, W) float32
    largest : float
        0 for none.
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) float32
    """
    if largest == 0 or rng.random() >= _SHARPENED:
        return image
    width = float(np.exp(rng.uniform(*np.log(_BLUR))))
    share = float(rng.uniform(-largest, largest))
    return image + share * (cv2.GaussianBlur(image, (0, 0), width) - image)


def _random_crops(
    labelled: Sequence[LabelledImage],
    network: Network,
    jitter: float,
    sharpness: float,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Return crops, (N, 1, S, S) float32, and their targets, (N, h, h) int64."""
    stride, side = network.stride, network.window + network.stride * (_OUTPUTS - 1)
    crops: list[Image] = []
    targets: list[TargetMap] = []
    for index in rng.integers(0, len(labelled), _CROPS):
        one = labelled[index]
        row, column = (int(rng.integers(0, size - _OUTPUTS + 1)) for size in one.target.shape)
        top, left = row * stride, column * stride
        crop = one.image[top : top + side, left : left + side].astype(np.float32)
        crop = with_random_sharpness(crop, sharpness, rng)
        crop = crop * np.exp(jitter * rng.normal()) + jitter * rng.normal()
        target = one.target[row : row + _OUTPUTS, column : column + _OUTPUTS]
        quarters, mirrored = int(rng.integers(4)), bool(rng.integers(2))
        crops.append(_turned(crop, quarters, mirrored))
        targets.append(_turned(target, quarters, mirrored))
    return (
        torch.from_numpy(np.stack(crops).astype(np.float32))[:, None],
        torch.from_numpy(np.stack(targets).astype(np.int64)),
    )


def _turned(image: npt.NDArray[_Number], quarters: int, mirrored: bool) -> npt.NDArray[_Number]:
    """Return a square image turned by quarters of a circle, and perhaps its mirror image."""
    turned = np.rot90(image, quarters)
    return np.fliplr(turned) if mirrored else turned
