"""Open what a run is given before anything heavy is loaded, so that a wrong path is answered soon.

Nothing here imports torch.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from deepcryopicker.config.schemas import PickConfig, TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.schema import CombinedConfig, FolderConfig, PublicConfig, VariedConfig
from deepcryopicker.dataset.structures.given_structures import given_structures
from deepcryopicker.dataset.structures.known_structures import known_structures
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.coordinates.coordinate_sets import find_sources
from deepcryopicker.io.images.reader import micrograph_shape
from deepcryopicker.labeler.schema import StructureConfig
from deepcryopicker.model.weights_file import INCLUDED, NETWORK_FILE, RIVAL_FILE, find_weights
from deepcryopicker.picker.schema import AUTO, NetworkPickerConfig
from deepcryopicker.pipeline.inputs.given_coordinates import select_coordinates
from deepcryopicker.pipeline.inputs.given_corrections import require_corrections
from deepcryopicker.pipeline.inputs.open_dataset import DatasetConfig, open_catalogue
from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.rivals.programs.schema import ImportedConfig, RelionReferenceConfig
from deepcryopicker.runs.folder import Run


def check_paths(config: PickConfig | TrainConfig) -> None:
    """Refuse missing weights, files of picks and folders to watch.

    Raises
    ------
    UsageError
        Names the key.
    """
    if isinstance(config, PickConfig):
        _check_picker("picker", config.picker)
        folder = config.dataset.micrographs if config.watch else None
        if folder is not None and not Path(folder).is_dir():
            raise UsageError(
                f"watch=true needs a folder, but dataset.micrographs={folder} is not one"
            )
    else:
        _check_weights("start_from", config.start_from, NETWORK_FILE)
        require_corrections(config)
        if isinstance(config.labeler, StructureConfig):
            structure = getattr(config.dataset, "structure", None)
            _require_structure("labeler=structure", structure)
        for key in ("picker", "baseline"):
            _check_picker(key, getattr(config, key))


def open_on_disk(config: DatasetConfig, run: Run) -> Catalogue | None:
    """Open a dataset that is on disk.

    Returns
    -------
    Catalogue or None
        None if the micrographs have to be simulated or downloaded first.

    Raises
    ------
    UsageError
        There are no micrographs, or a structure of ``dataset.structure`` is missing.
    NothingUsableError
        No header can be read; each file is then in ``failures.csv``.
    """
    _check_structures(config)
    if not _on_disk(config):
        return None
    catalogue = select_coordinates(open_catalogue(config, run))
    if not any(_readable(entry) for entry in catalogue.entries):
        for entry in catalogue.entries:
            work = partial(micrograph_shape, entry.path, entry.average_frames)
            run.attempt("read", entry.name, entry.path, work)
        run.require(0, "read")
    return catalogue


def open_picks(config: DatasetConfig, run: Run) -> Catalogue:
    """Open the micrographs of a dataset that have coordinates.

    Raises
    ------
    UsageError
        None has any, or they have to be downloaded first.
    """
    catalogue = open_on_disk(config, run) or open_catalogue(config, run)
    having = tuple(entry for entry in catalogue.entries if entry.truth is not None)
    if not having:
        raise UsageError(
            "classes need picks: give dataset.coordinates=RUN, or a file or folder of any program"
        )
    return replace(catalogue, entries=having)


def _check_structures(config: DatasetConfig) -> None:
    """Refuse missing structures of the particles, and missing maps for a simulation."""
    members = config.members.values() if isinstance(config, CombinedConfig) else [config]
    for member in members:
        if isinstance(member, FolderConfig):
            given_structures(member.structure)
    if isinstance(config, VariedConfig) and not config.download:
        known_structures(config)


def _on_disk(config: DatasetConfig) -> bool:
    if isinstance(config, CombinedConfig):
        return not config.download and config.simulated is None
    return isinstance(config, FolderConfig) and not (
        isinstance(config, PublicConfig) and config.download
    )


def _readable(entry: Entry) -> bool:
    try:
        micrograph_shape(entry.path, entry.average_frames)
    except MicrographError:
        return False
    return True


def _check_picker(key: str, picker: Any) -> None:
    """Refuse missing weights, files or structures of a picker."""
    if isinstance(picker, NetworkPickerConfig):
        _check_weights(f"{key}.weights", picker.weights, NETWORK_FILE)
        if picker.mask not in (None, AUTO) and not Path(picker.mask).exists():
            raise UsageError(
                f"{key}.mask={picker.mask} does not exist: give a folder of masks or one mask, "
                "auto to find them, or null to pick everywhere"
            )
    elif isinstance(picker, LearnedConfig):
        _check_weights(f"{key}.weights", picker.weights, RIVAL_FILE)
    elif isinstance(picker, ImportedConfig):
        find_sources(f"{key}.picks", picker.picks)
    elif isinstance(picker, RelionReferenceConfig):
        _require_structure(f"{key}=relion_reference", picker.structure)


def _require_structure(option: str, structure: Any) -> None:
    """Refuse an option that needs the structure of the particle where none is given."""
    if not given_structures(structure):
        raise UsageError(
            f"{option} needs the structure of the particle: dataset.structure=FILE, a model "
            "(.pdb, .cif) or a density map (.mrc)"
        )


def _check_weights(key: str, given: str | None, name: str) -> None:
    if given not in (None, INCLUDED):
        find_weights(Path(given), name, key)
