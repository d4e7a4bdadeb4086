"""Open a dataset and determine the particle diameter."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from glob import has_magic
from pathlib import Path
from typing import TypeVar

import numpy as np

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.open_files import open_combined, open_folder
from deepcryopicker.dataset.pixel_sizes import spread_sample
from deepcryopicker.dataset.schema import (
    CombinedConfig,
    FolderConfig,
    PublicConfig,
    SimulatedConfig,
    VariedConfig,
)
from deepcryopicker.errors import MissingDatasetError, UsageError
from deepcryopicker.io.console import console, track
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.labeler.schema import AutoConfig, LabelerConfig
from deepcryopicker.pipeline.inputs.input_doubts import warn_of_inputs
from deepcryopicker.pipeline.inputs.report_left_out import (
    report_left_out,
    warn_of_similar_names,
)
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.preprocessing.steps import preprocess
from deepcryopicker.runs.attempts import Attempts
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.input_hashes import INPUTS, write_hashes
from deepcryopicker.types import Micrograph

T = TypeVar("T")
DatasetConfig = FolderConfig | CombinedConfig | SimulatedConfig | VariedConfig

_MICROGRAPHS_TO_MEASURE = 3
_LOW_CONTRAST = 0.1


def open_catalogue(config: DatasetConfig, run: Run | None = None) -> Catalogue:
    """List the micrographs of a dataset, after simulating or downloading them if so configured.

    Parameters
    ----------
    config : dataset configuration
    run : Run, optional
        Image files that are not used are listed in its ``left_out.csv`` and on the terminal. A job
        of a sweep notes the content of its files, so that it is repeated where they change.

    Raises
    ------
    UsageError
        If the micrographs are missing, for example because the download was not requested.
    """
    catalogue = _open(config)
    if run is not None:
        report_left_out(catalogue.left_out, run)
        warn_of_similar_names(catalogue.alike, run)
    if run is not None and run.group is not None:
        write_hashes(run.folder / INPUTS, catalogue.entries, run.settings)
    return catalogue


def _open(config: DatasetConfig) -> Catalogue:
    for public in _public(config):
        _provide(public)
    if isinstance(config, FolderConfig):
        return open_folder(config)
    if isinstance(config, CombinedConfig) and config.simulated is None:
        return open_combined(config)
    # Imported on demand: real micrographs do not need the simulator.
    from deepcryopicker.dataset.simulated import add_simulated, open_simulated, open_varied

    if isinstance(config, VariedConfig):
        return open_varied(config, track)
    combined = open_combined(config) if isinstance(config, CombinedConfig) else None
    generated = config.simulated if isinstance(config, CombinedConfig) else config
    simulated = open_simulated(generated or SimulatedConfig(), track)
    return simulated if combined is None else add_simulated(combined, simulated)


def _public(config: DatasetConfig) -> list[PublicConfig]:
    """List the public datasets in a configuration."""
    if isinstance(config, PublicConfig):
        return [config]
    if not isinstance(config, CombinedConfig):
        return []
    public = [member for member in config.members.values() if isinstance(member, PublicConfig)]
    return [replace(one, download=one.download or config.download) for one in public]


def _provide(config: PublicConfig) -> None:
    """Download a public dataset if requested; otherwise check that it exists."""
    by_hand = _by_hand(config)
    if config.download and by_hand is not None:
        raise UsageError(f"dataset.download: {by_hand}")
    if config.download:
        # Imported on demand: existing micrographs do not need it.
        from deepcryopicker.dataset.public.download import download

        download(config)
    elif not has_magic(config.micrographs) and not Path(config.micrographs).exists():
        how = by_hand or (
            "add dataset.download=true to download it, or export DEEPCRYOPICKER_DATA=DIR, the "
            "folder of the datasets"
        )
        raise MissingDatasetError(
            f"dataset={config.name}: {config.micrographs} does not exist\n{how}"
        )


def _by_hand(config: PublicConfig) -> str | None:
    """Return instructions for datasets that cannot be downloaded; None for others."""
    if config.source.movies:
        return (
            f"{config.name} is published as movies: get them from {config.source.page}\n"
            "correct their motion with RELION or MotionCor, then use dataset=folder "
            "dataset.micrographs=DIR dataset.diameter=PIXELS"
        )
    if config.source.micrographs is None:
        return f"get {config.name} from {config.source.page}, then set dataset.root=DIR"
    return None


def settle_diameter(
    catalogue: Catalogue, preprocessing: PreprocessingConfig, labeler: LabelerConfig, run: Run
) -> Catalogue:
    """Estimate the particle diameter of micrographs for which none is given, and warn of odd ones.

    Parameters
    ----------
    catalogue : Catalogue
    preprocessing : PreprocessingConfig
    labeler : LabelerConfig
    run : Run
        Estimates are written to its ``diameters.csv``.

    Returns
    -------
    Catalogue
        With a particle diameter for every micrograph.
    """
    for remark in catalogue.remarks:
        run.warn(remark, remark)
    missing = set(catalogue.groups_without_diameter)
    catalogue = _estimate_missing(catalogue, preprocessing, labeler, run)
    _note_diameters(catalogue, missing, run)
    warn_of_inputs(catalogue.entries, preprocessing, run)
    return catalogue


def _note_diameters(catalogue: Catalogue, missing: set[str], run: Run) -> None:
    """Note the particle diameter of each group, and where it comes from."""
    for group in dict.fromkeys(entry.group for entry in catalogue.entries):
        members = [entry for entry in catalogue.entries if entry.group == group]
        found = {
            f"{one.diameter:g} pixels" if one.diameter else f"{one.diameter_angstrom:g} Angstrom"
            for one in members
        }
        source = "given"
        if group in missing:
            published = group in catalogue.published
            source = "measured by a person" if published else "estimated: diameters.csv"
        run.decide(f"diameter of {group}", ", ".join(sorted(found)), source)


def _estimate_missing(
    catalogue: Catalogue, preprocessing: PreprocessingConfig, labeler: LabelerConfig, run: Run
) -> Catalogue:
    """Estimate the diameter of groups without one; estimates are written to ``diameters.csv``."""
    for group in catalogue.groups_without_diameter:
        if group in catalogue.published:
            diameter, source = catalogue.published[group]
            console.print(
                f"{group}: particle diameter {diameter:g} pixels {source}, which is measured by a "
                "person"
            )
            catalogue = catalogue.with_diameter(group, diameter)
    if not catalogue.groups_without_diameter:
        return catalogue
    # Imported on demand: a given diameter does not need the labelers.
    from deepcryopicker.labeler.diameter import estimate_diameter

    settings = labeler if isinstance(labeler, AutoConfig) else AutoConfig()
    rows = []
    for group in catalogue.groups_without_diameter:
        members = [entry for entry in catalogue.entries if entry.group == group]
        loaded = read_to_measure(members, preprocessing, run)
        if not loaded and not run.failures:
            raise UsageError(
                f"{group}: its micrographs are blank, so the diameter cannot be estimated\n"
                "give the diameter: dataset.diameter=PIXELS"
            )
        run.require(len(loaded), "diameter")
        console.print(f"{group}: estimating the particle diameter")
        estimate = estimate_diameter(loaded, preprocessing, settings)
        diameter, contrast = round(estimate.diameter, 1), estimate.contrast
        console.print(
            f"{group}: particle diameter estimated at {diameter:g} pixels, "
            f"contrast {contrast:.0%}\n(contrast: how clearly this size stands out from noise, "
            "not its accuracy; check it on an overlay)"
        )
        if contrast < _LOW_CONTRAST:
            console.print(
                f"[yellow]{group}: particles hardly stand out from noise; "
                "give the diameter: dataset.diameter=PIXELS[/]"
            )
        rows.append({"what": group, "diameter": diameter, "contrast": f"{contrast:.3f}"})
        write_rows(run.folder / "diameters.csv", rows, ("what", "diameter", "contrast"))
        catalogue = catalogue.with_diameter(group, diameter)
    return catalogue


def read_to_measure(
    entries: Sequence[Entry], preprocessing: PreprocessingConfig, attempts: Attempts
) -> list[Micrograph]:
    """Read a few evenly spread micrographs of one kind, to estimate the diameter.

    Returns
    -------
    list of Micrograph
        Without blank ones; empty if all are blank.
    """
    loaded: list[Micrograph] = []
    for entry in spread(list(entries), None):
        work = partial(_load_checked, entry, preprocessing)
        micrograph = attempts.attempt("read", entry.name, entry.path, work)
        if micrograph is not None:
            loaded.append(micrograph)
        if len(loaded) == _MICROGRAPHS_TO_MEASURE:
            break
    return loaded


def _load_checked(entry: Entry, preprocessing: PreprocessingConfig) -> Micrograph | None:
    """Read a micrograph and check that it is large enough; None if blank."""
    from deepcryopicker.labeler.diameter import SMALLEST

    micrograph = entry.load()
    to_smallest = max(micrograph.image.shape) * SMALLEST
    preprocess(micrograph, to_smallest, preprocessing, until="rescaled")
    return micrograph if np.ptp(micrograph.image) > 0 else None


def spread(entries: list[T], count: int | None) -> list[T]:
    """Choose `count` evenly spread entries; None returns all, evenly spread ones first.

    Acquisition drifts over a session, so that neighbours are more similar than distant
    micrographs.
    """
    if count is None:
        index = np.argsort(np.arange(len(entries)) * 0.618034 % 1.0, kind="stable")
        return [entries[i] for i in index]
    return spread_sample(entries, count)
