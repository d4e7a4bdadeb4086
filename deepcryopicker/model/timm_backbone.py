"""Convolutional backbones of timm behind the common interface."""

from typing import Any

import timm
import torch
import torch._dynamo
from torch import Tensor, nn

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import TimmConfig


class TimmBackbone(Network):
    """A timm feature extractor, averaged over the window, and a linear classifier.

    Backbones pad their convolutions, so that a scan only approximates single windows.
    """

    def __init__(self, config: TimmConfig, classes: int) -> None:
        super().__init__()
        if config.backbone not in timm.list_models():
            raise UsageError(
                f"model.backbone: {unknown('timm model', config.backbone, _relatives(config))}"
            )
        try:
            self.features = timm.create_model(
                config.backbone,
                pretrained=False,
                features_only=True,
                in_chans=1,
                out_indices=(config.level,),
            )
        except (IndexError, AssertionError) as error:
            raise UsageError(
                f"model.level: {config.backbone} has no feature level {config.level}"
            ) from error
        self.window = config.window
        info: Any = self.features.feature_info
        self.stride = int(info.reduction()[0])
        self.pool = nn.AvgPool2d(self._side_left(config.backbone), stride=1)
        self.head = nn.Conv2d(info.channels()[0], classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, C, h, w) of images (N, 1, H, W)."""
        return self.head(self.pool(self.features(image)[0]))

    @torch.no_grad()
    def _side_left(self, backbone: str) -> int:
        """Return the side of the output for a window; require that larger images work too."""
        self.features.eval()
        try:
            side, larger = (
                self.features(torch.zeros(1, 1, size, size))[0].shape[-1]
                for size in (self.window, self.window + 3 * self.stride)
            )
        except (AssertionError, RuntimeError, ValueError):
            side = larger = 0
        self.features.train()
        if side < 1 or larger != side + 3:
            raise UsageError(
                f"model.backbone: {backbone} does not take images of any size with "
                f"model.window={self.window}; use a larger window or a convolutional backbone, "
                "such as resnet18"
            )
        return side


def _relatives(config: TimmConfig) -> list[str]:
    """Return timm models with the same first letters: the whole list has over a thousand names."""
    return timm.list_models(f"{config.backbone[:4]}*")[:12] or timm.list_models("resnet*")[:12]
