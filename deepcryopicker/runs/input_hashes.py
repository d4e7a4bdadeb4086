"""Hashes of the input files of a run, by which changes are detected."""

import csv
import hashlib
from collections.abc import Iterable
from pathlib import Path

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.io.files.tables import write_rows

INPUTS = "inputs.csv"
"""File of a run folder that lists the inputs of the picks and scores."""

_COLUMNS = ("micrograph", "path", "sha256")


def write_hashes(path: Path, entries: Iterable[Entry]) -> bool:
    """Write name, path and SHA-256 of the files of every micrograph, truth included, as CSV.

    Returns
    -------
    bool
        Whether the file already existed with the same content.
    """
    before = path.read_bytes() if path.exists() else None
    rows = [
        {"micrograph": entry.name, "path": str(file), "sha256": _sha256(file)}
        for entry in entries
        for file in (entry.path, *entry.truth_files)
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
        path.is_file() and (path.stat().st_mtime_ns < noted or _sha256(path) == before)
        for path, before in rows
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
