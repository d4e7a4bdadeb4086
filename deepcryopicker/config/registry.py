"""All configuration schemas for Hydra, and the validation of composed configurations."""

import dataclasses
import re
from typing import Any, cast

from hydra.core.config_store import ConfigNode, ConfigStore
from omegaconf import DictConfig, OmegaConf

from deepcryopicker.config.groups import SCHEMAS
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.result_schemas import (
    ClassesConfig,
    EvaluateConfig,
    FilterConfig,
    ReportConfig,
    ViewConfig,
)
from deepcryopicker.config.schemas import LabelConfig, PickConfig, TrainConfig
from deepcryopicker.errors import UsageError
from deepcryopicker.plugins.announced import GROUPS, component, options

_GROUP_OF = {"rivals": "picker"}
"""Packages that use schemas of another group."""

COMMANDS: dict[str, type] = {
    "train": TrainConfig,
    "label": LabelConfig,
    "pick": PickConfig,
    "evaluate": EvaluateConfig,
    "classes": ClassesConfig,
    "filter": FilterConfig,
    "report": ReportConfig,
    "view": ViewConfig,
}
"""Names of the commands and of their primary configuration files."""


def register() -> None:
    """Store all schemas; option files name them with a leading underscore.

    Those of plugins are options themselves: they need no file.
    """
    store = ConfigStore.instance()
    for group in GROUPS:
        SCHEMAS[group] |= _of_plugins(group)
    for group, schemas in SCHEMAS.items():
        store.repo[group] = _Options(group, schemas)
    for name, node in COMMANDS.items():
        store.store(name=f"_{name}", node=node)


def _of_plugins(group: str) -> dict[str, type]:
    """Return the options of plugins, none of which may have the name of an option of the program.

    Raises
    ------
    UsageError
    """
    found = options(group)
    for name in found:
        if (CONF_DIR / group / f"{name}.yaml").is_file():
            raise UsageError(f"plugin: {group}={name} is an option of the program; rename it")
    return found


class _Options(dict[str, Any]):
    """The schemas of a group as Hydra's store holds them, each converted when it is looked up.

    A configuration names a few of them, and converting all takes longer than composing it.
    """

    def __init__(self, group: str, schemas: dict[str, type]) -> None:
        super().__init__({f"_{name}.yaml": schema for name, schema in schemas.items()})
        self |= {f"{name}.yaml": schema for name, schema in options(group).items()}
        self._group = group

    def __getitem__(self, name: str) -> ConfigNode:
        held = super().__getitem__(name)
        if isinstance(held, type):
            # A hyphen cannot be part of a Python attribute.
            package = self._group.replace("-", "_") if "-" in self._group else None
            node = OmegaConf.structured(held)
            held = self[name] = ConfigNode(name, node, self._group, package, provider=None)
        return cast(ConfigNode, held)


def validated(config: DictConfig) -> Any:
    """Build the dataclasses of a composed configuration, which validates all values.

    Raises
    ------
    UsageError
        If a value is invalid. The message names the full key, such as
        ``picker.labeler.blobs.clip``, although the schema itself reports ``labeler.clip``.
    """
    _check(config, "")
    settings: Any = OmegaConf.to_object(config)
    made = component("dataset", getattr(settings, "dataset", None))
    if made is not None:
        settings = dataclasses.replace(settings, dataset=made(settings.dataset))
    return settings


def _check(node: DictConfig, path: str) -> None:
    """Validate child nodes first, so that an error of a node is about one of its own keys."""
    kind = OmegaConf.get_type(node)
    for key in node:
        child = None if OmegaConf.is_missing(node, key) else node[key]
        if isinstance(child, DictConfig):
            _check(child, f"{path}{key!s}.")
    try:
        OmegaConf.to_object(node)
    except UsageError as error:
        raise UsageError(_name_in_full(str(error), kind, path)) from error


def _name_in_full(message: str, kind: type | None, path: str) -> str:
    """Replace the prefix of a node's own keys, such as ``labeler.``, by the path of the node."""
    module = getattr(kind, "__module__", "").split(".")
    if not path or kind is None or module[-1] != "schema" or not dataclasses.is_dataclass(kind):
        return message
    names = "|".join(each.name for each in dataclasses.fields(kind))
    group = _GROUP_OF.get(module[1], module[1])
    return re.sub(rf"\b{group}\.(?:\w+\.)*(?=(?:{names})\b)", path, message)
