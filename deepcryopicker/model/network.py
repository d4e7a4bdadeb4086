"""What all networks have in common, and how one is built from its configuration."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from deepcryopicker.model.schema import CompactConfig, DeepCryoPickerConfig, TimmConfig

ModelConfig = CompactConfig | DeepCryoPickerConfig | TimmConfig


class Network(nn.Module, ABC):
    """A classifier of windows that can also be laid over a whole micrograph.

    Attributes
    ----------
    window : int
        Side of a training window, pixels.
    stride : int
        Input pixels between neighbouring outputs when the input is larger than a window.
    """

    window: int
    stride: int

    @abstractmethod
    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, C, h, w) of images (N, 1, H, W).

        A window gives 1 x 1 outputs; output (i, j) of a larger image belongs to the window whose
        top-left pixel is ``(i * stride, j * stride)``.
        """


def build_network(config: ModelConfig, classes: int) -> Network:
    """Build the configured network with random weights and `classes` outputs."""
    if isinstance(config, CompactConfig):
        from deepcryopicker.model.compact import Compact

        return Compact(config, classes)
    if isinstance(config, DeepCryoPickerConfig):
        from deepcryopicker.model.deepcryopicker import DeepCryoPicker

        return DeepCryoPicker(config, classes)
    from deepcryopicker.model.timm_backbone import TimmBackbone

    return TimmBackbone(config, classes)
