"""Scan in integers of 8 bits, twice as fast as in 16-bit floats where the CPU multiplies them."""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from deepcryopicker.model.compact import Compact
from deepcryopicker.model.context import Context
from deepcryopicker.model.network import Network, has_instructions

_INSTRUCTIONS = ("avx512_vnni", "avx_vnni", "amx_int8")
"""Of CPUs that add products of 8-bit integers without overflow."""
_STEPS, _ZERO = 16.0, 128
"""Grey values in a standard deviation of the input, and that of its mean: -8 to 8 deviations."""
_LARGEST = 6.0  # standard deviations of a channel above its mean that are represented
_MOST, _MOST_WEIGHT = 255, 127
_TINY = 1e-12
_OUTPUTS, _SMOOTH = 32, 5  # outputs along an axis, and side of the means, of smooth noise
_TOLERATED = 0.08
"""Largest difference from the logits in floats, standard deviations of these. General weights have
0.03, networks trained on labels 0.04 to 0.07, one after a few training steps 0.1 and more."""


class EightBit(Network):
    """A trained network whose convolutions run in integers of 8 bits.

    The outputs of each channel are scaled so that 0 to 255 hold them up to six standard deviations
    above their mean. Batch normalisation knows both, so that no images are needed to choose the
    scales, and every micrograph, tile and shard gets the same scores. Scales of the inputs of a
    layer are merged into its weights; weights have a scale for each channel of the output. Logits
    are floats (Jacob et al., 2018, with scales from batch normalisation after Nagel et al., 2019).

    Parameters
    ----------
    network : Compact or Context
        In evaluation mode on the CPU, without gradients.
    """

    def __init__(self, network: Compact | Context) -> None:
        super().__init__()
        self.temperature = network.temperature
        self.window, self.stride, self.dense = network.window, network.stride, network.dense
        grey = torch.full((1,), 1.0 / _STEPS)
        self.trunk, features = _integers(network.trunk, grey, _ZERO)
        self.context = network if isinstance(network, Context) else None
        if self.context:
            dilation = self.context.dense_dilation
            self.coarse, around = _integers(self.context.coarse, grey, _ZERO, dilation)
            self.join, features = _integers(self.context.join, torch.cat([features, around]))
        self.head, _ = _integers(network.head, features)

    def forward(self, image: Tensor) -> Tensor:
        """Return float32 logits (N, C, h, w) of standardised images (N, 1, H, W)."""
        if not self.context:
            return self.head(self.trunk(_bytes(image)))
        fine = self.trunk(_bytes(self.context.middle(image)))
        around = self.coarse(_bytes(self.context.means(image, self.stride)))
        return self.head(self.join(torch.cat([fine, around], dim=1)))


class _IntegerConvolution(nn.Module):
    """A convolution without padding, from bytes to bytes above zero, or to floats.

    Parameters
    ----------
    layer : Conv2d
        With bias, batch normalisation merged into it.
    inputs : (C,) float32 Tensor
        What a step of the bytes of each input channel stands for.
    outputs : (D,) float32 Tensor or None
        The same of the outputs; None for floats.
    zero : int
        The input that stands for 0.
    dilation : int
    """

    def __init__(
        self, layer: nn.Conv2d, inputs: Tensor, outputs: Tensor | None, zero: int, dilation: int
    ) -> None:
        super().__init__()
        assert layer.bias is not None
        weight, bias = layer.weight * inputs[:, None, None], layer.bias
        if outputs is not None:
            weight, bias = weight / outputs[:, None, None, None], bias / outputs
        self.steps = weight.abs().amax(dim=(1, 2, 3)).clamp(min=_TINY) / _MOST_WEIGHT
        rounded = (weight / self.steps[:, None, None, None]).round().to(torch.int8)
        self.geometry = (list(layer.stride), [0, 0], [dilation, dilation], 1)
        self.bias, self.zero = bias, zero
        self.weight = torch.ops.onednn.qconv_prepack(rounded, self.steps, 1.0, zero, *self.geometry)
        self.weight_zero = torch.zeros(len(bias), dtype=torch.int32)
        self.result = (torch.float32, "none") if outputs is None else (torch.uint8, "relu")

    def forward(self, image: Tensor) -> Tensor:
        """Return uint8 or float32 (N, D, h, w) of uint8 (N, C, H, W)."""
        convolved: Tensor = torch.ops.onednn.qconv2d_pointwise(
            *(image, 1.0, self.zero),
            *(self.weight, self.steps, self.weight_zero, self.bias, *self.geometry),
            *(1.0, 0, *self.result, [], ""),
        )
        return convolved


def _integers(
    layers: Iterable[nn.Module],
    inputs: Tensor,
    zero: int = 0,
    dilation_of: Callable[[nn.Conv2d], int] = lambda layer: layer.dilation[0],
) -> tuple[nn.Sequential, Tensor]:
    """Convert convolutions, each with batch normalisation and ReLU or the last of a network.

    Returns
    -------
    Sequential
    (D,) float32 Tensor
        What a step of the bytes of each output channel stands for.
    """
    converted: list[nn.Module] = []
    layers = list(layers)
    for layer, following in zip(layers, [*layers[1:], None], strict=True):
        if not isinstance(layer, nn.Conv2d):
            continue
        outputs = None
        if isinstance(following, nn.BatchNorm2d):
            layer = fuse_conv_bn_eval(layer, following)
            most = following.bias.clamp(min=0.0) + _LARGEST * following.weight.abs()
            outputs = most.clamp(min=_TINY) / _MOST
        converted.append(_IntegerConvolution(layer, inputs, outputs, zero, dilation_of(layer)))
        if outputs is not None:
            inputs, zero = outputs, 0
    return nn.Sequential(*converted), inputs


def _bytes(image: Tensor) -> Tensor:
    """Return standardised images as uint8, rounded to sixteenths of a deviation."""
    return (image * _STEPS + (_ZERO + 0.5)).clamp_(0, _MOST).to(torch.uint8)


def in_eight_bits(network: Network, preprocessing: Mapping[str, Any]) -> EightBit | None:
    """Convert a network, if its layers, its input and this CPU are suited for integers.

    Batch normalisation does not know the outputs of a network after a few training steps, and the
    convolution is not documented by torch; so logits of noise are compared with those in floats.

    Parameters
    ----------
    network : Network
        Not modified.
    preprocessing : mapping
        Of its input, which must be standardised for its range to be known.

    Returns
    -------
    EightBit or None
        None if the network has to stay in floats.
    """
    seen = preprocessing.get("steps", {}).get(preprocessing.get("model_input"), {})
    standardised = seen.get("operation") == "standardise"
    if not (isinstance(network, Compact | Context) and standardised and _multiplies_bytes()):
        return None
    floats = deepcopy(network).cpu().eval().requires_grad_(False)
    try:
        converted = EightBit(floats)
        return converted if _agree(converted, floats) else None
    except (AttributeError, RuntimeError, TypeError):
        return None


def _multiplies_bytes() -> bool:
    return has_instructions(*_INSTRUCTIONS)


@torch.inference_mode()
def _agree(one: Network, other: Network) -> bool:
    """Compare the logits that two networks give smooth noise, by class."""
    side = one.window + _OUTPUTS * one.stride + _SMOOTH - 1
    white = torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(0))
    noise = functional.avg_pool2d(white, _SMOOTH, 1) * _SMOOTH
    found, expected = one(noise), other(noise)
    error, spread = (each.std(dim=(0, 2, 3)) for each in (found - expected, expected))
    return bool((error < _TOLERATED * spread).all())
