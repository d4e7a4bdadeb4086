"""Build the configured picker, and inherit what travels with its weights."""

from dataclasses import asdict
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from deepcryopicker.config import PickConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.errors import UsageError
from deepcryopicker.model.weights import Trained, load_weights
from deepcryopicker.picker import dense, log
from deepcryopicker.picker.scan import choose_device
from deepcryopicker.picker.schema import DenseConfig, LogConfig
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Micrograph, Picks
from deepcryopicker.workflow.picking import Picker

_SAME_DIAMETER = 0.01  # relative


def build_picker(
    config: DenseConfig | LogConfig, preprocessing: PreprocessingConfig, trained: Trained | None
) -> Picker:
    """Return a function from a preprocessed micrograph to picks.

    Parameters
    ----------
    config : DenseConfig or LogConfig
    preprocessing : PreprocessingConfig
    trained : Trained or None
        Needed by the dense picker only.
    """
    diameter = preprocessing.working_diameter
    if isinstance(config, LogConfig):

        def pick_blobs(micrograph: Micrograph) -> Picks:
            return log.pick(micrograph, diameter, config)

        return pick_blobs
    if trained is None:
        raise UsageError("picker.weights is missing: give a run folder of train, or use picker=log")
    trained.network.to(choose_device(config.device)).eval()

    def pick_particles(micrograph: Micrograph) -> Picks:
        return dense.pick(micrograph, trained, diameter, config)

    return pick_particles


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
    if isinstance(config.picker, LogConfig) or config.picker.weights is None:
        return None, config.preprocessing, catalogue
    trained = load_weights(Path(config.picker.weights))
    given = any(
        override.lstrip("+~").startswith("preprocessing")
        and not override.startswith("preprocessing.save_stages")
        for override in HydraConfig.get().overrides.task
    )
    if given:
        _refuse_other_chain(asdict(config.preprocessing), trained.preprocessing)
    for entry in catalogue.entries:
        if entry.diameter and abs(entry.diameter / trained.diameter - 1.0) > _SAME_DIAMETER:
            raise UsageError(
                f"dataset.diameter={entry.diameter:g}, but the weights were trained at "
                f"{trained.diameter:g} pixels; leave it out, or train on these micrographs"
            )
    for group in catalogue.groups_without_diameter:
        catalogue = catalogue.with_diameter(group, trained.diameter)
    return trained, PreprocessingConfig(**trained.preprocessing), catalogue


def _refuse_other_chain(given: dict[str, object], stored: dict[str, object]) -> None:
    for key in ("working_diameter", "model_input", "steps"):
        if given[key] != stored.get(key):
            raise UsageError(
                f"preprocessing.{key} differs from what the weights were trained with; "
                f"leave preprocessing out.\ntrained with: {stored.get(key)}"
            )
