"""Table of the layers of a network, as in the paper's Table 9."""

from typing import Any

import torch
from torch import Tensor, nn

from deepcryopicker.model.network import Network

LAYER_COLUMNS = {
    "layer": "Layer",
    "operation": "Operation",
    "kernel": "Kernel",
    "stride": "Stride",
    "padding": "Padding",
    "output": "Output",
    "parameters": "Parameters",
}
"""Columns of the table: from the key of a row to the heading."""

_POOLINGS = {
    nn.MaxPool2d: "max pooling",
    nn.AvgPool2d: "average pooling",
    nn.AdaptiveAvgPool2d: "average pooling",
}
_COMPANIONS = {
    nn.BatchNorm2d: "batch norm",
    nn.LayerNorm: "layer norm",
    nn.GroupNorm: "group norm",
    nn.Dropout: "dropout",
    nn.Sigmoid: "sigmoid",
}
_NORMS = (nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)


def summarise_layers(network: Network) -> list[dict[str, Any]]:
    """List the layers of a network in the order of their execution on one window.

    Activations, normalisation and dropout belong to the row of the preceding layer. Operations
    without a module, such as the sums of a residual network, are not listed.

    Parameters
    ----------
    network : Network
        On any device; on ``meta`` this costs neither memory nor time.

    Returns
    -------
    list of dict
        Keys of :data:`LAYER_COLUMNS`. Kernel, stride and padding are pixels, or None; output is
        text such as ``96x55x55``. The first two rows are the input and the preprocessing, which
        is applied to the whole micrograph.
    """
    side = network.window
    rows = [
        _row("input", f"1x{side}x{side}"),
        _row("preprocessing (of the whole micrograph)", f"1x{side}x{side}"),
    ]
    counted: set[int] = set()

    def record(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        operation = _operation(module, given)
        if operation is not None:
            rows.append(_row(operation, _shape(output), module))
        elif not any(module.children()) or isinstance(module, _NORMS):
            rows[-1]["operation"] += "".join(f" + {name}" for name in _companions(module))
        if id(module) not in counted:
            rows[-1]["parameters"] += _parameters(module)
            counted.add(id(module))

    _run(network, record)
    rows[-1]["operation"] += " + softmax"
    return [{"layer": number, **row} for number, row in enumerate(rows, start=1)]


def total_row(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the last row of the table, the total number of parameters."""
    return {"operation": "total", "parameters": sum(row["parameters"] for row in rows)}


@torch.no_grad()
def _run(network: Network, record: Any) -> None:
    """Run the network on one empty window; `record` is called after every module of the table."""
    was_training = network.training
    inner = {child for m in network.modules() if isinstance(m, _NORMS) for child in m.children()}
    hooks = [
        module.register_forward_hook(record)
        for module in network.modules()
        if module not in inner and (not any(module.children()) or _parameters(module))
    ]
    window = torch.zeros(1, 1, network.window, network.window, device=network.temperature.device)
    try:
        network.eval()(window)
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()


def _operation(module: nn.Module, given: tuple[Tensor, ...]) -> str | None:
    """Return the name of a module with its own row; None if it belongs to the previous row."""
    if isinstance(module, nn.Linear):
        return "fully connected"
    if isinstance(module, nn.Conv2d):
        covers = tuple(given[0].shape[-2:]) == module.kernel_size and module.groups == 1
        if covers and module.padding == (0, 0):
            return "fully connected"
        kind = "convolution" if module.groups == 1 else "grouped convolution"
        return kind if max(module.dilation) == 1 else f"{kind}, dilation {module.dilation[0]}"
    return next((name for kind, name in _POOLINGS.items() if isinstance(module, kind)), None)


def _companions(module: nn.Module) -> list[str]:
    """Return the names of a module without its own row and of its children."""
    if isinstance(module, nn.Identity):
        return []
    name = type(module).__name__
    name = next((text for kind, text in _COMPANIONS.items() if isinstance(module, kind)), name)
    return [name, *(each for child in module.children() for each in _companions(child))]


def _row(operation: str, output: str, module: nn.Module | None = None) -> dict[str, Any]:
    sizes = {
        "kernel": _side(getattr(module, "kernel_size", None)),
        "stride": _side(getattr(module, "stride", None)),
        "padding": _side(getattr(module, "padding", None)),
    }
    return {"operation": operation, **sizes, "output": output, "parameters": 0}


def _side(size: Any) -> int | str | None:
    """Return 3 for 3 and for (3, 3), and ``3x5`` for (3, 5)."""
    if isinstance(size, tuple):
        return size[0] if len(set(size)) == 1 else "x".join(map(str, size))
    return size


def _shape(output: Tensor) -> str:
    return "x".join(str(size) for size in output.shape[1:])


def _parameters(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters(recurse=False))
