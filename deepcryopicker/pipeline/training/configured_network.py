"""Build the network to be trained, and refuse at once settings that its picker cannot use."""

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.model.network import Network
from deepcryopicker.picker.fragments import with_stride
from deepcryopicker.picker.prepare import choose_device, choose_precision
from deepcryopicker.picker.schema import DenseConfig, NetworkPickerConfig
from deepcryopicker.pipeline.training.fit_network import new_network


def prepare_network(config: TrainConfig) -> Network | None:
    """Build the network to be trained, and check stride and device of its picker.

    Returns
    -------
    Network or None
        None if the picker does not need a network.

    Raises
    ------
    UsageError
        If the network cannot have the stride, or the device or precision is not available.
    """
    picker = config.picker
    if not isinstance(picker, NetworkPickerConfig) and config.until == "picks":
        return None
    network = new_network(config)
    if isinstance(picker, NetworkPickerConfig):
        choose_precision(picker.precision, choose_device(picker.device))
    if isinstance(picker, DenseConfig):
        with_stride(network, picker.stride)
    return network
