"""Options of ``conf/`` as their schemas, read without Hydra: for calls from Python."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from deepcryopicker.config.groups import SCHEMAS
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.errors import UsageError, unknown


def read_option(group: str, name: str, changes: Mapping[str, Any] | None = None) -> Any:
    """Build the configuration that an option stands for, such as ``picker=dense``.

    Parameters
    ----------
    group : str
        Folder below ``conf``, such as ``picker``.
    name : str
        File in it, without extension: one that builds on a schema alone.
    changes : mapping, optional
        From keys to values that take the place of the option's.

    Raises
    ------
    UsageError
        If there is no such option or key, or a value is refused.
    """
    places = {path.stem: path for path in (CONF_DIR / group).glob("*.yaml")}
    if name not in places:
        raise UsageError(unknown(group, name, places))
    option = cast(DictConfig, OmegaConf.load(places[name]))
    schema, *others = option.pop("defaults")
    if others != ["_self_"]:
        raise UsageError(f"{group}={name} builds on other options; give its configuration instead")
    schemas = SCHEMAS[group]
    return build(group, schemas[str(schema).removeprefix("_")], option, changes or {})


def build(group: str, schema: type, *layers: DictConfig | Mapping[str, Any]) -> Any:
    """Build a schema of checked and converted values.

    Parameters
    ----------
    group : str
        Of the keys, for messages.
    schema : type
    layers : mappings
        Keys and values; later ones take the place of earlier ones.

    Raises
    ------
    UsageError
        If there is no such key, or a value is refused.
    """
    config = OmegaConf.structured(schema)
    try:
        for layer in layers:
            plain = layer if isinstance(layer, DictConfig) else _plain(layer)
            config = OmegaConf.merge(config, plain)
        return OmegaConf.to_object(config)
    except ConfigKeyError as error:
        key = str(error.full_key or error.key)
        raise UsageError(unknown(f"{group} key", key, config)) from error
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{group}.{error.full_key}: {reason}") from error


def _plain(value: Any) -> Any:
    """Turn numbers and arrays of NumPy, which OmegaConf does not know, into Python's."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value
