"""The network with context: `Compact` beside a coarse branch that sees several diameters."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from deepcryopicker.model.compact import LAYERS, convolutions, field_of_view
from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import ContextConfig

_POOL = 5
"""Side of the means that the coarse branch sees, pixels; odd, so that windows have a centre."""
_COARSE = 4
"""Pixels between these means."""
_WITHOUT = 0.15
"""Fraction of the training examples without context: particles look alike everywhere."""


class Context(Network):
    """Fully convolutional network of a fine and a coarse branch.

    Whether a dark disc is a particle depends on what surrounds it: carbon film, ice crystals,
    or other particles. The fine branch is that of :class:`Compact`; the coarse one, of dilated
    convolutions over means of 5 x 5 pixels, sees several diameters at a small cost. A layer of
    1 x 1 joins them. No layer pads, so that a scan equals single windows.
    """

    def __init__(self, config: ContextConfig, classes: int) -> None:
        super().__init__()
        fine, self.stride = field_of_view(LAYERS)
        self.trunk = nn.Sequential(*convolutions(LAYERS, [1, *config.widths]))
        layers = [(3, 1, dilation) for dilation in config.dilations]
        self.coarse = nn.Sequential(*convolutions(layers, [1, *config.coarse_widths]))
        self.window = window_of(config.dilations)
        self.margin = (self.window - fine) // 2
        joined = config.widths[-1] + config.coarse_widths[-1]
        self.join = nn.Sequential(*convolutions([(1, 1, 1)], [joined, config.widths[-1]]))
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Conv2d(config.widths[-1], classes, 1)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, C, h, w) of images (N, 1, H, W)."""
        fine = self.trunk(self.middle(image))
        around = self._around(image, single=fine.shape[-2:] == (1, 1))
        if self.training:
            around = around * (torch.rand(len(around), 1, 1, 1, device=image.device) > _WITHOUT)
        return self.head(self.join(torch.cat([fine, around], dim=1)))

    def middle(self, image: Tensor) -> Tensor:
        """Return what the fine branch sees of images, (N, 1, h, w) of (N, 1, H, W)."""
        cut = self.margin
        return image[..., cut : image.shape[-2] - cut, cut : image.shape[-1] - cut]

    def means(self, image: Tensor, step: int) -> Tensor:
        """Return what the coarse branch sees of images, every `step` pixels: (N, 1, h, w)."""
        return functional.avg_pool2d(image, _POOL, step)

    def dense_dilation(self, layer: nn.Conv2d) -> int:
        """Return the dilation of a layer of the coarse branch for more than one output."""
        return layer.dilation[0] * _COARSE // self.stride

    def _around(self, image: Tensor, single: bool) -> Tensor:
        """Return the features of the coarse branch at every output.

        Outputs lie closer together than the means of the coarse branch. For more than one output,
        means are computed at all of their positions and the dilations grow in proportion, so that
        each output depends on the same means as that of a single window.
        """
        features = self.means(image, _COARSE if single else self.stride)
        for layer in self.coarse:
            if isinstance(layer, nn.Conv2d) and not single:
                apart = self.dense_dilation(layer)
                features = functional.conv2d(features, layer.weight, layer.bias, dilation=apart)
            else:
                features = layer(features)
        return features


def window_of(dilations: Sequence[int]) -> int:
    """Return the side of the field of view of one output, pixels."""
    return _POOL + _COARSE * 2 * sum(dilations)
