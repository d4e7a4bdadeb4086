"""The page of ``--help``: the keys that most people need, with what they mean."""

import textwrap
from collections.abc import Iterator

from deepcryopicker.config.described import DescribedKey, describe_keys, sections_of
from deepcryopicker.config.groups import SCHEMAS
from deepcryopicker.config.registry import COMMANDS

_DATASET = ("micrographs", "diameter", "diameter_angstrom", "pixel_size", "polarity")
_NETWORK = ("threshold", "weights", "mask", "device")
# From a command to what it is called with, and to the keys that its page explains: a schema of a
# group, or the command itself, and names.
_PAGES: dict[str, tuple[str, tuple[tuple[str, str, tuple[str, ...]], ...]]] = {
    "train": (
        "+experiment=no_labels dataset.micrographs=DIR dataset.diameter=60",
        (
            ("dataset", "folder", (*_DATASET, "coordinates", "structure")),
            ("picker", "dense", ("threshold", "mask")),
            ("", "", ("outputs", "overlays", "seed", "start_from", "until")),
        ),
    ),
    "pick": (
        "dataset=folder dataset.micrographs=DIR dataset.diameter=60",
        (
            ("dataset", "folder", (*_DATASET, "coordinates")),
            ("picker", "dense", _NETWORK),
            ("", "", ("outputs", "overlays", "redo", "watch", "shard", "seed")),
        ),
    ),
    "label": (
        "dataset=folder dataset.micrographs=DIR dataset.diameter=60",
        (("dataset", "folder", _DATASET), ("", "", ("overlays",))),
    ),
    "classes": (
        "dataset.micrographs=DIR dataset.diameter=60 dataset.coordinates=RUN",
        (("dataset", "folder", (*_DATASET, "coordinates")), ("classes", "", ("count",))),
    ),
    "evaluate": ("evaluate.picks=DIR evaluate.truth=DIR", (("evaluate", "", ()),)),
    "filter": (
        "filter.picks=RUN filter.threshold=0.8",
        (("filter", "", ()), ("", "", ("outputs",))),
    ),
    "report": ("report.runs=[RUN]", (("report", "", ()),)),
    "view": ("view.run=RUN", (("view", "", ()),)),
}
_WIDTH = 98
HELP_ALL = "--help-all"
"""Shows every key with its value, and the options of every group."""


def help_page(command: str) -> str:
    """Return the page of a command."""
    example, parts = _PAGES[command]
    lines = [f"deepcryopicker {command} {example}", ""]
    for group, option, names in parts:
        for key in _keys(command, group, option, names):
            prefix = f"{group}." if group else ""
            lines += _entry(prefix, key)
    lines += [
        "hydra.run.dir=DIR",
        "    Run folder; the same command with the same folder continues where it stopped.",
        "",
        f"{HELP_ALL}: every key with its value and the options of every group; -m: a sweep;",
        "docs/guide/options.md: all keys explained; --hydra-help: Hydra's own options",
    ]
    return "\n".join(lines)


def _keys(command: str, group: str, option: str, names: tuple[str, ...]) -> Iterator[DescribedKey]:
    """Yield the named keys of a schema, or all of them."""
    if option:
        schema = SCHEMAS[group][option]
    else:
        schema = COMMANDS[command]
        if group:
            schema = sections_of(schema)[group]
    every = {key.name: key for key in describe_keys(schema)}
    for name in names or every:
        yield every[name]


def _entry(prefix: str, key: DescribedKey) -> list[str]:
    head = f"{prefix}{key.name}={'...' if key.default == 'required' else key.default}"
    wrapped = textwrap.wrap(key.text.replace("``", ""), _WIDTH - 4)
    return [head, *(f"    {line}" for line in wrapped)]
