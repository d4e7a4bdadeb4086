"""Pick with external programs: convert the micrographs, run the program, read its picks."""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import MicrographError
from deepcryopicker.io.console import track
from deepcryopicker.picker.function import Picker
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.rivals.programs import relion, relion_reference, topaz
from deepcryopicker.rivals.programs.process import Program
from deepcryopicker.rivals.programs.program_inputs import (
    MICROGRAPHS,
    Input,
    ProgramJob,
    write_input,
)
from deepcryopicker.rivals.programs.schema import (
    ProgramConfig,
    RelionLogConfig,
    RelionReferenceConfig,
    RelionTemplateConfig,
    TopazConfig,
)
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Picks

FOLDER = "program"
"""Folder in a run for the inputs, logs and outputs of programs."""


def program_of(config: ProgramConfig) -> Program:
    """Find the program of a picker.

    Raises
    ------
    MissingProgramError
        If it is not installed.
    """
    return topaz.program() if isinstance(config, TopazConfig) else relion.program()


def pick_with_program(
    config: ProgramConfig, catalogue: Catalogue, examples: Catalogue | None, run: Run
) -> Picker:
    """Run a program on all micrographs and return a picker that looks up its picks.

    Parameters
    ----------
    config : ProgramConfig
    catalogue : Catalogue
        Micrographs to pick, with particle diameters.
    examples : Catalogue or None
        Micrographs whose truth the program may be trained on.
    run : Run
        Outputs of the program are kept in ``program/``; its micrographs are removed.

    Raises
    ------
    MissingProgramError, NothingUsableError
        If the program is not installed, or fails.
    """
    used = program_of(config)
    run.notes["program"] = f"{used.name} {used.version()}"
    folder = run.folder / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    found: dict[str, Picks] = {}
    groups = list(dict.fromkeys(entry.group for entry in catalogue.entries))
    for group in groups:
        below = folder / group if len(groups) > 1 else folder
        batch = _convert_inputs(catalogue, examples, group, below, run)
        if batch.inputs:
            found |= _run(config, batch, run.settings["seed"])
        for used_up in (MICROGRAPHS, topaz.SMALLER):
            shutil.rmtree(below / used_up, ignore_errors=True)

    def stored_picks(entry: Entry, _: Preprocessed) -> Picks:
        if entry.name not in found:
            raise MicrographError(f"{used.name} did not write any picks for it")
        return found[entry.name]

    return stored_picks


def _run(config: ProgramConfig, batch: ProgramJob, seed: int) -> dict[str, Picks]:
    if isinstance(config, RelionLogConfig):
        return relion.pick_blobs(config, batch)
    if isinstance(config, RelionTemplateConfig):
        return relion.pick_by_templates(config, batch, seed)
    if isinstance(config, RelionReferenceConfig):
        return relion_reference.pick_by_reference(config, batch)
    if isinstance(config, TopazConfig):
        return topaz.pick_by_topaz(config, batch)
    raise TypeError(f"no program for {type(config).__name__}")


def _convert_inputs(
    catalogue: Catalogue, examples: Catalogue | None, group: str, folder: Path, run: Run
) -> ProgramJob:
    """Write the micrographs of a group as MRC, with names that every program accepts."""
    wanted = [entry for entry in catalogue.entries if entry.group == group]
    shown = [e for e in (examples.entries if examples else ()) if e.group == group]
    sizes: list[tuple[float, float | None]] = []

    def convert(entry: Entry, stem: str) -> Input:
        micrograph = entry.load()
        write_input(folder, stem, micrograph)
        sizes.append((entry.particle_diameter(micrograph), micrograph.pixel_size))
        return Input(entry.name, stem, (entry.load_truth() or (None,))[0])

    def convert_all(entries: Sequence[Entry], prefix: str) -> tuple[Input, ...]:
        converted = []
        for number, entry in enumerate(track(entries, "writing MRC files of"), 1):
            work = partial(convert, entry, f"{prefix}{number:05d}")
            done = run.attempt("convert", entry.name, entry.path, work)
            if done is not None:
                converted.append(done)
        return tuple(converted)

    learnt_from = convert_all(shown, "example_")
    inputs = convert_all(wanted, "micrograph_")
    diameter, pixel_size = sizes[0] if sizes else (0.0, None)
    return ProgramJob(folder, inputs, learnt_from, diameter, pixel_size)
