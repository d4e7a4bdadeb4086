"""Hydra's refusals in one or two lines that name the nearest valid choice."""

import dataclasses
import re
from pathlib import Path

from hydra.errors import ConfigCompositionException, MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationResolutionError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from deepcryopicker.errors import nearest, unknown

_GROUPS = (
    "dataset",
    "preprocessing",
    "labeler",
    "class-set",
    "model",
    "trainer",
    "picker",
    "logger",
)


def explain(error: Exception, conf: Path) -> str:
    """Word an error that Hydra or OmegaConf raised while composing the configuration.

    Parameters
    ----------
    error : Exception
    conf : Path
        The configuration tree, for lists of choices.
    """
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _missing_option(error, conf)
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    if isinstance(cause, InterpolationResolutionError):
        return _unresolved(cause)
    if isinstance(cause, MissingMandatoryValue):
        key = cause.full_key or cause.key
        return f"{key} is missing; add {key}=..., see --help"
    if isinstance(cause, ConfigKeyError | ConfigAttributeError) and cause.key is not None:
        return _unknown_key(cause)
    lines = [line.strip() for line in f"{error}\n{cause}".splitlines() if line.strip()]
    kept = [line for line in dict.fromkeys(lines) if not line.startswith("object_type")]
    return "\n".join(kept[:2] if not isinstance(error, ConfigCompositionException) else kept[:3])


def misplaced(config: DictConfig) -> str | None:
    """Find a group that was given as a value, such as ``class_set=five``."""
    for key, value in config.items():
        if isinstance(value, str) and str(key).replace("_", "-") in _GROUPS:
            group = str(key).replace("_", "-")
            return f"'{key}' is no value; to choose an option, write {group}={value}"
    return None


def _missing_option(error: MissingConfigException, conf: Path) -> str:
    group, _, given = str(error.missing_cfg_file).rpartition("/")
    group = group.strip("/")
    if group and (conf / group).is_dir():
        choices = [path.stem for path in (conf / group).glob("*.yaml")]
    else:
        choices = [option for option in error.options or [] if not option.startswith("_")]
    message = unknown(group or "configuration", given, choices)
    guess = nearest(given, choices)
    return message.replace(f"Did you mean {guess}?", f"Did you mean {group}={guess}?")


def _unknown_key(error: OmegaConfBaseException) -> str:
    key = str(error.full_key or error.key)
    if key.startswith("class-set"):
        return f"no key called '{key}'. Did you mean {key.replace('class-set', 'class_set', 1)}?"
    parent, _, _ = key.rpartition(".")
    choices: list[str] = []
    if error.object_type is not None and dataclasses.is_dataclass(error.object_type):
        choices = [field.name for field in dataclasses.fields(error.object_type)]
    elif isinstance(error.parent_node, DictConfig):
        choices = list(map(str, error.parent_node.keys()))
    prefix = f"{parent}." if parent else ""
    names = [f"{prefix}{choice}" for choice in choices]
    if not parent:
        names = [name.replace("class_set", "class-set") for name in names]
    return unknown("key", key, names)


def _unresolved(error: InterpolationResolutionError) -> str:
    missing = re.search(r"Environment variable '(\w+)' not found", str(error))
    if missing:
        return (
            f"{error.full_key} needs the environment variable {missing[1]}; "
            f"set it to the folder that holds the datasets"
        )
    return str(error).splitlines()[0]
