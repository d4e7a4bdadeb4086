"""What each key of a schema means, as its docstring says it."""

import dataclasses
import inspect
import re
from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

_HEAD = re.compile(r"^(\w[\w, ]*) : (.+)$")


@dataclass(frozen=True)
class DescribedKey:
    """One key of a schema.

    Attributes
    ----------
    name, kind : str
        `kind` is the type in words, such as ``float or None``.
    default : str
        As typed on the command line; ``required`` without one.
    text : str
        Meaning, unit and range, in one line.
    """

    name: str
    kind: str
    default: str
    text: str


def describe_keys(schema: type) -> list[DescribedKey]:
    """List the keys of a schema in the order of its fields, those of its base classes included.

    Sections, which are schemas themselves, and groups of the configuration are left out.
    """
    found: dict[str, tuple[str, str]] = {}
    for base in reversed(schema.__mro__):
        found |= _attributes(base.__doc__ or "")
    keys = []
    for field in dataclasses.fields(schema):
        if field.name in found and not dataclasses.is_dataclass(field.type):
            kind, text = found[field.name]
            keys.append(DescribedKey(field.name, kind, _default(field), text))
    return keys


def sections_of(schema: type) -> dict[str, type]:
    """Return the sections of a schema, which are schemas themselves, by the name of their field."""
    return {
        field.name: field.type
        for field in dataclasses.fields(schema)
        if isinstance(field.type, type) and dataclasses.is_dataclass(field.type)
    }


def _attributes(docstring: str) -> dict[str, tuple[str, str]]:
    """Read the section ``Attributes`` of a numpy-style docstring: type and text by name."""
    lines = inspect.cleandoc(docstring).splitlines()
    if "Attributes" not in lines:
        return {}
    found: dict[str, tuple[str, str]] = {}
    names: list[str] = []
    for line in lines[lines.index("Attributes") + 2 :]:
        head = _HEAD.match(line)
        if head:
            names = [name.strip() for name in head[1].split(",")]
            found |= dict.fromkeys(names, (head[2], ""))
        elif line.startswith(" "):
            for name in names:
                kind, text = found[name]
                found[name] = kind, f"{text} {line.strip()}".strip()
        elif line:
            break
    return found


def _default(field: "dataclasses.Field[Any]") -> str:
    value = field.default
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    if value is dataclasses.MISSING or value == MISSING:
        return "required"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list):
        return f"[{','.join(map(str, value))}]"
    if isinstance(value, dict):
        return "{}" if not value else str(value)
    return str(value)
