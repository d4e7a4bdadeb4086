"""What a run was made from, so that it can be told whether that has changed."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.io.tables import write_rows

_COLUMNS = ("micrograph", "path", "sha256")


def write_hashes(path: Path, entries: Iterable[Entry]) -> bool:
    """Write name, path and SHA-256 of the files of every micrograph, truth included, as CSV.

    Returns
    -------
    bool
        Whether the same was written there before.
    """
    before = path.read_bytes() if path.exists() else None
    rows = [
        {"micrograph": entry.name, "path": str(file), "sha256": _sha256(file)}
        for entry in entries
        for file in (entry.path, *entry.truth_files)
    ]
    write_rows(path, rows, _COLUMNS)
    return path.read_bytes() == before


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
