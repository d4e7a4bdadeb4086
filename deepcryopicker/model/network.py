"""What all networks have in common."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Network(nn.Module, ABC):
    """A classifier of windows that can also be laid over a whole micrograph.

    Attributes
    ----------
    window : int
        Side of a training window, pixels.
    stride : int
        Input pixels between neighbouring outputs when the input is larger than a window.
    temperature : () float32 Tensor
        Logits of single windows are divided by it before they become probabilities. It is 1 until
        the trained network is calibrated, and it is saved with the weights.
    """

    window: int
    stride: int
    temperature: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("temperature", torch.tensor(1.0, dtype=torch.float32))

    @abstractmethod
    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, C, h, w) of images (N, 1, H, W).

        A window gives 1 x 1 outputs; output (i, j) of a larger image belongs to the window whose
        top-left pixel is ``(i * stride, j * stride)``.
        """
