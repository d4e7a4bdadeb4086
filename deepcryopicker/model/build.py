"""Build a network from its configuration."""

from collections.abc import Callable
from typing import Any

import torch

from deepcryopicker.errors import UsageError
from deepcryopicker.model.compact import Compact
from deepcryopicker.model.context import Context
from deepcryopicker.model.convolutional import Convolutional
from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import (
    CompactConfig,
    ContextConfig,
    ConvolutionalConfig,
    TimmConfig,
)

ModelConfig = CompactConfig | ContextConfig | ConvolutionalConfig | TimmConfig

_MOST_PARAMETERS = 500_000_000  # 2 GB; the paper's network has 58 million


def build_network(config: ModelConfig, classes: int) -> Network:
    """Build the configured network with random weights and `classes` outputs.

    Raises
    ------
    UsageError
        The network has too many parameters, or timm has no such backbone.
    """
    kind = network_class(config)
    # On the meta device tensors have shapes but no memory.
    with torch.device("meta"):
        parameters = sum(each.numel() for each in kind(config, classes).parameters())
    if parameters > _MOST_PARAMETERS:
        raise UsageError(
            f"model: this network has {parameters:,} parameters, at most "
            f"{_MOST_PARAMETERS:,} are allowed; make its layers narrower"
        )
    return kind(config, classes)


def network_class(config: ModelConfig) -> Callable[[Any, int], Network]:
    """Return the class of the configured network, which takes the configuration and `classes`.

    It is found before a network is built on the meta device, where timm cannot be imported.
    """
    if isinstance(config, CompactConfig):
        return Compact
    if isinstance(config, ContextConfig):
        return Context
    if isinstance(config, ConvolutionalConfig):
        return Convolutional
    # Imported only if needed, because importing timm takes a second.
    from deepcryopicker.model.timm_backbone import TimmBackbone

    return TimmBackbone
