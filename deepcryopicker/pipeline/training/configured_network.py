"""Build the network that is to be trained, and refuse at once what its picker cannot do."""

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.model.network import Network
from deepcryopicker.picker.fragments import with_stride
from deepcryopicker.picker.prepare import choose_device, choose_precision
from deepcryopicker.picker.schema import DenseConfig, NetworkPickerConfig
from deepcryopicker.pipeline.training.fit_network import new_network


def prepare_network(config: TrainConfig) -> Network | None:
    """Build the network that is to be trained, and try its picker's stride and device on it.

    Returns
    -------
    Network or None
        None where the picker has no use for one.

    Raises
    ------
    UsageError
        If it cannot have the picker's stride, or there is no such device or precision.
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
