"""The folder of a job: whether it has finished before, and its preparation for a run."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from deepcryopicker.dataset.left_out.reasons import LEFT_OUT
from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import console
from deepcryopicker.io.files.atomic import remove_temporary, write_text
from deepcryopicker.runs.folder import PLAN, TIMINGS, Run
from deepcryopicker.runs.saved_config import (
    CONFIG,
    as_primary,
    difference,
    read_settings,
    settings_of,
)
from deepcryopicker.runs.status import (
    REFUSED,
    STATUS,
    FolderContent,
    Outcome,
    content_of_folder,
    read_outcome,
)

# Results of an earlier attempt, which must not be mistaken for those of the next.
_OUTDATED = (STATUS, REFUSED, LEFT_OUT, "metrics.json", PLAN, "failures.csv")


def finished_before(folder: Path, config: DictConfig) -> Outcome | None:
    """Return the outcome of a job of a sweep that has already finished, else None.

    Raises
    ------
    UsageError
        If the folder holds the run of another configuration.
    """
    if not in_sweep() or folder != Path(HydraConfig.get().runtime.output_dir):
        return None
    settings = settings_of(config)
    held = content_of_folder(folder, settings)
    if held is FolderContent.ANOTHER:
        key, there, here = difference(read_settings(folder) or {}, settings) or ("", "", "")
        raise UsageError(
            f"{key} is {here} here, but {there} in the run in {folder}\n"
            "choose another folder for this sweep: hydra.sweep.dir=OTHER"
        )
    if held is not FolderContent.FINISHED or config.get("redo"):
        return None
    # Imported on demand, so that typos are reported quickly.
    from deepcryopicker.runs.input_hashes import same_inputs
    from deepcryopicker.runs.made_with import changes_since

    number = HydraConfig.get().job.num
    if not same_inputs(folder):
        console.print(f"job {number}: its input files have changed; it runs again")
        return None
    (folder / REFUSED).unlink(missing_ok=True)
    changes = changes_since(folder)
    made = f" with {changes}; redo=true runs it again" if changes else ""
    console.print(f"job {number}: already finished{made}, see {folder}", soft_wrap=True)
    return read_outcome(folder)


def open_run(folder: Path, config: DictConfig, name: str) -> Run:
    """Prepare the run folder: remove an earlier outcome, write the configuration."""
    hydra_config = HydraConfig.get()
    settings = settings_of(config)
    given = tuple(str(item) for item in hydra_config.overrides.task)
    overrides = ",".join(given)
    run = Run(
        folder=folder,
        group=str(hydra_config.sweep.dir) if in_sweep() else None,
        name=(f"{hydra_config.job.num}:{overrides}" if in_sweep() else overrides or "run")[:120],
        settings=settings,
        resumes=content_of_folder(folder, settings) is FolderContent.UNFINISHED
        and not settings.get("redo"),
        choices={str(group): option for group, option in hydra_config.runtime.choices.items()},
        given=given,
        command=name,
    )
    for name in _OUTDATED if run.resumes else (*_OUTDATED, TIMINGS):
        (folder / name).unlink(missing_ok=True)
    remove_temporary(folder)
    write_text(folder / CONFIG, as_primary(config))
    # Hydra itself would write these before the folder has been checked.
    write_text(folder / ".hydra" / "hydra.yaml", OmegaConf.to_yaml(HydraConfig.instance().cfg))
    write_text(folder / ".hydra" / "overrides.yaml", OmegaConf.to_yaml(hydra_config.overrides.task))
    return run


def in_sweep() -> bool:
    """Whether the job is one of a sweep."""
    return HydraConfig.get().mode == RunMode.MULTIRUN
