"""The configuration in a run folder: write it for reruns, read it, and compare two."""

import dataclasses
import json
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from deepcryopicker.config.groups import SCHEMAS
from deepcryopicker.config.registry import COMMANDS
from deepcryopicker.config.renamed import up_to_date
from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.yaml_files import check_yaml

CONFIG = "config.yaml"
OPTIONS = "options"
"""Key of the settings of a run: which option each section is, such as ``labeler`` to ``kmeans``."""
_NOT_OF_THE_RUN = ("defaults", "hydra")  # in config.yaml, so that it composes again


def as_primary(config: DictConfig) -> str:
    """Format a composed configuration as a primary file, from which Hydra composes it again.

    Its defaults list names the schemas, so that overrides on the command line are checked as usual.
    """
    kind = OmegaConf.get_type(config)
    command = next(name for name, schema in COMMANDS.items() if schema is kind)
    defaults = [f"_{command}", *_schemas_within(config, ""), "hydra_defaults", "_self_"]
    return (
        f"# python -m deepcryopicker.{command} --config-dir THIS_FOLDER --config-name config\n"
        + OmegaConf.to_yaml(OmegaConf.create({"defaults": defaults}))
        + OmegaConf.to_yaml(config)
        + OmegaConf.to_yaml(OmegaConf.create({"hydra": {"job": {"name": command}}}))
    )


def settings_of(config: DictConfig) -> dict[str, Any]:
    """Return a composed configuration as plain values, with the option of each section.

    Options may have the same keys and values (``labeler=kmeans`` and ``fcm``), and do other things.
    """
    content = cast(dict[str, Any], OmegaConf.to_container(config))
    return content | _options(_schemas_within(config, ""))


def _options(defaults: object) -> dict[str, Any]:
    """Return the option of each section from a defaults list, under `OPTIONS`, if it names any."""
    listed = defaults if isinstance(defaults, list) else []
    pairs = [pair for item in listed if isinstance(item, dict) for pair in item.items()]
    found = {str(key).partition("@")[2]: str(name).removeprefix("_") for key, name in pairs}
    # Options that replace others have no section; a group of one schema has no choice.
    found = {place: name for place, name in found.items() if place and name != "schema"}
    return {OPTIONS: dict(sorted(found.items()))} if found else {}


def _schemas_within(node: DictConfig, path: str) -> list[dict[str, str]]:
    """List the schemas of child nodes that the schema of the parent declares as Any."""
    options = {
        schema: (group, name) for group, each in SCHEMAS.items() for name, schema in each.items()
    }
    kind = OmegaConf.get_type(node)
    declared = (
        {each.name for each in dataclasses.fields(kind) if each.type is not Any}
        if dataclasses.is_dataclass(kind)
        else set()
    )
    found: list[dict[str, str]] = []
    for key in node:
        child = None if OmegaConf.is_missing(node, key) else node[key]
        if not isinstance(child, DictConfig):
            continue
        schema = OmegaConf.get_type(child)
        if schema in options and key not in declared:
            group, name = options[schema]
            found.append({f"{group}@{path}{key!s}": f"_{name}"})
        found += _schemas_within(child, f"{path}{key!s}.")
    return found


def read_settings(folder: Path) -> dict[str, Any] | None:
    """Read the configuration of the run in a folder; None if missing, {} if invalid.

    Keys of version 0.1.0 have their new names.
    """
    path = folder / CONFIG
    if not path.is_file():
        return None
    try:
        check_yaml(path)
    except UsageError:
        return {}
    # The file is already resolved; a dollar sign in it is literal.
    content: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    if not isinstance(content, dict):
        return {}
    settings = {key: value for key, value in content.items() if key not in _NOT_OF_THE_RUN}
    settings |= _options(content.get("defaults"))
    if "picker" in settings:  # version 0.1.0 had no choice of outputs
        settings.setdefault("outputs", ["csv", "relion"])
    return up_to_date(settings)


def read_command(folder: Path) -> str | None:
    """Read which command made the run in a folder; None if there is none, or it is not ours."""
    path = folder / CONFIG
    try:
        check_yaml(path)
    except UsageError:
        return None
    content: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    defaults = content.get("defaults") if isinstance(content, dict) else None
    first = defaults[0] if isinstance(defaults, list) and defaults else None
    name = first.removeprefix("_") if isinstance(first, str) else ""
    return name if name in COMMANDS else None


def difference(
    there: dict[str, Any], here: dict[str, Any], parent: str = ""
) -> tuple[str, str, str] | None:
    """Find the first key in which two configurations differ.

    Parameters
    ----------
    there, here : dict
        Resolved configurations.
    parent : str
        Prefix of the key, with a dot at its end.

    Returns
    -------
    (key, value there, value here) or None
        Values as typed on the command line; ``(no such key)`` for a missing key.
    """
    for key in [*here, *(key for key in there if key not in here)]:
        old, new = (side.get(key, _ABSENT) for side in (there, here))
        name = f"{parent}{key}".removeprefix(f"{OPTIONS}.")
        if isinstance(old, dict) and isinstance(new, dict):
            found = difference(old, new, f"{name}.")
            if found is not None:
                return found
        elif old != new:
            return name, _typed(old), _typed(new)
    return None


_ABSENT = object()


def _typed(value: object) -> str:
    """Format a value as on the command line, shortened."""
    if value is _ABSENT:
        return "(no such key)"
    if isinstance(value, dict):
        return "{...}"
    if value is None or isinstance(value, bool):
        text = json.dumps(value)
    else:
        text = str(value).replace("'", "")
    return text if len(text) <= 40 else f"{text[:39]}…"
