"""Change the output stride of a network without changing its weights."""

from collections.abc import Sequence
from math import gcd

import torch
from torch import Tensor, nn
from torch.nn import functional

from deepcryopicker.errors import UsageError
from deepcryopicker.model.compact import Compact
from deepcryopicker.model.convolutional import Convolutional
from deepcryopicker.model.network import Network


def with_stride(network: Network, stride: int | None) -> Network:
    """Return a network whose outputs lie `stride` input pixels apart; it shares all weights.

    Parameters
    ----------
    network : Network
        Not modified.
    stride : int or None
        A divisor or a multiple of the network's stride; None keeps the network's stride.

    Returns
    -------
    Network
        If its layers do not pad, every output equals that of the network on a single window.

    Raises
    ------
    UsageError
        If the network cannot have this stride.
    """
    own = network.stride
    if stride is None or stride == own:
        return network
    if stride % own == 0:
        return _Thinned(network, stride)
    if own % stride:
        raise UsageError(
            f"picker.stride={stride} is not a divisor or a multiple of the network's stride, "
            f"{own}; try {_nearest(stride, own)}, or picker=sliding picker.step={stride}"
        )
    layers = chain(network)
    if layers is None:
        raise UsageError(
            f"picker.stride={stride} is less than {own}, the smallest of this network; leave it "
            f"out, or use picker=sliding picker.step={stride}"
        )
    return _Fragmented(network, layers, stride)


def chain(network: Network) -> list[nn.Module] | None:
    """List the layers of a purely sequential network; None for any other."""
    if isinstance(network, Compact | Convolutional):
        return [*network.trunk, *network.head]
    return None


class _Thinned(Network):
    """Every n-th output of a network along each axis."""

    def __init__(self, network: Network, stride: int) -> None:
        super().__init__()
        self.network, self.temperature = network, network.temperature
        self.window, self.stride, self.dense = network.window, stride, network.dense
        self.every = stride // network.stride

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, C, h, w) of images (N, 1, H, W)."""
        return self.network(image)[..., :: self.every, :: self.every]


class _Fragmented(Network):
    """A sequential network in which some layers have a smaller stride.

    A layer of stride s computes the outputs that it skips when its input is shifted by less than
    s. So the layer runs once for each shift, the following layers run unchanged on each of these
    fragments, and the outputs are interleaved (Giusti et al., 2013). Dilated ("a trous") kernels
    give the same outputs equally fast; but dilated average pooling does not exist, and here the
    fully connected layers, the widest, process one fragment at a time, which bounds memory.

    Parameters
    ----------
    network : Network
    layers : sequence of nn.Module
        Layers of the network, in order.
    stride : int
        A divisor of the network's stride.
    """

    def __init__(self, network: Network, layers: Sequence[nn.Module], stride: int) -> None:
        super().__init__()
        self.layers, self.temperature = nn.ModuleList(layers), network.temperature
        self.window, self.stride, self.dense = network.window, stride, network.dense
        self.own = network.stride
        self.splits = _splits([_stride(layer) for layer in layers], self.own // stride)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, C, h, w) of images (N, 1, H, W)."""
        rows, columns = ((size - self.window) // self.stride + 1 for size in image.shape[-2:])
        below = max(self._needed(rows) - image.shape[-2], 0)
        right = max(self._needed(columns) - image.shape[-1], 0)
        return self._run(functional.pad(image, (0, right, 0, below)), 0)[..., :rows, :columns]

    def _needed(self, outputs: int) -> int:
        """Return the side of an image in which all fragments are whole, pixels."""
        shifts = self.own // self.stride
        return self.window + (-(-outputs // shifts) - 1) * self.own + (shifts - 1) * self.stride

    def _run(self, image: Tensor, first: int) -> Tensor:
        for number in range(first, len(self.layers)):
            if self.splits[number][0] > 1:
                return self._split(image, number)
            image = self.layers[number](image)
        return image

    def _split(self, image: Tensor, number: int) -> Tensor:
        layer, (shifts, step) = self.layers[number], self.splits[number]
        height, width = (size - (shifts - 1) * step for size in image.shape[-2:])
        fragments = [
            [
                self._run(layer(image[..., y : y + height, x : x + width]), number + 1)
                for x in range(0, shifts * step, step)
            ]
            for y in range(0, shifts * step, step)
        ]
        rows = [torch.stack(row, dim=-1).flatten(-2) for row in fragments]
        return torch.stack(rows, dim=-2).flatten(-3, -2)


def _stride(layer: nn.Module) -> int:
    if not isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        return 1
    return layer.stride if isinstance(layer.stride, int) else layer.stride[0]


def _splits(strides: Sequence[int], ratio: int) -> list[tuple[int, int]]:
    """Choose the number of shifts of each layer, and their distance in its input.

    The last strides are reduced first, so that the layers before them run only once.
    """
    splits = []
    left = 1  # output stride of the layers so far, in pixels of their input
    for stride in reversed(strides):
        shifts = gcd(stride, ratio)
        ratio //= shifts
        left = left * stride // shifts
        splits.append((shifts, left))
    return splits[::-1]


def _nearest(stride: int, own: int) -> int:
    """Return the divisor or multiple of `own` that is nearest to a stride."""
    divisors = [n for n in range(1, own + 1) if own % n == 0]
    return min([*divisors, max(round(stride / own), 1) * own], key=lambda n: abs(n - stride))
