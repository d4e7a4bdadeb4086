"""The components that plugins have announced, by group and name."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from deepcryopicker.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

GROUPS = ("dataset", "labeler", "model", "picker")
"""Configuration groups that plugins may add options to."""

_options: dict[str, dict[str, tuple[type, Callable[..., Any]]]] = {group: {} for group in GROUPS}
_functions: dict[str, dict[str, Callable[..., Any]]] = {"metric": {}, "operation": {}}


def labeler(name: str, schema: type) -> Callable[[F], F]:
    """Announce a labeler: a function of a preprocessed micrograph and its configuration.

    It returns `Picks` in original pixels, best first, or `Candidates`; of picks, those closer than
    0.7 diameters to another are not trained on.

    Parameters
    ----------
    name : str
        As in ``labeler=name``.
    schema : type
        Dataclass of its keys, with a value for each.
    """
    return _option("labeler", name, schema)


def picker(name: str, schema: type) -> Callable[[F], F]:
    """Announce a picker: a function of a preprocessed micrograph and its configuration.

    It returns `Picks` in original pixels. The schema is a subclass of
    :class:`deepcryopicker.picker.schema.FunctionPickerConfig`.
    """
    return _option("picker", name, schema)


def network(name: str, schema: type) -> Callable[[F], F]:
    """Announce a network: a subclass of :class:`deepcryopicker.model.network.Network`.

    It is built with its configuration and the number of classes.
    """
    return _option("model", name, schema)


def dataset(name: str, schema: type) -> Callable[[F], F]:
    """Announce a dataset: a function of its configuration that returns that of a folder.

    The schema is a subclass of :class:`deepcryopicker.dataset.schema.FolderConfig`.
    """
    return _option("dataset", name, schema)


def operation(name: str) -> Callable[[F], F]:
    """Announce a preprocessing step: a function from image to image, (H, W) float.

    Its keyword arguments are keys of the step, whose ``operation`` is the name.
    """
    return _function("operation", name)


def metric(name: str) -> Callable[[F], F]:
    """Announce a metric: a function of the evaluated micrographs and the threshold to a number.

    The number is ``metrics.name`` in ``metrics.json`` and in the tables of sweeps.
    """
    return _function("metric", name)


def options(group: str) -> dict[str, type]:
    """Return the schemas of the options that plugins have added to a group, by name."""
    return {name: schema for name, (schema, _) in _options.get(group, {}).items()}


def functions(kind: str) -> dict[str, Callable[..., Any]]:
    """Return the operations or metrics of plugins by name."""
    return dict(_functions[kind])


def component(group: str, config: object) -> Callable[..., Any] | None:
    """Return what a plugin has announced for a configuration; None if it is of the program."""
    for schema, made in _options[group].values():
        if type(config) is schema:
            return made
    return None


def _option(group: str, name: str, schema: type) -> Callable[[F], F]:
    if not name.isidentifier():
        raise UsageError(f"plugin: the name of a {group} must be a word, got '{name}'")
    if not dataclasses.is_dataclass(schema):
        raise UsageError(f"plugin: the schema of {group}={name} must be a dataclass")
    if _options[group].get(name, (schema,))[0].__qualname__ != schema.__qualname__:
        raise UsageError(f"plugin: there are two options {group}={name}")

    def announce(made: F) -> F:
        _options[group][name] = (schema, made)
        return made

    return announce


def _function(kind: str, name: str) -> Callable[[F], F]:
    def announce(made: F) -> F:
        _functions[kind][name] = made
        return made

    return announce
