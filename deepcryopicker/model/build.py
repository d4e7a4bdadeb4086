"""Build a network from its configuration."""

from collections.abc import Callable
from typing import Any

import torch

from deepcryopicker.model.compact import Compact
from deepcryopicker.model.context import Context
from deepcryopicker.model.convolutional import Convolutional
from deepcryopicker.model.network import Network, require_size
from deepcryopicker.model.schema import (
    CompactConfig,
    ContextConfig,
    ConvolutionalConfig,
    TimmConfig,
)
from deepcryopicker.plugins.announced import component

ModelConfig = CompactConfig | ContextConfig | ConvolutionalConfig | TimmConfig


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
        require_size(kind(config, classes))
    return kind(config, classes)


def network_class(config: ModelConfig) -> Callable[[Any, int], Network]:
    """Return the class of the configured network, which takes the configuration and `classes`.

    It is found before a network is built on the meta device, where timm cannot be imported.
    """
    made = component("model", config)
    if made is not None:
        return made
    if isinstance(config, CompactConfig):
        return Compact
    if isinstance(config, ContextConfig):
        return Context
    if isinstance(config, ConvolutionalConfig):
        return Convolutional
    # Imported only if needed, because importing timm takes a second.
    from deepcryopicker.model.timm_backbone import TimmBackbone

    return TimmBackbone


def start_pretrained(network: Network, config: ModelConfig) -> None:
    """Load published or local weights into the features of a backbone, in place, if configured.

    Raises
    ------
    UsageError
        There are none, or they cannot be read or downloaded.
    """
    if isinstance(config, TimmConfig) and (config.pretrained or config.checkpoint):
        from deepcryopicker.model.timm_backbone import pretrained_state

        network.get_submodule("features").load_state_dict(pretrained_state(config))
