"""Build the configured picker, and inherit what travels with its weights."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig

from deepcryopicker.config import PickConfig, TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import UsageError
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import CARD, Trained, load_weights
from deepcryopicker.picker import dense
from deepcryopicker.picker.fragments import with_stride
from deepcryopicker.picker.particles import make_surfaces
from deepcryopicker.picker.prepare import choose_device, choose_precision
from deepcryopicker.picker.programs.imported import Imported
from deepcryopicker.picker.programs.schema import ImportedConfig, ProgramConfig
from deepcryopicker.picker.scan import build_scan
from deepcryopicker.picker.schema import (
    DenseConfig,
    LabelerPickerConfig,
    NetworkPickerConfig,
    SlidingConfig,
)
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.preprocessing.views import Views
from deepcryopicker.reporting.score_maps import save_score_maps
from deepcryopicker.runs import Run
from deepcryopicker.types import Picks
from deepcryopicker.workflow.picked import Picker
from deepcryopicker.workflow.programs import pick_with_program

PickerConfig = DenseConfig | SlidingConfig | LabelerPickerConfig | ProgramConfig | ImportedConfig

_SAME_DIAMETER = 0.01  # relative
_NO_WEIGHTS = "picker.weights is missing: give a run folder of train, or use picker=log"


def build_picker(
    config: PickerConfig,
    catalogue: Catalogue,
    preprocessing: PreprocessingConfig,
    trained: Trained | None,
    run: Run,
    examples: Catalogue | None = None,
) -> Picker:
    """Return a function from a preprocessed micrograph to picks.

    Parameters
    ----------
    config : any picker's
    catalogue : Catalogue
        To be picked; a labeler learns from a sample of it.
    preprocessing : PreprocessingConfig
    trained : Trained or None
        Needed by pickers with a network only.
    run : Run
    examples : Catalogue, optional
        Micrographs whose truth a picker may learn from.
    """
    if isinstance(config, ProgramConfig):
        return pick_with_program(config, catalogue, examples, run)
    if isinstance(config, ImportedConfig):
        return _import(config)
    if isinstance(config, LabelerPickerConfig):
        # Imported where they are needed: a network should not wait for the labelers.
        from deepcryopicker.labeler import label
        from deepcryopicker.workflow.labelling import known, learn_labelers

        labelers = learn_labelers(catalogue, preprocessing, config.labeler, run)

        def pick_without_network(entry: Entry, views: Views) -> Picks:
            return label.pick(views, known(labelers, entry))

        return pick_without_network
    if trained is None:
        raise UsageError(_NO_WEIGHTS)
    scan = build_scan(trained, config)

    def pick_with_network(entry: Entry, views: Views) -> Picks:
        seen = views.at(config.scale_factor)
        picks, scores = dense.pick(seen.flat, scan, seen.working_diameter, config)
        if preprocessing.save_stages:
            surfaces = make_surfaces(scores, seen.working_diameter, config)
            path = run.folder / "score_maps" / f"{entry.name}.png"
            save_score_maps(
                path,
                views.micrograph,
                scores,
                seen.flat.scale,
                surfaces,
                picks,
                config.threshold,
            )
        return picks

    return pick_with_network


def _import(config: ImportedConfig) -> Picker:
    source = Imported(Path(config.picks))

    def look_up(entry: Entry, views: Views) -> Picks:
        if entry.block is None:
            return source.find(entry.name, views.diameter)
        picks = source.find(entry.block.micrograph, views.diameter)
        return entry.from_micrograph(entry.block.holds(picks))

    return look_up


def prepare_network(config: TrainConfig) -> Network | None:
    """Build the network that is to be trained, and refuse what it cannot do.

    Returns
    -------
    Network or None
        None where the picker has no use for one.

    Raises
    ------
    UsageError
        If it cannot have the picker's stride, or there is no such device or precision.
    """
    # Imported where it is needed: nobody who only picks should wait for what trains.
    from deepcryopicker.workflow.training import new_network

    picker = config.picker
    if not isinstance(picker, NetworkPickerConfig) and config.until == "picks":
        return None
    network = new_network(config)
    if isinstance(picker, NetworkPickerConfig):
        choose_precision(picker.precision, choose_device(picker.device))
    if isinstance(picker, DenseConfig):
        with_stride(network, picker.stride)
    return network


def inherit(
    config: PickConfig, catalogue: Catalogue
) -> tuple[Trained | None, PreprocessingConfig, Catalogue]:
    """Load the weights and take preprocessing and diameter from them.

    What the user gives on the command line must agree with the weights.

    Raises
    ------
    UsageError
        If it does not.
    """
    if not isinstance(config.picker, NetworkPickerConfig):
        return None, config.preprocessing, catalogue
    if config.picker.weights is None:
        raise UsageError(_NO_WEIGHTS)
    weights = Path(config.picker.weights)
    trained = load_weights(weights)
    stored = _stored_chain(trained, weights)
    # What is drawn is no part of what the network was trained with.
    stored = replace(stored, save_stages=config.preprocessing.save_stages)
    given = any(
        override.lstrip("+~").startswith("preprocessing")
        and not override.startswith("preprocessing.save_stages")
        for override in HydraConfig.get().overrides.task
    )
    if given:
        _refuse_other_chain(asdict(config.preprocessing), asdict(stored))
    return trained, stored, with_diameter_of(trained, catalogue)


def with_diameter_of(trained: Trained, catalogue: Catalogue) -> Catalogue:
    """Give micrographs without one the particle diameter that the network was trained at.

    Raises
    ------
    UsageError
        If the user gave another one.
    """
    for entry in catalogue.entries:
        if entry.diameter and abs(entry.diameter / trained.diameter - 1.0) > _SAME_DIAMETER:
            raise UsageError(
                f"dataset.diameter={entry.diameter:g}, but the weights were trained at "
                f"{trained.diameter:g} pixels; leave it out, or train on these micrographs"
            )
    for group in catalogue.groups_without_diameter:
        catalogue = catalogue.with_diameter(group, trained.diameter)
    return catalogue


def _stored_chain(trained: Trained, weights: Path) -> PreprocessingConfig:
    """Read the chain from the card, which anybody may have edited."""
    try:
        return PreprocessingConfig(**trained.preprocessing)
    except (TypeError, ValueError, AttributeError, UsageError) as error:
        raise UsageError(f"the {CARD} of {weights} has a damaged preprocessing: {error}") from error


def _refuse_other_chain(given: dict[str, Any], stored: dict[str, Any]) -> None:
    """Refuse the first value that is not what the network has seen in training."""
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
