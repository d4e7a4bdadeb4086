"""Common base class of the networks."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from deepcryopicker.errors import UsageError

_MOST_PARAMETERS = 500_000_000  # 2 GB; the paper's network has 58 million


class Network(nn.Module, ABC):
    """A classifier of windows that also applies to whole micrographs.

    Attributes
    ----------
    window : int
        Side of a training window, pixels.
    stride : int
        Input pixels between neighbouring outputs when the input is larger than a window.
    dense : bool
        Whether the outputs of a larger image are those of its windows. If not, windows are scanned
        one by one.
    temperature : () float32 Tensor
        Divisor of the logits of single windows before the softmax; 1 until the trained network is
        calibrated. Saved with the weights.
    """

    window: int
    stride: int
    dense: bool = True
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


def require_size(network: nn.Module) -> None:
    """Require a network of at most half a billion parameters.

    Raises
    ------
    UsageError
    """
    parameters = sum(each.numel() for each in network.parameters())
    if parameters > _MOST_PARAMETERS:
        raise UsageError(
            f"model: this network has {parameters:,} parameters, at most "
            f"{_MOST_PARAMETERS:,} are allowed; make its layers narrower"
        )


def multiplies_bfloat16() -> bool:
    """Whether the CPU has bfloat16 instructions; without them float32 is faster."""
    return has_instructions("avx512_bf16", "amx_bf16")


def has_instructions(*names: str) -> bool:
    """Whether the CPU has any of some instructions, named as torch names them."""
    ask = getattr(torch.cpu, "get_capabilities", dict)  # missing in older torch
    capabilities: dict[str, object] = ask()
    return any(capabilities.get(name, False) for name in names)
