"""YAML files from untrusted sources: checked before any object is built from them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from deepcryopicker.errors import UsageError

LARGEST = 1_000_000
"""Largest file, bytes; a configuration or a model card is a page or two of text."""

MOST_NODES = 100_000
"""Largest number of values after aliases are expanded, which multiply in a "YAML bomb"."""


def check_yaml(path: Path) -> None:
    """Refuse a file that cannot be read, is not YAML, or exceeds our limits of size and depth.

    Raises
    ------
    UsageError
        Names the file and the reason.
    """
    with _naming(path):
        _compose(path)


def read_yaml(path: Path) -> Any:
    """Check and read a file; tags never construct Python objects.

    Raises
    ------
    UsageError
        As :func:`check_yaml`.
    """
    with _naming(path):
        loader, node = _compose(path)
        return None if node is None else loader.construct_document(node)


def part(value: Any, *keys: str) -> dict[str, Any]:
    """Follow keys into results or settings; anything but a mapping counts as an empty one.

    Examples
    --------
    >>> part({"picker": {"labeler": {"clip": 3}}, "seed": 0}, "picker", "labeler")
    {'clip': 3}
    >>> part({"seed": 0}, "seed")
    {}
    """
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _compose(path: Path) -> tuple[yaml.SafeLoader, yaml.Node | None]:
    """Read a file into nodes, from which the loader can make values, and count these."""
    if not path.is_file():
        raise UsageError(f"{path}: not a regular file")
    if path.stat().st_size > LARGEST:
        raise UsageError(f"{path} is larger than 1 MB: not a configuration")
    loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
    node = loader.get_single_node()
    if node is not None and _count(node, {}) > MOST_NODES:
        raise UsageError(f"{path}: its aliases expand to more than {MOST_NODES} values")
    return loader, node


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in what goes wrong with it."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    # An invalid number or date is a ValueError.
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError(f"{path} is not YAML: {str(error).splitlines()[0]}") from error
    except RecursionError as error:
        raise UsageError(f"{path}: nested too deeply") from error


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """Count a node and all nodes below it, as often as they occur."""
    if id(node) not in known:
        known[id(node)] = MOST_NODES + 1  # a node that contains itself is infinite
        below = node.value if isinstance(node, yaml.CollectionNode) else []
        pairs = isinstance(node, yaml.MappingNode)
        children = [one for pair in below for one in pair] if pairs else below
        known[id(node)] = 1 + sum(_count(child, known) for child in children)
    return known[id(node)]
