"""Weights on disk: ``model.safetensors`` and, beside it, plain ``model.yaml``."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.io.atomic import replacing, write_text
from deepcryopicker.io.yaml_files import read_yaml
from deepcryopicker.model.build import ModelConfig, build_network
from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import CompactConfig, ConvolutionalConfig, TimmConfig
from deepcryopicker.types import UNCALIBRATED, Calibration

WEIGHTS = "model.safetensors"
CARD = "model.yaml"
_PICKLES = frozenset({".ckpt", ".pt", ".pth", ".sav", ".pkl", ".pickle", ".bin"})
_CONFIGS: dict[str, type[ModelConfig]] = {
    "compact": CompactConfig,
    "convolutional": ConvolutionalConfig,
    "timm": TimmConfig,
}


@dataclass(frozen=True)
class Trained:
    """A network and all that is needed to pick with it.

    Attributes
    ----------
    network : Network
    config : ModelConfig
    classes : tuple of str
        Class names by output index.
    preprocessing : dict
        The chain that its training windows went through.
    diameter : float
        Particle diameter that it was trained at, original pixels.
    provenance : dict
        Data, seed, version and scores, for people to read.
    calibration : Calibration
        Of the scores of picks.
    """

    network: Network
    config: ModelConfig
    classes: tuple[str, ...]
    preprocessing: dict[str, Any]
    diameter: float
    provenance: dict[str, Any]
    calibration: Calibration = UNCALIBRATED


def save_weights(folder: Path, trained: Trained) -> Path:
    """Write weights and card into `folder` and return the weights' path."""
    state = {key: value.contiguous().cpu() for key, value in trained.network.state_dict().items()}
    with replacing(folder / WEIGHTS) as temporary:
        save_file(state, temporary)
    names = {config: name for name, config in _CONFIGS.items()}
    card = {
        "model": {"name": names[type(trained.config)], **asdict(trained.config)},
        "classes": list(trained.classes),
        "preprocessing": trained.preprocessing,
        "diameter": trained.diameter,
        "calibration": asdict(trained.calibration),
        "sha256": _sha256(folder / WEIGHTS),
        "provenance": trained.provenance,
    }
    write_text(folder / CARD, yaml.safe_dump(card, sort_keys=False))
    return folder / WEIGHTS


def load_weights(path: Path, key: str = "picker.weights") -> Trained:
    """Read weights from a run folder or a ``.safetensors`` file with its card beside it.

    Parameters
    ----------
    path : Path
    key : str
        Of the configuration, for messages.

    Raises
    ------
    UsageError
        If a file is missing or damaged, or the weights do not fit the card. A pickle is refused
        by its name: reading it may run whatever its author wanted.
    """
    weights = path / WEIGHTS if path.is_dir() else path
    if weights.suffix.lower() in _PICKLES:
        raise UsageError(
            f"{key}: {weights} may be a pickle, which can run code; only .safetensors is read\n"
            f"give the run folder of train, which holds {WEIGHTS}"
        )
    if not weights.is_file():
        raise UsageError(f"{key}: there is no {weights}; give a run folder of train")
    card = _read_card(weights.with_name(CARD), key)
    if card.get("sha256") not in (None, _sha256(weights)):
        raise UsageError(
            f"{weights} is damaged or of another run: its SHA-256 is not that in {CARD}\n"
            "copy both files again, from one run folder"
        )
    try:
        config = _model_config(card["model"])
        classes = tuple(str(label) for label in card["classes"])
        network = build_network(config, len(classes))
        state = load_file(weights)
        _check_shapes(network.state_dict(), state)
        network.load_state_dict(state)
        diameter = float(card["diameter"])
        if not 0 < diameter < float("inf"):
            raise ValueError(f"diameter is {diameter:g}")
        calibration = _calibration(card)
    except UsageError as error:
        raise UsageError(f"{weights.with_name(CARD)}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{weights.with_name(CARD)} is not a model card: {error}") from error
    except (SafetensorError, RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{weights} does not fit {CARD} beside it: {reason}") from error
    if not all(torch.isfinite(value).all() for value in network.state_dict().values()):
        raise UsageError(f"{weights} holds NaN or infinite weights")
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
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_shapes(expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> None:
    """Name the first tensor that a network of the card does not have, or has in another shape.

    Raises
    ------
    RuntimeError
    """
    for name in (*expected, *found):
        shapes = [tuple(side[name].shape) if name in side else None for side in (expected, found)]
        if shapes[0] != shapes[1]:
            raise RuntimeError(f"{name}: expected {shapes[0]}, found {shapes[1]}")


def _calibration(card: dict[str, Any]) -> Calibration:
    given = card.get("calibration", {})
    calibration = Calibration(**{key: float(value) for key, value in given.items()})
    if not (0 < calibration.slope < float("inf") and math.isfinite(calibration.intercept)):
        raise ValueError(f"calibration is {given}")
    return calibration


def _model_config(section: dict[str, Any]) -> ModelConfig:
    settings = dict(section)
    name = settings.pop("name")
    if name not in _CONFIGS:
        raise UsageError(unknown("model", name, _CONFIGS))
    return _CONFIGS[name](**settings)


def _read_card(path: Path, key: str) -> dict[str, Any]:
    if not path.is_file():
        raise UsageError(f"{key}: there is no {path}; give a run folder of train")
    card = read_yaml(path)
    if not isinstance(card, dict):
        raise UsageError(f"{path} is not a model card")
    return card
