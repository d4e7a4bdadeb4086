"""Common base class of the networks."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Network(nn.Module, ABC):
    """A classifier of windows that also applies to whole micrographs.

    Attributes
    ----------
    window : int
        Side of a training window, pixels.
    stride : int
        Input pixels between neighbouring outputs when the input is larger than a window.
    temperature : () float32 Tensor
        Divisor of the logits of single windows before the softmax; 1 until the trained network is
        calibrated. Saved with the weights.
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
