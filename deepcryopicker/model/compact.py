"""The compact network: six convolutions without padding, so that a scan equals single windows."""

from torch import Tensor, nn

from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import CompactConfig

# (kernel, stride, dilation) of each convolution. Dilation instead of further strides keeps the
# output dense; with odd sizes the centre of a window is a pixel under every rotation.
_LAYERS = ((5, 1, 1), (3, 2, 1), (5, 1, 1), (3, 1, 2), (3, 1, 2), (3, 1, 3))


class Compact(Network):
    """Fully convolutional network with a receptive field of 43 pixels and stride 2.

    At the default working scale (24 pixels per diameter) a window spans 1.8 particle diameters.
    """

    def __init__(self, config: CompactConfig, classes: int) -> None:
        super().__init__()
        channels = [1, *config.widths]
        blocks: list[nn.Module] = []
        self.window, self.stride = 1, 1
        for (kernel, stride, dilation), fan_in, fan_out in zip(
            _LAYERS, channels[:-1], channels[1:], strict=True
        ):
            blocks += [
                nn.Conv2d(fan_in, fan_out, kernel, stride, dilation=dilation, bias=False),
                nn.BatchNorm2d(fan_out),
                nn.ReLU(inplace=True),
            ]
            self.window += (kernel - 1) * dilation * self.stride
            self.stride *= stride
        self.trunk = nn.Sequential(*blocks)
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Conv2d(config.widths[-1], classes, 1)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, C, h, w) of images (N, 1, H, W)."""
        return self.head(self.trunk(image))
