"""Find the micrographs and the truth of a run again, from its configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from deepcryopicker.config.groups import SCHEMAS
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.open_files import open_combined, open_folder
from deepcryopicker.dataset.schema import CombinedConfig, SimulatedConfig, VariedConfig
from deepcryopicker.dataset.simulated import add_simulated, list_simulated, list_varied
from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.checks import one_line
from deepcryopicker.reporting.reading.run_files import UnreadableError
from deepcryopicker.reporting.reading.run_folders import RunFolder, original_run


def validated_section(run: RunFolder, place: str) -> Any:
    """Build the dataclass of a section of the run's configuration, such as ``dataset``.

    Raises
    ------
    UnreadableError
        If its schema is unknown or a value is invalid.
    """
    kind = SCHEMAS.get(place, {}).get(run.schemas.get(place, ""))
    if kind is None:
        raise UnreadableError(f"config.yaml does not name the schema of {place}")
    section = run.section(place)
    if _refers(section):
        raise UnreadableError(f"config.yaml: {place} refers to a value outside of the file")
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), section))
    except (OmegaConfBaseException, UsageError) as error:
        raise UnreadableError(f"config.yaml: {place}: {one_line(error)}") from error


def find_micrographs(run: RunFolder) -> dict[str, Entry]:
    """List the micrographs of a run's dataset by name, without simulating any.

    Those of a run of ``filter`` are those of the run that it filtered.

    Raises
    ------
    UnreadableError
        If the dataset cannot be identified or no longer exists.
    """
    try:
        catalogue = _open(validated_section(original_run(run), "dataset"))
    except (UsageError, OSError) as error:
        raise UnreadableError(one_line(error)) from error
    if not catalogue.entries:
        raise UnreadableError(
            "the simulated micrographs are not in their cache; "
            "run report in the folder where the run was started"
        )
    return {entry.name: entry for entry in catalogue.entries}


def find_picks(folder: Path) -> dict[str, Path]:
    """List the coordinate files of a run below a folder, by name of the micrograph."""
    files = sorted(folder.rglob("*.csv"))
    return {str(path.relative_to(folder).with_suffix("")): path for path in files}


def _open(config: Any) -> Catalogue:
    if isinstance(config, SimulatedConfig):
        return list_simulated(config)
    if isinstance(config, VariedConfig):
        return list_varied(config)
    if not isinstance(config, CombinedConfig):
        return open_folder(config)
    real = open_combined(config)
    return add_simulated(real, list_simulated(config.simulated)) if config.simulated else real


def _refers(value: Any) -> bool:
    """Whether a value contains an interpolation, such as an environment variable."""
    if isinstance(value, Mapping):
        return any(map(_refers, value.values()))
    if isinstance(value, list):
        return any(map(_refers, value))
    return isinstance(value, str) and "${" in value
