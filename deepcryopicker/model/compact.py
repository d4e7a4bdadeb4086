"""The compact network: six convolutions without padding, so that a scan equals single windows."""

from collections.abc import Sequence

from torch import Tensor, nn

from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import CompactConfig

Layers = Sequence[tuple[int, int, int]]
"""Kernel, stride and dilation of each convolution."""

# Dilation instead of further strides keeps the output dense; with odd sizes the centre of a window
# is a pixel under every rotation.
LAYERS: Layers = ((5, 1, 1), (3, 2, 1), (5, 1, 1), (3, 1, 2), (3, 1, 2), (3, 1, 3))


class Compact(Network):
    """Fully convolutional network with a receptive field of 43 pixels and stride 2.

    At the default working scale (24 pixels per diameter) a window spans 1.8 particle diameters.
    """

    def __init__(self, config: CompactConfig, classes: int) -> None:
        super().__init__()
        self.window, self.stride = field_of_view(LAYERS)
        self.trunk = nn.Sequential(*convolutions(LAYERS, [1, *config.widths]))
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Conv2d(config.widths[-1], classes, 1)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, C, h, w) of images (N, 1, H, W)."""
        return self.head(self.trunk(image))


def convolutions(layers: Layers, channels: Sequence[int]) -> list[nn.Module]:
    """Build convolutions without padding, each with batch normalisation and ReLU.

    Parameters
    ----------
    layers : sequence of tuple
        Kernel, stride and dilation of each.
    channels : sequence of int
        Of the input, and of the output of each convolution.
    """
    blocks: list[nn.Module] = []
    for (kernel, stride, dilation), fan_in, fan_out in zip(
        layers, channels[:-1], channels[1:], strict=True
    ):
        blocks += [
            nn.Conv2d(fan_in, fan_out, kernel, stride, dilation=dilation, bias=False),
            nn.BatchNorm2d(fan_out),
            nn.ReLU(inplace=True),
        ]
    return blocks


def field_of_view(layers: Layers) -> tuple[int, int]:
    """Return the side of the window of one output, and the stride of the outputs, pixels."""
    window, total = 1, 1
    for kernel, stride, dilation in layers:
        window += (kernel - 1) * dilation * total
        total *= stride
    return window, total
