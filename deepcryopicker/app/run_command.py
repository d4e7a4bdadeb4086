"""One job of a command: check the configuration, prepare the folder, run, record the outcome."""

import math
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from deepcryopicker.app.job_folder import finished_before, in_sweep, open_run
from deepcryopicker.app.messages import explain, misplaced
from deepcryopicker.app.no_dataset import require_dataset
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.registry import COMMANDS, validated
from deepcryopicker.dataset.shard import Shard
from deepcryopicker.errors import (
    DeepCryoPickerError,
    MissingDatasetError,
    MissingProgramError,
    OutputError,
    PrunedError,
    UsageError,
)
from deepcryopicker.io.console import console, counted, subjects_shown
from deepcryopicker.io.files.links import refuse_links_out
from deepcryopicker.plugins.plugin_modules import load_plugins
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.lock import InUseError, alone_in
from deepcryopicker.runs.manifest import refuse_another
from deepcryopicker.runs.saved_config import (
    read_settings,
    settings_of,
)
from deepcryopicker.runs.shards import complete, of_the_whole, shard_folder
from deepcryopicker.runs.status import (
    DONE,
    FAILED,
    REFUSED,
    SOME_FAILED,
    STATUS,
    WRONG_USAGE,
    Outcome,
    refuse_other_results,
)

Command = Callable[[Any, Run], float | None]


def run_job(function: Command, name: str, config: DictConfig) -> tuple[Outcome, float | None]:
    """Run one job and write its outcome to its folder; a sweep continues after any outcome.

    Parameters
    ----------
    function : callable
        Takes the validated configuration and the run.
    name : str
        Name of the command.
    config : DictConfig
        As composed by Hydra.

    Returns
    -------
    Outcome
    float or None
        Result of `function`; None if it was not reached.
    """
    start = time.monotonic()
    load_plugins()  # in processes that a launcher has started
    place = Path(HydraConfig.get().runtime.output_dir)
    shard = _shard(config)
    whole, folder = place, place
    if shard is not None:
        whole = place.parent if in_sweep() else place
        folder = place if in_sweep() else shard_folder(place, shard)
    try:
        refuse_links_out(whole)
        refuse_links_out(folder)
        with alone_in(folder):
            outcome, value = _run(function, name, config, folder)
    except UsageError as problem:  # the folder is not changed
        return _failure(problem, start), None
    if shard is None or not complete(whole, settings_of(config)):
        return outcome, value
    console.print(f"all {shard.count} shards have ended: merging them in {whole}")
    together = OmegaConf.merge(config, of_the_whole({}))
    try:
        with alone_in(whole):
            return _run(function, name, cast(DictConfig, together), whole)
    except InUseError:
        console.print("another process is already merging them")
        return outcome, value


def _shard(config: DictConfig) -> Shard | None:
    """Return the shard of a job; None also if invalid, which is refused with the other keys."""
    try:
        return Shard.parse(str(config.shard)) if config.get("shard") is not None else None
    except UsageError:
        return None


def _run(
    function: Command, name: str, config: DictConfig, folder: Path
) -> tuple[Outcome, float | None]:
    """Run one job in its locked folder."""
    start = time.monotonic()
    try:
        settings = _checked(config, name)
        finished = finished_before(folder, config)
        if finished is not None:
            return finished, None
        if not in_sweep():
            refuse_other_results(folder, name, settings_of(config))
        refuse_another(folder, settings_of(config))
        run = open_run(folder, config, name)
    except Exception as problem:
        outcome = _failure(problem, start)
        if read_settings(folder) is None:
            _leave(outcome, folder / STATUS)
        elif in_sweep():  # its table is made from the folders; elsewhere nothing is touched
            _leave(outcome, folder / REFUSED)
        return outcome, None
    value = None
    try:
        with subjects_shown():
            value = function(settings, run)
        _mirror(settings, run)
        doubtful = run.failures or run.in_doubt
        code = SOME_FAILED if doubtful else DONE
        outcome = Outcome(code, _seconds_since(start), objective=_finite(value))
        _sign_off(run)
    except Exception as problem:
        outcome = _failure(problem, start)
    _leave(outcome, folder / STATUS)
    return outcome, value


def _leave(outcome: Outcome, path: Path) -> None:
    """Write an outcome, unless the folder cannot be written to."""
    try:
        outcome.write(path)
    except (OSError, OutputError) as problem:
        report(str(problem))


def _checked(config: DictConfig, name: str) -> Any:
    """Resolve and validate the configuration of a job.

    Raises
    ------
    UsageError
    """
    hydra_config = HydraConfig.get()
    made_for = next((key for key in COMMANDS if COMMANDS[key] is OmegaConf.get_type(config)), None)
    if made_for is None:
        raise UsageError(
            f"{hydra_config.job.config_name}.yaml does not name a schema; use that of a run"
        )
    if made_for != name:
        raise UsageError(
            f"this configuration is for {made_for}: run python -m deepcryopicker.{made_for}"
        )
    OmegaConf.resolve(config)
    wrong = misplaced(config)
    if wrong:
        raise UsageError(wrong)
    if in_sweep() and hydra_config.sweep.subdir != str(hydra_config.job.num):
        raise UsageError(
            "hydra.sweep.subdir cannot be set: the folder of a job is its number\n"
            "hydra.sweep.dir=DIR is the folder of the whole sweep"
        )
    settings = validated(config)
    chosen = hydra_config.runtime.choices.get("dataset")
    require_dataset(name, chosen, list(hydra_config.overrides.task))
    return settings


def _mirror(settings: Any, run: Run) -> None:
    """Copy the results of a command to W&B, unless it has done so itself, or is not to."""
    logger = getattr(settings, "logger", None)
    if logger is not None and logger.wandb.enabled and not run.tracked:
        from deepcryopicker.logger.mirror import mirror  # loads W&B

        try:
            mirror(logger, run.folder, run.identity, run.curves)
        except UsageError as problem:  # no key; the results are there
            report(str(problem))


def _sign_off(run: Run) -> None:
    if run.failures:
        skipped = len({row["path"] for row in run.failures})
        console.print(f"{counted(skipped, 'micrograph')} skipped, see failures.csv")
    console.print(f"run folder: {run.folder}", soft_wrap=True)


def _failure(problem: Exception, start: float) -> Outcome:
    """Report an error, with its traceback if it is a bug, and return it as an outcome."""
    if isinstance(problem, DeepCryoPickerError):
        code, message = problem.exit_code, str(problem)
    elif isinstance(problem, OmegaConfBaseException):
        code, message = WRONG_USAGE, explain(problem, CONF_DIR)
    else:
        traceback.print_exception(problem)
        message = f"{type(problem).__name__}: {problem}"
        return Outcome(FAILED, _seconds_since(start), " ".join(message.split()))
    if isinstance(problem, PrunedError):
        console.print(message)
    else:
        report(message)
    return Outcome(
        code,
        _seconds_since(start),
        " ".join(message.split()),
        missing=isinstance(problem, MissingProgramError | MissingDatasetError),
        pruned=isinstance(problem, PrunedError),
    )


def _finite(value: float | None) -> float | None:
    """Return a number that JSON has, else None."""
    return float(value) if value is not None and math.isfinite(value) else None


def _seconds_since(start: float) -> float:
    return round(time.monotonic() - start, 2)


def report(message: str) -> None:
    """Print an error message to stderr."""
    print(f"error: {message}", file=sys.stderr)  # noqa: T201
