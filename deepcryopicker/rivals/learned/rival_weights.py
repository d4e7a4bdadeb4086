"""Files of a trained rival: ``rival.safetensors`` and, beside it, ``rival.yaml``."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deepcryopicker.errors import UsageError, unknown
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
from deepcryopicker.model.weights_file import RIVAL_CARD, RIVAL_FILE, find_weights
from deepcryopicker.rivals.learned.factory import build_rival
from deepcryopicker.rivals.learned.rival import Rival
from deepcryopicker.rivals.learned.schema import (
    Eman2Config,
    FastRcnnConfig,
    LearnedConfig,
    PixerConfig,
)
from deepcryopicker.types import UNCALIBRATED, Calibration

WEIGHTS = RIVAL_FILE
CARD = RIVAL_CARD
_CONFIGS: dict[str, type[LearnedConfig]] = {
    "eman2": Eman2Config,
    "fast_rcnn": FastRcnnConfig,
    "pixer": PixerConfig,
}


@dataclass(frozen=True)
class Learned:
    """A trained rival with everything that is needed to pick.

    Attributes
    ----------
    rival : Rival
    config : LearnedConfig
        Configuration of its training.
    preprocessing : dict
        Preprocessing of its training micrographs.
    diameter : float
        Particle diameter in training, original pixels.
    particles : int
        Number of particles for training and validation.
    provenance : dict
        Data, seed and version, for information only.
    calibration : Calibration
        Applied to its scores.
    diameter_angstrom : float or None
        The diameter in Angstrom, None if a pixel size is unknown.
    """

    rival: Rival
    config: LearnedConfig
    preprocessing: dict[str, Any]
    diameter: float
    particles: int
    provenance: dict[str, Any]
    calibration: Calibration = UNCALIBRATED
    diameter_angstrom: float | None = None


def name_of(config: LearnedConfig) -> str:
    """Return the name of a rival as typed after ``picker=``."""
    return next(name for name, kind in _CONFIGS.items() if type(config) is kind)


def save(folder: Path, learned: Learned) -> Path:
    """Write weights and card into `folder` and return the path of the weights."""
    card = {
        "picker": {"name": name_of(learned.config), **asdict(learned.config)},
        "preprocessing": learned.preprocessing,
        "diameter": learned.diameter,
        ANGSTROM: learned.diameter_angstrom,
        "particles": learned.particles,
        "provenance": learned.provenance,
    }
    write_weights(learned.rival, folder / WEIGHTS, folder / CARD, card, learned.calibration)
    return folder / WEIGHTS


def load(path: Path, key: str = "picker.weights") -> Learned:
    """Read a rival from a run folder, or a ``.safetensors`` file with its card in or beside it.

    Parameters
    ----------
    path : Path
    key : str
        Key of the configuration, for error messages.

    Raises
    ------
    UsageError
        If a file is missing or damaged, or the weights do not fit the card.
    """
    weights = find_weights(path, WEIGHTS, key)
    card, place = open_card(weights, CARD, key)
    if "picker" not in card and "model" in card:
        raise UsageError(f"{key}: {weights} is a network of ours; type picker=dense")
    with naming(weights, place):
        config = _config(card["picker"])
        rival = build_rival(config)
        load_state(rival, weights)
        diameter, angstrom = diameter_on(card), angstrom_on(card)
        calibration = calibration_on(card)
        particles = int(card["particles"])
    require_finite(rival, weights)
    return Learned(
        rival.eval(),
        config,
        card.get("preprocessing", {}),
        diameter,
        particles,
        card.get("provenance", {}),
        calibration,
        angstrom,
    )


def _config(section: dict[str, Any]) -> LearnedConfig:
    settings = dict(section)
    name = settings.pop("name")
    if name not in _CONFIGS:
        raise UsageError(unknown("picker", name, _CONFIGS))
    return _CONFIGS[name](**settings)
