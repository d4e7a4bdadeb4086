"""What all commands share: configuration in, one run folder, friendly errors, exit codes."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar, cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from deepcryopicker._conf import CONF_DIR
from deepcryopicker.config import register, validated
from deepcryopicker.errors import DeepCryoPickerError, UsageError
from deepcryopicker.io.atomic import write_text
from deepcryopicker.progress import console
from deepcryopicker.refusals import explain, misplaced
from deepcryopicker.runs import Run

C = TypeVar("C")

DONE, FAILED, WRONG_USAGE, SOME_FAILED, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143

_codes: list[int] = []  # one per job of this process


def command(function: Callable[[Any, Run], float | None], name: str) -> int:
    """Run a command under Hydra and return its exit code.

    Parameters
    ----------
    function : callable
        Takes the validated configuration and the run; returns the number that a sweep optimises.
    name : str
        Of the primary configuration file, without extension.

    Returns
    -------
    int
        0 all done; 3 done but some failed; 1 nothing usable; 2 wrong usage; 130, 143 signals.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # we word the errors, so Hydra must hand them over
    signal.signal(signal.SIGTERM, _on_terminate)
    register()
    _codes.clear()

    def job(config: DictConfig) -> float | None:
        return _job(function, config)

    main = hydra.main(version_base="1.3", config_path=str(CONF_DIR), config_name=name)(job)
    try:
        main()
    except KeyboardInterrupt:
        console.print("interrupted")
        return INTERRUPTED
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else FAILED
    except (ConfigCompositionException, HydraException, OmegaConfBaseException) as error:
        _report(explain(error, CONF_DIR))
        return WRONG_USAGE
    except ValueError as error:  # Hydra's, for model=null; those of jobs are caught there
        if "Config group override" not in str(error):
            raise
        _report(explain(error, CONF_DIR))
        return WRONG_USAGE
    return _combine(_codes)


def _job(function: Callable[[Any, Run], float | None], config: DictConfig) -> float | None:
    """Run one job; its outcome goes to the list of exit codes, so that a sweep goes on."""
    try:
        run, settings = _open_run(config)
        value = function(settings, run)
    except DeepCryoPickerError as error:
        _report(str(error))
        _codes.append(error.exit_code)
        return None
    except OmegaConfBaseException as error:
        _report(explain(error, CONF_DIR))
        _codes.append(WRONG_USAGE)
        return None
    except Exception:
        traceback.print_exc()
        _codes.append(FAILED)
        return None
    _codes.append(SOME_FAILED if run.failures else DONE)
    if run.failures:
        skipped = len({row["path"] for row in run.failures})
        noun = "micrograph" if skipped == 1 else "micrographs"
        console.print(f"{skipped} {noun} skipped, see failures.csv")
    console.print(f"run folder: {run.folder}", soft_wrap=True)
    return value


def _open_run(config: DictConfig) -> tuple[Run, Any]:
    """Validate the configuration and write it into the run folder."""
    hydra_config = HydraConfig.get()
    OmegaConf.resolve(config)
    wrong = misplaced(config)
    if wrong:
        raise UsageError(wrong)
    settings = validated(config)
    folder = Path(hydra_config.runtime.output_dir)
    sweep = hydra_config.mode == RunMode.MULTIRUN
    overrides = ",".join(str(item) for item in hydra_config.overrides.task)
    run = Run(
        folder=folder,
        group=Path(hydra_config.sweep.dir).name if sweep else None,
        name=f"{hydra_config.job.num}:{overrides}"[:120] if sweep else (overrides[:120] or "run"),
        settings=cast(dict[str, Any], OmegaConf.to_container(config)),
    )
    write_text(folder / "config.yaml", OmegaConf.to_yaml(config))
    return run, settings


def _combine(codes: list[int]) -> int:
    if len(codes) <= 1 or len(set(codes)) == 1:
        return codes[0] if codes else DONE
    return SOME_FAILED if {DONE, SOME_FAILED} & set(codes) else FAILED


def _report(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)  # noqa: T201


def _on_terminate(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(TERMINATED)
