"""Make a trained network ready for a scan: device, stride, precision."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from deepcryopicker.errors import UsageError
from deepcryopicker.model.compact import Compact
from deepcryopicker.model.context import Context
from deepcryopicker.model.convolutional import Convolutional
from deepcryopicker.model.network import Network, multiplies_bfloat16
from deepcryopicker.picker.scanning.fragments import with_stride

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def prepare(
    network: Network, device: str = "auto", precision: str = "auto", stride: int | None = None
) -> Network:
    """Return a faster copy of a network, with outputs `stride` pixels apart.

    The network itself is not modified. Batch normalisation is merged into the preceding
    convolutions, and weights are stored in the dtype and memory order of fast convolutions.

    Parameters
    ----------
    network : Network
        As trained, on any device.
    device : str
        ``auto`` (CUDA where present), ``cpu`` or ``cuda``.
    precision : str
        ``auto``, ``float32``, ``bfloat16`` or ``float16``, for convolutions; logits are float32.
    stride : int or None
        Working pixels; None keeps the network's stride.

    Raises
    ------
    UsageError
        If the device is missing, or the network cannot have this stride.
    """
    place = choose_device(device)
    ready = deepcopy(network).eval().requires_grad_(False)
    if isinstance(ready, Compact | Convolutional):
        ready.trunk, ready.head = _merged(ready.trunk), _merged(ready.head)
    elif isinstance(ready, Context):
        for name in ("trunk", "coarse", "join", "head"):
            setattr(ready, name, _merged(getattr(ready, name)))
    dtype = choose_precision(precision, place)
    for layer in ready.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.to(dtype)
    ready = ready.to(place).to(memory_format=torch.channels_last)
    return _InPrecision(with_stride(ready, stride), dtype)


class _InPrecision(Network):
    """A network in 16-bit floats where torch's autocast considers it safe; float32 in and out."""

    def __init__(self, network: Network, dtype: torch.dtype) -> None:
        super().__init__()
        self.network, self.temperature = network, network.temperature
        self.window, self.stride, self.dense = network.window, network.stride, network.dense
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        """Return float32 logits (N, C, h, w) of images (N, 1, H, W)."""
        half = self.dtype != torch.float32
        with torch.autocast(image.device.type, self.dtype, enabled=half):
            return self.network(image.contiguous(memory_format=torch.channels_last)).float()


def choose_device(name: str) -> torch.device:
    """Resolve ``auto`` to CUDA where present and to the CPU elsewhere.

    Raises
    ------
    UsageError
        If CUDA is requested on a machine without a GPU.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("picker.device=cuda, but torch does not find a GPU; leave it out")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Resolve ``auto``: 16-bit floats where the device multiplies them faster, else float32.

    Raises
    ------
    UsageError
        If float16 is requested on a CPU.
    """
    if name == "float16" and device.type == "cpu":
        raise UsageError("picker.precision=float16 is for GPUs; on a CPU use bfloat16 or auto")
    if name == "auto":
        if device.type == "cuda":
            name = "float16"
        else:
            name = "bfloat16" if multiplies_bfloat16() else "float32"
    return _DTYPES[name]


def _merged(layers: nn.Sequential) -> nn.Sequential:
    """Merge batch normalisation into the preceding convolutions; remove dropout."""
    merged: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d) and isinstance(merged[-1], nn.Conv2d):
            merged[-1] = fuse_conv_bn_eval(merged[-1], layer)
        elif isinstance(layer, nn.ReLU):
            merged.append(nn.ReLU(inplace=True))
        elif not isinstance(layer, nn.Dropout):
            merged.append(layer)
    return nn.Sequential(*merged)
