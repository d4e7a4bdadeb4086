"""Hashes of the input files of a run, by which changes are detected."""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.io.files.tables import write_rows

INPUTS = "inputs.csv"
"""File of a run folder that lists the inputs of the picks and scores."""

_COLUMNS = ("micrograph", "path", "sha256")
# Keys whose files decide the results, beside the micrographs and their coordinates.
_NAMED = (
    ("picker", "weights"),
    ("start_from",),
    ("dataset", "structure"),
    ("evaluate", "picks"),
    ("evaluate", "truth"),
    ("evaluate", "against"),
)


def write_hashes(
    path: Path, entries: Iterable[Entry], settings: Mapping[str, Any] | None = None
) -> bool:
    """Write name, path and SHA-256 of the files of every micrograph, truth included, as CSV.

    The SHA-256 of a folder is that of the names in it, which says whether files were added.

    Parameters
    ----------
    path : Path
    entries : iterable of Entry
    settings : mapping, optional
        Resolved configuration: the weights, structures and coordinates that it names are listed,
        and the folders of the micrographs.

    Returns
    -------
    bool
        Whether the file already existed with the same content.
    """
    before = path.read_bytes() if path.exists() else None
    files = [(entry.name, file) for entry in entries for file in (entry.path, *entry.truth_files)]
    if settings is not None:
        files += [("", folder) for folder in sorted({file.parent for _, file in files})]
        files += [("", file) for file in _named_in(settings)]
    rows = [
        {"micrograph": name, "path": str(file), "sha256": _sha256(file)}
        for name, file in files
        if file.exists()
    ]
    write_rows(path, rows, _COLUMNS)
    return path.read_bytes() == before


def same_inputs(folder: Path) -> bool:
    """Whether the files listed in a run's ``inputs.csv`` are unchanged; True without that file.

    Files older than ``inputs.csv`` are not read again.
    """
    note = folder / INPUTS
    if not note.is_file():
        return True
    noted = note.stat().st_mtime_ns
    with note.open(encoding="utf-8", newline="") as stream:
        rows = [(Path(row["path"]), row["sha256"]) for row in csv.DictReader(stream)]
    return all(
        path.exists() and (_untouched(path, noted) or _sha256(path) == before)
        for path, before in rows
    )


def _named_in(settings: Mapping[str, Any]) -> list[Path]:
    """List the files and folders that a configuration names; run folders by their files."""
    found: list[Path] = []
    for keys in _NAMED:
        value: Any = settings
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        paths = [Path(str(one)) for one in (value if isinstance(value, list) else [value]) if one]
        for path in paths:
            inside = (
                sorted(path.rglob("*.safetensors")) if keys[-1] in ("weights", "start_from") else []
            )
            if path.is_dir() and keys[0] == "evaluate":
                inside = [path, *sorted(file for file in path.rglob("*") if file.is_file())]
            found += inside or [path]
    return found


def _untouched(path: Path, since: int) -> bool:
    """Whether a file is older than a time; a file that was moved here may be older than it was."""
    status = path.stat()
    return path.is_file() and max(status.st_mtime_ns, status.st_ctime_ns) < since


def _sha256(path: Path) -> str:
    if path.is_dir():
        return hashlib.sha256(
            "\n".join(sorted(each.name for each in path.iterdir())).encode()
        ).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
