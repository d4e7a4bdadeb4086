"""What a folder's picks are of and were made by, so that picking goes on where it stopped.

``made_by.json`` holds the configuration as far as it decides the picks, with the content of the
weights in place of their path; ``manifest.jsonl`` has a line for every finished micrograph.
"""

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.atomic import append_lines, write_text
from deepcryopicker.runs.saved_config import difference

MANIFEST = "manifest.jsonl"
MADE_BY = "made_by.json"

_CARD = "model.yaml"  # whatever the weights beside it are called
# Keys that change neither scores nor positions; of pictures, only those still to come are drawn.
_NO_MATTER = {
    "": ("overlays", "reference", "redo", "shard", "watch", "watching"),
    "dataset": ("micrographs",),  # every line of the manifest names its own
    "picker": ("device",),
    "preprocessing": ("save_stages",),
}


@dataclass(frozen=True)
class Record:
    """One finished micrograph.

    Attributes
    ----------
    name, path : str
    size, modified : int
        Of the file that was picked: bytes, and nanoseconds since 1970.
    made_by : str
        Digest of all that decided the picks.
    height, width : int
        Pixels.
    diameter : float
        Particle diameter, original pixels.
    pixel_size : float or None
        Angstrom.
    snr : float or None
        Median signal-to-noise ratio of the true particles.
    picks, candidates : int
        How many there are at or above the threshold, and in all.
    """

    name: str
    path: str
    size: int
    modified: int
    made_by: str
    height: int
    width: int
    diameter: float
    pixel_size: float | None
    snr: float | None
    picks: int
    candidates: int


class Finished:
    """Looks up the finished micrographs of a folder.

    Parameters
    ----------
    folder : Path
    settings : dict
        As :func:`deciding` returns it; what others have made there does not count.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        records = _read(folder / MANIFEST) if read_made_by(folder) == settings else []
        self._records = {record.name: record for record in records}

    def find(self, name: str, path: Path, made_by: str) -> Record | None:
        """Return the record of a micrograph; None if its file or its making has changed."""
        record = self._records.get(name)
        if record is None or (record.path, record.made_by) != (str(path), made_by):
            return None
        return record if stamp(path) == (record.size, record.modified) else None


class Manifest(Finished):
    """The finished micrographs of the folder that this run writes into.

    Parameters
    ----------
    folder : Path
    settings : dict
    keep : bool
        Whether what the same settings have made before is kept; otherwise all starts anew.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], keep: bool) -> None:
        super().__init__(folder, settings)
        self._path = folder / MANIFEST
        if not keep:
            self._records = {}
        # A killed run may have left half a line, after which nothing must be appended. First of
        # all, lest a kill leaves the records of others beside our settings.
        write_text(self._path, "".join(map(_line, self._records.values())))
        write_text(folder / MADE_BY, json.dumps(settings, indent=2) + "\n")

    def add(self, records: Iterable[Record]) -> None:
        """Append records of micrographs whose outputs are complete."""
        new = {record.name: record for record in records}
        append_lines(self._path, "".join(map(_line, new.values())))
        self._records |= new


def stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change by which a file is known again; None if it cannot be asked."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def deciding(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Reduce a resolved configuration to what decides the picks."""
    kept: dict[str, Any] = copy.deepcopy(dict(settings))
    for section, names in _NO_MATTER.items():
        place = kept.get(section) if section else kept
        if isinstance(place, dict):
            for name in names:
                place.pop(name, None)
    picker = kept.get("picker")
    if isinstance(picker, dict) and picker.get("weights") is not None:
        picker["weights"] = content_of(Path(picker["weights"]))
    return kept


def content_of(weights: Path) -> str:
    """Name weights and their card by their content.

    Parameters
    ----------
    weights : Path
        A run folder, or a file with its card beside it.
    """
    files = sorted(weights.glob("*.safetensors")) if weights.is_dir() else [weights]
    cards = {card for path in files for card in (path.with_suffix(".yaml"), path.with_name(_CARD))}
    digest = hashlib.sha256()
    for path in [*files, *sorted(cards)]:
        if path.is_file():
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"


def digest_of(value: object) -> str:
    """Name plain data by their content."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def refuse_another(folder: Path, settings: Mapping[str, Any]) -> None:
    """Refuse a folder whose picks another configuration has made, before anything is touched.

    Parameters
    ----------
    folder : Path
    settings : dict
        Resolved. Commands without the key ``redo`` make everything anew.

    Raises
    ------
    UsageError
    """
    there = read_made_by(folder)
    if settings.get("redo", True) or there is None:
        return
    found = difference(there, deciding(settings))
    if found is not None:
        key, old, new = found
        raise UsageError(
            f"{key} is {new} here, but {old} in the run that {folder} holds\n"
            "choose another folder, hydra.run.dir=OTHER, or pick all of it again: redo=true"
        )


def read_made_by(folder: Path) -> dict[str, Any] | None:
    """Read what has made the picks in a folder; None if there are none."""
    try:
        found = json.loads((folder / MADE_BY).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        return {}  # not ours
    return found if isinstance(found, dict) else {}


def _line(record: Record) -> str:
    return json.dumps(asdict(record)) + "\n"


def _read(path: Path) -> Iterable[Record]:
    """Yield the records of all whole lines."""
    names = {field.name for field in fields(Record)}
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            try:
                content = json.loads(line)
            except ValueError:
                continue
            if isinstance(content, dict) and content.keys() == names:
                yield Record(**content)
