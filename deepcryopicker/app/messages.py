"""Hydra's errors in one or two lines: what was given, why it is wrong, what to type instead."""

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    InterpolationResolutionError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)

from deepcryopicker.app.experiment_names import PARTS, no_experiment, renamed
from deepcryopicker.config.groups import SCHEMAS
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.renamed import OPTIONS, find_key, refuse_constant
from deepcryopicker.errors import nearest, unknown
from deepcryopicker.plugins.announced import options

_DATA = "DEEPCRYOPICKER_DATA"
# Complaints of OmegaConf, and the values that the key takes.
_TAKES = (
    (r"could not be converted to Float", "a number"),
    (r"could not be converted to Integer", "a whole number"),
    (r"not a valid bool", "true or false"),
    (r"not a ListConfig", "a list in square brackets"),
    (r"is not Optional", "a value, not null"),
    (r"not a subclass of", "no value itself; set its keys"),
)


def explain(error: Exception, conf: Path) -> str:
    """Reword an error of Hydra or OmegaConf from composing the configuration.

    Parameters
    ----------
    error : Exception
    conf : Path
        Configuration tree, for lists of choices.
    """
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _missing_option(error, conf)
    if isinstance(error, OverrideParseException):
        return _unreadable(str(error.override))
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    if isinstance(cause, InterpolationResolutionError):
        return _unresolved(cause)
    if isinstance(cause, MissingMandatoryValue):
        key = cause.full_key or cause.key
        return f"{key} is missing; add {key}=..., see --help"
    if isinstance(cause, OmegaConfBaseException) and cause.key is not None:
        if isinstance(cause, ValidationError):
            return _wrong_value(cause, str(error))
        if isinstance(cause, KeyError | AttributeError):
            return _unknown_key(cause, str(error))
    return _other(str(error), conf)


def misplaced(config: DictConfig) -> str | None:
    """Find errors that Hydra accepts: options given as values, keys added with a plus, NaN."""
    return _slipped_in(config, "")


def _slipped_in(node: DictConfig, parent: str) -> str | None:
    """Find a key missing in the schema, an option given as a value, or NaN or infinity."""
    names = _fields(OmegaConf.get_type(node))
    for key in node:
        if names and key not in names:
            return _no_key(f"{parent}{key!s}", parent, names, None)
        if OmegaConf.is_missing(node, key):
            continue
        value = node[key]
        group = _group_at(f"{parent}{key!s}")
        if group.partition("@")[0] in SCHEMAS and not isinstance(value, DictConfig):
            if key == "baseline" and value is None:
                continue
            option = "OPTION" if value is None else value
            return f"'{parent}{key!s}' is a section; to choose an option, write {group}={option}"
        if isinstance(value, float) and not math.isfinite(value):
            return f"{parent}{key!s} must be a finite number, got {value}"
        wrong = _slipped_in(value, f"{parent}{key!s}.") if isinstance(value, DictConfig) else None
        if wrong:
            return wrong
    return None


def _group_at(path: str) -> str:
    """Return the group of a section of the configuration, as typed."""
    name = path.rpartition(".")[2]
    group = "picker" if name == "baseline" else name.replace("_", "-")
    return group if name == path != "baseline" else f"{group}@{path}"


def _missing_option(error: MissingConfigException, conf: Path) -> str:
    group, _, given = str(error.missing_cfg_file).rpartition("/")
    group = group.strip("/")
    if given == "submitit_slurm":  # the base of hydra/launcher/slurm.yaml
        return (
            "hydra/launcher=slurm needs the extra [slurm], which is not installed\n"
            "type: python -m pip install 'hydra-submitit-launcher>=1.2'"
        )
    if (conf / group).is_dir():
        choices = [path.stem for path in (conf / group).glob("*.yaml")]
        choices += options(group)  # of plugins
    else:
        choices = [option for option in error.options or [] if not option.startswith("_")]
    if not group:
        return unknown("configuration", given, choices)
    if given in OPTIONS.get(group, {}):
        return f"{group}={given} is no longer an option: write {group}={OPTIONS[group][given]}"
    if group.partition("/")[0] == "experiment" and group.partition("/")[2] not in PARTS:
        return no_experiment(f"{group}/{given}".partition("/")[2], conf)
    package = "@_global_" if group.startswith("experiment/") else ""
    message = unknown(group, given, choices)
    return message.replace("Did you mean ", f"Did you mean {group}{package}=", 1)


def _unreadable(override: str) -> str:
    """Refuse anything but ``key=value``, and values that Hydra's grammar cannot parse."""
    if "=" not in override and not override.startswith("~"):
        return f"cannot read '{override}': write key=value, see --help"
    key, _, value = override.partition("=")
    for opening, closing in ("[]", "{}", "()"):
        if value.count(opening) > value.count(closing):
            return f"cannot read '{override}': {opening} is never closed; add {closing}"
    return (
        f"cannot read '{override}'\n"
        f"put a value with spaces, commas or brackets into quotes twice: \"{key}='...'\""
    )


def _wrong_value(error: OmegaConfBaseException, message: str) -> str:
    key = str(error.full_key or error.key)
    given = re.search(r"Error merging override (.*)", message)
    subject = f"{given[1]} was refused: {key}" if given else key
    reason = str(error.msg).splitlines()[0]
    takes = next((words for pattern, words in _TAKES if re.search(pattern, reason)), None)
    if takes is None:
        return f"{subject}: {reason}"
    example = _default(error.object_type, str(error.key))
    if example is None:
        return f"{subject} takes {takes}"
    return f"{subject} takes {takes}, such as {_quoted(f'{key}={example}')}"


