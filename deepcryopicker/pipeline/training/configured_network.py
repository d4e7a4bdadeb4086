"""The network to be trained: its settings, and refusal of those that its picker cannot use."""

from dataclasses import replace
from pathlib import Path

from rich.markup import escape

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.io.console import console, counted
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import GENERAL, load_weights
from deepcryopicker.picker.scanning.fragments import with_stride
from deepcryopicker.picker.scanning.prepare import choose_device, choose_precision
from deepcryopicker.picker.schema import DenseConfig, NetworkPickerConfig
from deepcryopicker.pipeline.inputs.given_corrections import given_corrections
from deepcryopicker.pipeline.training.fitting.fit_network import new_network

_ENOUGH = 10  # corrected micrographs, of which some may be tested on
_FEW = (
    "a network trained on a whole folder seldom improves by so few corrections: compare its picks "
    "with the corrected ones, which deepcryopicker.filter writes (docs/correcting.md)"
)


def with_corrections(config: TrainConfig) -> TrainConfig:
    """Continue the network that picked, and learn from every corrected micrograph.

    The network, its classes and its preprocessing are those of ``start_from``; where that is not
    given, of the weights that the file of corrections names, or else of the general weights. With
    few corrected micrographs none is tested on. Other configurations are returned as they are.

    Raises
    ------
    UsageError
        The file is damaged.
    """
    corrections = given_corrections(config)
    if corrections is None:
        return config
    looked_at = corrections.included
    start = config.start_from or _existing(corrections.weights)
    trained = load_weights(start, "start_from")
    console.print(
        f"corrections of {counted(len(looked_at), 'micrograph')}; training continues from "
        f"{'the general weights' if start == GENERAL else escape(start)} (start_from)"
    )
    class_set = replace(config.class_set, classes=list(trained.classes))
    if len(looked_at) < _ENOUGH:
        class_set = replace(class_set, test=0.0)
        if start != GENERAL:
            console.print(_FEW)
    return replace(config, start_from=start, model=trained.config, class_set=class_set)


def _existing(weights: str | None) -> str:
    """Return weights that a file names if they exist; else the general ones."""
    if weights is None or weights == GENERAL or Path(weights).exists():
        return weights or GENERAL
    console.print(f"{escape(weights)}, whose picks were corrected, is not there")
    return GENERAL


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
    if isinstance(picker, DenseConfig) and network.dense:
        with_stride(network, picker.stride)
    return network
