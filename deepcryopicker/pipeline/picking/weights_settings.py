"""Load weights with their settings: preprocessing, particle diameter and kind of picker."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepcryopicker.config.schemas import PickConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.pixel_sizes import known_pixel_size, spread_sample
from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import console
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.trained_diameter import (
    SAME_DIAMETER,
    ParticleDiameter,
    doubt_about,
)
from deepcryopicker.model.weights import (
    CARD,
    GENERAL,
    GENERAL_FOLDER,
    Trained,
    load_weights,
)
from deepcryopicker.picker.schema import NetworkPickerConfig
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.runs.folder import Run

if TYPE_CHECKING:
    from deepcryopicker.rivals.learned.rival_weights import Learned

NO_WEIGHTS = "picker.weights is missing: give a run folder of train, or use picker=log"


def inherit(
    config: PickConfig, catalogue: Catalogue, run: Run
) -> "tuple[Trained | Learned | None, PreprocessingConfig, Catalogue]":
    """Load the weights and use their preprocessing and diameter.

    A preprocessing on the command line must agree with the weights; a diameter takes precedence.

    Parameters
    ----------
    config : PickConfig
    catalogue : Catalogue
    run : Run
        Provides the overrides of the command line.

    Raises
    ------
    UsageError
        If a setting does not agree with the weights.
    """
    if not isinstance(config.picker, NetworkPickerConfig | LearnedConfig):
        return None, config.preprocessing, catalogue
    weights = config.picker.weights
    if weights is None:
        if isinstance(config.picker, LearnedConfig):
            raise UsageError(NO_WEIGHTS)
        console.print(
            "picker.weights is not set: using the general weights, trained on simulated "
            "micrographs only"
        )
        weights = GENERAL
    trained, card = _load(config.picker, weights)
    stored = chain_on(trained.preprocessing, f"the {card} of {weights}")
    # Drawing the preprocessing steps does not affect the network.
    stored = replace(stored, save_stages=config.preprocessing.save_stages)
    given = any(
        override.lstrip("+~").startswith("preprocessing")
        and not override.startswith("preprocessing.save_stages")
        for override in run.given
    )
    if given:
        _refuse_other_chain(asdict(config.preprocessing), asdict(stored))
    catalogue = with_diameter_of(trained, catalogue)
    show_scale(trained, catalogue.entries, run)
    return trained, stored, catalogue


def general_weights(picker: object) -> Path | None:
    """Return the folder of the general weights if the configured picker uses them."""
    if not isinstance(picker, NetworkPickerConfig) or picker.weights not in (None, GENERAL):
        return None
    return GENERAL_FOLDER


def with_diameter_of(trained: "Trained | Learned", catalogue: Catalogue) -> Catalogue:
    """Assign the particle diameter of the training to micrographs without a diameter.

    General weights have no diameter and leave the micrographs unchanged.
    """
    if trained.diameter is None and trained.diameter_angstrom is None:
        return catalogue
    for group in catalogue.groups_without_diameter:
        catalogue = catalogue.with_diameter(group, trained.diameter, trained.diameter_angstrom)
    return catalogue


def show_scale(trained: "Trained | Learned", entries: Sequence[Entry], run: Run) -> None:
    """Print at which diameter micrographs are picked if the training had another one, in pixels.

    A few headers are read. Of a given diameter that differs from that of the training, the run
    warns.

    Parameters
    ----------
    trained : Trained or Learned
    entries : sequence of Entry
        With the diameters of :func:`with_diameter_of`.
    run : Run
    """
    known = ParticleDiameter(trained.diameter, trained.diameter_angstrom)
    if known.pixels is None and known.angstrom is None:
        return
    for group in dict.fromkeys(entry.group for entry in entries):
        for entry in spread_sample([one for one in entries if one.group == group]):
            size = known_pixel_size(entry.path, entry.pixel_size)
            if entry.estimated:
                run.note(f"scale of {group}", _scale_line(group, known, size))
            elif entry.diameter or (entry.diameter_angstrom and size):
                given = ParticleDiameter.of(entry.diameter, entry.diameter_angstrom, size)
                run.warn(f"diameter of the weights for {group}", doubt_about(given, known))


def _scale_line(group: str, trained: ParticleDiameter, pixel_size: float | None) -> str | None:
    """Return a remark on the diameter at which micrographs of this pixel size are picked."""
    if trained.angstrom is None:
        return None
    here = ParticleDiameter.of(None, trained.angstrom, pixel_size)
    if here.pixels is None:
        return (
            (
                f"{group}: no pixel size is known, so particles are picked at {trained.pixels:.4g} "
                "pixels as in training; if the micrographs have another pixel size, set "
                "dataset.pixel_size=ANGSTROM"
            )
            if trained.pixels
            else None
        )
    if trained.pixels and abs(here.pixels / trained.pixels - 1.0) <= SAME_DIAMETER:
        return None
    before = "several pixel sizes" if trained.pixels is None else f"{trained.pixels:.4g} pixels"
    return (
        f"{group}: trained at {before}, picked at {here}, because the micrographs have "
        f"{pixel_size:.4g} Angstrom per pixel"
    )


def _load(
    config: NetworkPickerConfig | LearnedConfig, weights: str
) -> "tuple[Trained | Learned, str]":
    """Load the weights of the configured picker, and return them with the name of their card.

    Raises
    ------
    UsageError
        If the weights are missing or belong to another picker.
    """
    if not isinstance(config, LearnedConfig):
        return load_weights(weights), CARD
    # Imported on demand, because a network does not need the other pickers.
    from deepcryopicker.rivals.learned.rival_weights import CARD as RIVAL_CARD
    from deepcryopicker.rivals.learned.rival_weights import load, name_of

    learned = load(Path(weights))
    wanted, stored = name_of(config), name_of(learned.config)
    if wanted != stored:
        raise UsageError(
            f"picker={wanted}, but {weights} was trained with picker={stored}; "
            f"use picker={stored}, or other weights"
        )
    return learned, RIVAL_CARD


def _refuse_other_chain(given: dict[str, Any], stored: dict[str, Any]) -> None:
    """Refuse the first value that differs from the preprocessing in training."""
    flat, trained = _flatten(given), _flatten(stored)
    for key in (*flat, *trained):
        if flat.get(key) != trained.get(key):
            raise UsageError(
                f"preprocessing{key}={flat.get(key, 'null')}, but the weights were trained with "
                f"{trained.get(key, 'null')}; leave preprocessing out"
            )


def _flatten(tree: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {name: tree}
    return {
        key: value
        for branch, below in tree.items()
        for key, value in _flatten(below, f"{name}.{branch}").items()
    }
