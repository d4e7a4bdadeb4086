"""Weights and their card, beside them or in the same file: read without trust, and written."""

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from deepcryopicker.config.renamed import up_to_date
from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.atomic import replacing, write_text
from deepcryopicker.io.files.yaml_files import read_yaml
from deepcryopicker.model.weights_file import CARD_KEY, embedded_card, tensor_sum
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Calibration

_SUM = "sha256"
ANGSTROM = "diameter_angstrom"
"""Key of a card: the particle diameter in Angstrom; missing on the cards of version 0.1.0."""


def open_card(weights: Path, name: str, key: str) -> tuple[dict[str, Any], Path]:
    """Read the card of weights, and refuse weights that it does not belong to.

    Parameters
    ----------
    weights : Path
        An exported file, which holds its card, or one with a card beside it.
    name : str
        File name of a card beside weights.
    key : str
        Of the configuration, for messages.

    Returns
    -------
    card : dict
    place : Path
        File that holds the card: `weights` itself if it was exported.

    Raises
    ------
    UsageError
        The card is missing or damaged, or the weights are.
    """
    card = embedded_card(weights)
    if card is None:
        beside = weights.with_name(name)
        card = read_card(beside, key)
        require_sum(card, weights)
        return card, beside
    if card.get(_SUM) != tensor_sum(weights):
        raise UsageError(
            f"{weights} is damaged: the SHA-256 of its weights is not that on its card\n"
            "copy or export it again"
        )
    return _up_to_date(card), weights


def read_card(path: Path, key: str) -> dict[str, Any]:
    """Read a card as plain YAML.

    Raises
    ------
    UsageError
        The card is missing, too large or not a mapping.
    """
    if not path.is_file():
        raise UsageError(
            f"{key}: there is no {path}; give a run folder of train, or a file of export"
        )
    card = read_yaml(path)
    if not isinstance(card, dict):
        raise UsageError(f"{path} is not a model card")
    return _up_to_date(card)


def _up_to_date(card: dict[str, Any]) -> dict[str, Any]:
    """Name keys as today; the file stays, as its content stands for the weights."""
    return {
        key: up_to_date(section, key) if isinstance(section, dict) else section
        for key, section in card.items()
    }


def require_sum(card: dict[str, Any], weights: Path) -> None:
    """Refuse weights whose SHA-256 differs from that on the card; older cards have none.

    Raises
    ------
    UsageError
        Names the file.
    """
    if card.get(_SUM) not in (None, _sha256(weights)):
        raise UsageError(
            f"{weights} is damaged or of another run: its SHA-256 is not that on the card\n"
            "copy both files again, from one run folder"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def naming(weights: Path, card: Path) -> Iterator[None]:
    """Turn errors while weights and card are read into one line that names the file.

    Raises
    ------
    UsageError
        The card is invalid, or the weights do not fit it.
    """
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{card}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{card} is not a model card: {error}") from error
    except (SafetensorError, RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0]
        whose = "its own card" if card == weights else f"{card.name} beside it"
        raise UsageError(f"{weights} does not fit {whose}: {reason}") from error


def load_state(network: nn.Module, weights: Path) -> None:
    """Load weights into a network of their shape.

    Raises
    ------
    RuntimeError
        Names the first tensor that is missing or has another shape.
    """
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    with safe_open(weights, "pt") as stream:  # reads no tensor of another shape
        found = {name: tuple(stream.get_slice(name).get_shape()) for name in stream.keys()}  # noqa: SIM118
    for name in (*expected, *found):
        if expected.get(name) != found.get(name):
            raise RuntimeError(f"{name}: expected {expected.get(name)}, found {found.get(name)}")
    network.load_state_dict(load_file(weights))


def require_finite(network: nn.Module, weights: Path) -> None:
    """Refuse weights that are NaN or infinite."""
    if not all(torch.isfinite(value).all() for value in network.state_dict().values()):
        raise UsageError(f"{weights} holds NaN or infinite weights")


def diameter_on(card: dict[str, Any]) -> float:
    """Return the particle diameter on a card, original pixels."""
    return _length(card, "diameter")


def angstrom_on(card: dict[str, Any]) -> float | None:
    """Return the particle diameter on a card in Angstrom; None if it has none."""
    return None if card.get(ANGSTROM) is None else _length(card, ANGSTROM)


def _length(card: dict[str, Any], key: str) -> float:
    length = float(card[key])
    if not 0 < length < float("inf"):
        raise ValueError(f"{key} is {length:g}")
    return length


def chain_on(preprocessing: dict[str, Any], card: str) -> PreprocessingConfig:
    """Build the preprocessing on a card, which anybody may have edited.

    Parameters
    ----------
    preprocessing : dict
    card : str
        Names the card in errors.

    Raises
    ------
    UsageError
        It is invalid.
    """
    try:
        return PreprocessingConfig(**preprocessing)
    except (TypeError, ValueError, AttributeError, UsageError) as error:
        raise UsageError(f"{card} has a damaged preprocessing: {error}") from error


def calibration_on(card: dict[str, Any]) -> Calibration:
    """Return the calibration on a card; the identity if there is none."""
    given = card.get("calibration", {})
    calibration = Calibration(**{key: float(value) for key, value in given.items()})
    if not (0 < calibration.slope < float("inf") and math.isfinite(calibration.intercept)):
        raise ValueError(f"calibration is {given}")
    return calibration


def write_weights(
    network: nn.Module,
    weights: Path,
    card: Path,
    contents: dict[str, Any],
    calibration: Calibration,
) -> None:
    """Write weights and their card, each atomically.

    Parameters
    ----------
    network : Module
    weights, card : Path
        Files to write.
    contents : dict
        Of the card; the calibration and the SHA-256 of the weights are added.
    calibration : Calibration
    """
    state = {key: value.contiguous().cpu() for key, value in network.state_dict().items()}
    with replacing(weights) as temporary:
        save_file(state, temporary)
    contents = {**contents, "calibration": asdict(calibration), _SUM: _sha256(weights)}
    write_text(card, yaml.safe_dump(contents, sort_keys=False))


def write_single(weights: Path, card: dict[str, Any], target: Path) -> None:
    """Write one file with the tensors of another and a card, atomically.

    Parameters
    ----------
    weights : Path
    card : dict
        JSON-compatible; its SHA-256 is replaced by that of the tensors.
    target : Path
    """
    state = load_file(weights)
    with replacing(target) as temporary:
        save_file(state, temporary)
        contents = {**card, _SUM: tensor_sum(temporary)}
        save_file(state, temporary, {CARD_KEY: json.dumps(contents)})
