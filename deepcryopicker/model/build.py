"""Build a network from its configuration."""

from deepcryopicker.model.compact import Compact
from deepcryopicker.model.deepcryopicker import DeepCryoPicker
from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import CompactConfig, DeepCryoPickerConfig, TimmConfig

ModelConfig = CompactConfig | DeepCryoPickerConfig | TimmConfig


def build_network(config: ModelConfig, classes: int) -> Network:
    """Build the configured network with random weights and `classes` outputs."""
    if isinstance(config, CompactConfig):
        return Compact(config, classes)
    if isinstance(config, DeepCryoPickerConfig):
        return DeepCryoPicker(config, classes)
    # timm takes a second to import, which only its own users should wait for.
    from deepcryopicker.model.timm_backbone import TimmBackbone

    return TimmBackbone(config, classes)