def _unknown_key(error: OmegaConfBaseException, message: str) -> str:
    key = str(error.full_key or error.key)
    tried = re.search(r"use \+(\S+?)=(.*)", message)  # Hydra repeats what was given
    given, value = (tried[1], tried[2]) if tried else (key, None)
    if key == "class-set":
        right = given.replace("class-set", "class_set", 1)
        return f"no key called '{given}'. Did you mean {_assigned(right, value)}?"
    parent = key.rpartition(".")[0]
    names = _fields(error.object_type)
    if not names and isinstance(error.parent_node, DictConfig):
        names = [str(name) for name in error.parent_node]
    below = given.removeprefix(key)  # rest of the key after the unknown part
    return _no_key(key, f"{parent}." if parent else "", names, value, below)


def _no_key(key: str, parent: str, names: list[str], value: str | None, below: str = "") -> str:
    """Refuse an unknown key, with another option that has it, or the nearest name."""
    renamed_to = _since_renamed(key, parent, value)
    if renamed_to is not None:
        return renamed_to
    place = _group_at(key.replace("/", "."))
    if "/" in key and place.partition("@")[0] in SCHEMAS:  # picker/labeler=ibc
        return f"no key called '{key}'. Did you mean {_assigned(place, value)}?"
    name, group = key.removeprefix(parent), _group_at(parent.rstrip("."))
    options = [f"{group}={option}" for option in _options_with(group.partition("@")[0], name)]
    if options:
        add = options[0] if len(options) == 1 else "one of them"
        return f"{key} is a key of {' or '.join(options)}, which is not chosen; add {add}"
    if not parent and not below and value is not None:  # a whole group
        names = [each.replace("class_set", "class-set") for each in names]
    guess = nearest(name, names)
    hint = f" Did you mean {_assigned(f'{parent}{guess}{below}', value)}?" if guess else ""
    where = f"keys of {parent.rstrip('.')}" if parent else "choose from"
    return f"no key called '{key}{below}'.{hint}\n{where}: {', '.join(sorted(names))}"


def _since_renamed(key: str, parent: str, value: str | None) -> str | None:
    """Answer a key of version 0.1.0; None if it is none."""
    now = find_key(key)
    if now is None:
        return None
    if now.key is None:
        return refuse_constant(key)
    return f"{key} is now called {parent}{now.key}: write {_assigned(parent + now.key, value)}"


def _options_with(group: str, key: str) -> list[str]:
    """List the options of a group that have a key; presets only if their schema is not one."""
    found = []
    having = {name: each for name, each in SCHEMAS.get(group, {}).items() if key in _fields(each)}
    for name, schema in having.items():
        # Skip schemas that inherit the key from another one.
        if not any(issubclass(schema, other) for other in having.values() if other is not schema):
            files = sorted((CONF_DIR / group).glob("*.yaml"))
            based = [path.stem for path in files if f"- _{name}\n" in path.read_text("utf-8")]
            found += [name] if name in based else based
    return found


def _unresolved(error: InterpolationResolutionError) -> str:
    missing = re.search(r"Environment variable '(\w+)' not found", str(error))
    if not missing:
        return str(error).splitlines()[0]
    if missing[1] != _DATA:
        return f"the environment variable {missing[1]} is not set"
    chosen = HydraConfig.get().runtime.choices.get("dataset") if HydraConfig.initialized() else None
    name = f"dataset={chosen}" if chosen else "this dataset"
    return (
        f"{name} needs the environment variable {_DATA}\n"
        f"export {_DATA}=DIR, the folder of the datasets, or use "
        "dataset=folder dataset.micrographs=DIR"
    )


def _other(message: str, conf: Path) -> str:
    """Reword other errors, which Hydra describes only in the text of the message."""
    added = re.search(r"use \+((\S+?)=.*)", message)
    if "No match in the defaults list" in message and added:
        moved = renamed(added[1].partition("=")[2]) if added[2] == "experiment" else None
        if moved is not None:
            return moved
        if (conf / added[2]).is_dir():
            return f"{added[1]} needs a plus: write +{added[1]}"
        return f"no group called '{added[2]}'\nchoose from: {', '.join(sorted(SCHEMAS))}"
    present = re.search(r"already at '.*'\.\s*Either remove \+ prefix: '(.*)'", message)
    if present:
        return f"+{present[1]} needs no plus: write {_quoted(present[1])}"
    several = re.search(r"Ambiguous value for argument '((.*?)=(.*))'", message)
    if several:
        return (
            f"{several[1]} is more than one value: add -m for a run with each of them\n"
            f"or write \"{several[2]}='{several[3]}'\" for a text, "
            f"'{several[2]}=[{several[3]}]' for a list"
        )
    swept = re.search(r"Sweep parameters '(.*)' requires? --multirun", message)
    if swept:
        return f"{swept[1]} is more than one value: add -m for a run with each of them"
    if "Config group override must be" in message:
        return "a group cannot be null: choose one of its options, see --help"
    return "\n".join([line.strip() for line in message.splitlines() if line.strip()][:2])


def _fields(schema: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(schema)] if _is_schema(schema) else []


def _is_schema(schema: Any) -> bool:
    return isinstance(schema, type) and dataclasses.is_dataclass(schema)


def _default(schema: Any, key: str) -> str | None:
    """Return the default of a key as typed, None if it has none."""
    if key not in _fields(schema):
        return None
    (field,) = (each for each in dataclasses.fields(schema) if each.name == key)
    value = field.default
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and value:
        return f"[{','.join(map(str, value))}]"
    return f"{value:g}" if isinstance(value, int | float) else None


def _assigned(key: str, value: str | None) -> str:
    return key if value is None else _quoted(f"{key}={value}")


def _quoted(override: str) -> str:
    """Quote an override if the shell would change it."""
    return f"'{override}'" if re.search(r"[\[\]{}() ,]", override) else override
