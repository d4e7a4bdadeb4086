"""Entry point of all commands: Hydra, error messages, exit codes, signals."""

import gc
import os
import re
import signal
import sys
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import cast

import hydra
from hydra.errors import ConfigCompositionException, HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from deepcryopicker.app import safety
from deepcryopicker.app.command_line import respell
from deepcryopicker.app.help_page import HELP_ALL, help_page
from deepcryopicker.app.messages import explain
from deepcryopicker.app.run_command import Command, report, run_job
from deepcryopicker.app.start import no_collections
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.registry import register
from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import console
from deepcryopicker.plugins.plugin_modules import load_plugins
from deepcryopicker.runs import sweep
from deepcryopicker.runs.lock import unwritable
from deepcryopicker.runs.status import DONE, FAILED, INTERRUPTED, TERMINATED, WRONG_USAGE, Outcome


def command(function: Command, name: str) -> int:
    """Run a command under Hydra and return its exit code.

    Parameters
    ----------
    function : callable
        Takes the validated configuration and the run; returns the objective of a sweep.
    name : str
        Name of the primary configuration file, without extension.

    Returns
    -------
    int
        0 all done; 3 done but some failed, or in doubt; 1 nothing usable; 2 wrong usage; 130 and
        143 signals.
    """
    if {"--help", "-h"} & set(sys.argv[1:]):
        return _print_help(name)
    # Hydra's page, of every key and option.
    sys.argv[1:] = ["--help" if each == HELP_ALL else each for each in sys.argv[1:]]
    try:
        sys.argv[1:] = _load_named_plugins(sys.argv[1:])
        sys.argv[1:] = respell(sys.argv[1:], name)
    except UsageError as error:
        report(str(error))
        return WRONG_USAGE
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra raises errors, which are reworded here
    signal.signal(signal.SIGTERM, _on_terminate)
    sweep.launched.clear()
    outcomes: list[Outcome] = []
    importable = _importable(function, name)

    def job(config: DictConfig) -> float | None:  # pickled, for jobs on a cluster
        gc.enable()  # put off while Hydra composes, and no longer
        outcome, value = run_job(importable, name, config)
        outcomes.append(outcome)
        return value

    main = hydra.main(version_base="1.3", config_path=str(CONF_DIR), config_name=name)(job)
    try:
        with no_collections():
            register()
            safety.install()
            main()
    except KeyboardInterrupt:
        console.print("interrupted")
        if sweep.launched:
            sweep.finish(sweep.launched[0])
        return INTERRUPTED
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else FAILED
    except BrokenPipeError:  # as in --help-all | head
        _forget_output()
        return DONE
    except UsageError as error:  # of a sweep; those of jobs are their outcomes
        report(str(error))
        return WRONG_USAGE
    except Exception as error:
        if _is_refusal(error):
            report(explain(error, CONF_DIR))
            return WRONG_USAGE
        if isinstance(error, OSError) and not outcomes:  # Hydra makes the folder first
            report(unwritable(Path(error.filename or "the run folder"), error))
            return WRONG_USAGE
        if not sweep.launched:
            raise
        from deepcryopicker.runs import slurm  # only for sweeps on a cluster

        problem = slurm.explain(error, sweep.launched[0].folder)
        if isinstance(problem, UsageError):  # SLURM rejected all jobs
            report(str(problem))
            return WRONG_USAGE
        report(str(problem or sweep.launch_failure(sweep.launched[0], error)))
    if sweep.launched:
        return sweep.finish(sweep.launched[0])
    return outcomes[0].exit_code if outcomes else DONE


def _load_named_plugins(arguments: list[str]) -> list[str]:
    """Load installed plugins and those named by ``plugins=...``, and return the other arguments.

    Raises
    ------
    UsageError
        If one cannot be loaded.
    """
    given = [each for each in arguments if re.match(r"(--)?plugins=", each)]
    names = [name for each in given for name in each.partition("=")[2].strip("[]").split(",")]
    load_plugins(name for name in names if name)
    return [each for each in arguments if each not in given]


def _print_help(name: str) -> int:
    try:
        print(help_page(name), flush=True)  # noqa: T201 - rich ends the program with the pipe
    except BrokenPipeError:
        _forget_output()
    return DONE


def _forget_output() -> None:
    """Send what is still to be printed nowhere: the reader has closed the pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _importable(function: Command, name: str) -> Command:
    """Return the function as importable by other processes, rather than that of ``__main__``."""
    if function.__module__ != "__main__":
        return function
    module = import_module(f"deepcryopicker.{name}")
    return cast(Command, getattr(module, function.__name__))


def _is_refusal(error: Exception) -> bool:
    """Whether Hydra refused the configuration; model=null raises a ValueError."""
    if isinstance(error, ValueError) and "Config group override" in str(error):
        return True
    return isinstance(error, ConfigCompositionException | HydraException | OmegaConfBaseException)


def _on_terminate(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(TERMINATED)
