"""Weights on disk: ``model.safetensors`` and, beside it, plain ``model.yaml``."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.model.build import ModelConfig, build_network
from deepcryopicker.model.cards import (
    ANGSTROM,
    angstrom_on,
    calibration_on,
    diameter_on,
    load_state,
    naming,
    open_card,
    require_finite,
    write_weights,
)
from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import (
    CompactConfig,
    ContextConfig,
    ConvolutionalConfig,
    TimmConfig,
)
from deepcryopicker.model.weights_file import INCLUDED, NETWORK_CARD, NETWORK_FILE, find_weights
from deepcryopicker.plugins.announced import options
from deepcryopicker.types import UNCALIBRATED, Calibration

WEIGHTS = NETWORK_FILE
CARD = NETWORK_CARD
GENERAL = INCLUDED
"""Name of the weights included in the program, instead of a path (docs/general.md)."""
GENERAL_FOLDER = Path(__file__).with_name(GENERAL)
_OF_RIVAL = "picker"  # section of the card of a re-implemented picker
_CONFIGS: dict[str, type[ModelConfig]] = {
    "compact": CompactConfig,
    "context": ContextConfig,
    "convolutional": ConvolutionalConfig,
    "timm": TimmConfig,
}


@dataclass(frozen=True)
class Trained:
    """A network and all data needed to pick with it.

    Attributes
    ----------
    network : Network
    config : ModelConfig
    classes : tuple of str
        Class names by output index.
    preprocessing : dict
        Preprocessing chain of its training windows.
    diameter : float or None
        Particle diameter in training, original pixels; None if trained at several diameters.
    provenance : dict
        Data, seed, version and scores, for information.
    calibration : Calibration
        Of the scores of picks.
    diameter_angstrom : float or None
        The same in Angstrom; None if a pixel size is unknown, or if trained at several.
    """

    network: Network
    config: ModelConfig
    classes: tuple[str, ...]
    preprocessing: dict[str, Any]
    diameter: float | None
    provenance: dict[str, Any]
    calibration: Calibration = UNCALIBRATED
    diameter_angstrom: float | None = None


def save_weights(folder: Path, trained: Trained) -> Path:
    """Write weights and card into `folder` and return the path of the weights."""
    card = {
        "model": {"name": name_of(trained.config), **asdict(trained.config)},
        "classes": list(trained.classes),
        "preprocessing": trained.preprocessing,
        "diameter": trained.diameter,
        ANGSTROM: trained.diameter_angstrom,
        "provenance": trained.provenance,
    }
    write_weights(trained.network, folder / WEIGHTS, folder / CARD, card, trained.calibration)
    return folder / WEIGHTS


def load_weights(path: Path | str, key: str = "picker.weights") -> Trained:
    """Read weights from a run folder, or a ``.safetensors`` file with its card in or beside it.

    Parameters
    ----------
    path : Path or str
        `GENERAL` stands for the general weights.
    key : str
        Of the configuration, for messages.

    Raises
    ------
    UsageError
        A file is missing or damaged, or the weights do not fit the card.
    """
    path = GENERAL_FOLDER if path == GENERAL else Path(path)
    weights = find_weights(path, WEIGHTS, key)
    card, place = open_card(weights, CARD, key)
    if _OF_RIVAL in card and "model" not in card:
        raise UsageError(f"{key}: {weights} is of another picker{_typed(card[_OF_RIVAL])}")
    with naming(weights, place):
        config = _model_config(card["model"])
        classes = tuple(str(label) for label in card["classes"])
        network = build_network(config, len(classes))
        load_state(network, weights)
        diameter = None if card["diameter"] is None else diameter_on(card)
        angstrom = angstrom_on(card)
        calibration = calibration_on(card)
    require_finite(network, weights)
    if network.temperature <= 0:
        raise UsageError(f"{weights}: temperature must be > 0, got {network.temperature:g}")
    network.eval()
    return Trained(
        network,
        config,
        classes,
        card.get("preprocessing", {}),
        diameter,
        card.get("provenance", {}),
        calibration,
        angstrom,
    )


def _typed(section: object) -> str:
    """Return what is typed for a rival that a card names."""
    name = section.get("name") if isinstance(section, dict) else None
    return f"; type picker={name}" if isinstance(name, str) and name.isidentifier() else ""


def name_of(config: ModelConfig) -> str:
    """Return the name of a kind of network, as in ``model=NAME``."""
    names = {kind: name for name, kind in _configs().items()}
    return names[type(config)]


def _model_config(section: dict[str, Any]) -> ModelConfig:
    settings = dict(section)
    name = settings.pop("name")
    known = _configs()
    if name not in known:
        raise UsageError(unknown("model", name, known))
    return known[name](**settings)


def _configs() -> dict[str, type]:
    """Return the schemas of all networks, those of plugins included, by name."""
    return {**_CONFIGS, **options("model")}
