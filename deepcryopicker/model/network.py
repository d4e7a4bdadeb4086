"""What all networks have in common."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


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
