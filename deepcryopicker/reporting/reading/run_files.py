"""Read small files of a run folder, which may be damaged or malicious."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.checks import one_line
from deepcryopicker.io.files.yaml_files import read_yaml

LARGEST_RESULTS = 2**27  # bytes
_MISSING: dict[str, Any] = {}


class UnreadableError(Exception):
    """A file of a run folder cannot be used; the message is one line for the page."""


def read_settings(path: Path) -> Any:
    """Read a YAML file like :func:`yaml_files.read_yaml`; None if it is missing.

    Raises
    ------
    UnreadableError
    """
    try:
        return read_yaml(path) if path.exists() else None
    except UsageError as error:
        raise UnreadableError(one_line(error).replace(str(path), path.name)) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; empty if the file is missing.

    Raises
    ------
    UnreadableError
    """
    text = _text(path, LARGEST_RESULTS)
    try:
        found = _MISSING if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{path.name} is damaged: {one_line(error)}") from error
    if not isinstance(found, dict):
        raise UnreadableError(f"{path.name} does not contain results")
    return found


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read the rows of a CSV file; empty if the file is missing.

    Raises
    ------
    UnreadableError
    """
    text = _text(path, LARGEST_RESULTS)
    try:
        return [] if text is None else list(csv.DictReader(io.StringIO(text)))
    except csv.Error as error:
        raise UnreadableError(f"{path.name} is damaged: {one_line(error)}") from error


def _text(path: Path, largest: int) -> str | None:
    if not path.exists():
        return None
    try:
        if not path.is_file():
            raise UnreadableError(f"{path.name} is not a regular file")
        if path.stat().st_size > largest:
            raise UnreadableError(f"{path.name} is larger than {largest // 2**20} MB")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{path.name} is not a text file") from error
    except OSError as error:
        raise UnreadableError(f"{path.name} cannot be read: {error.strerror}") from error
