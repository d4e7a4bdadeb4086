"""The finished micrographs of a run folder and their settings, for resuming an interrupted run.

``made_by.json`` holds the part of the configuration that decides the picks, with a hash of the
weights instead of their path; ``manifest.jsonl`` has one line per finished micrograph.
"""

import copy
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from deepcryopicker.config.renamed import up_to_date
from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.atomic import append_lines, write_text
from deepcryopicker.runs.saved_config import OPTIONS, difference

MANIFEST = "manifest.jsonl"
MADE_BY = "made_by.json"

_CARD = "model.yaml"  # regardless of the name of the weights beside it
# Every micrograph has a hash of how its coordinates are read.
_READING = (
    *("coordinates_swapped", "coordinates_scale", "coordinates_check"),
    *("coordinates_threshold", "coordinates_classes"),
)
# Keys that change neither scores nor positions. Overlays are drawn only for micrographs still to
# be picked.
_NO_MATTER = {
    "": ("logger", "outputs", "overlays", "reference", "redo", "shard", "watch", "watching"),
    "dataset": ("micrographs", *_READING),  # every line of the manifest has its own path
    "picker": ("device", "micrograph_suffix"),
    "preprocessing": ("save_stages",),
}


@dataclass(frozen=True)
class Record:
    """One finished micrograph.

    Attributes
    ----------
    name, path : str
    size, modified : int
        File of the micrograph: bytes, and modification time in nanoseconds since 1970.
    made_by : str
        Digest of all settings that decided the picks.
    height, width : int
        Original pixels.
    diameter : float
        Particle diameter, original pixels.
    pixel_size : float or None
        Angstrom.
    snr : float or None
        Median signal-to-noise ratio of the true particles.
    picks, candidates : int
        Number of candidates at or above the threshold, and in total.
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
    """The finished micrographs of a folder, read only.

    Parameters
    ----------
    folder : Path
    settings : dict
        Result of :func:`deciding`; micrographs picked with other settings are disregarded.

    Attributes
    ----------
    settings : dict
        The same as they stand in the folder, which may be in the words of version 0.1.0: the hash
        in every record is of these.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        there = read_made_by(folder)
        same = there is not None and _in_todays_words(there, settings) == settings
        self.settings = there if there is not None and same else dict(settings)
        self._records = {record.name: record for record in _read(folder / MANIFEST) if same}

    @property
    def records(self) -> list[Record]:
        """The finished micrographs."""
        return list(self._records.values())

    def find(self, name: str, path: Path, made_by: str) -> Record | None:
        """Return the record of a micrograph; None if its file or `made_by` has changed."""
        record = self._records.get(name)
        if record is None or (record.path, record.made_by) != (str(path), made_by):
            return None
        return record if stamp(path) == (record.size, record.modified) else None


class Manifest(Finished):
    """The finished micrographs of the folder of this run.

    Parameters
    ----------
    folder : Path
    settings : dict
    keep : bool
        Whether micrographs already picked with the same settings are kept.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], keep: bool) -> None:
        super().__init__(folder, settings)
        self._path = folder / MANIFEST
        if not keep:
            self._records, self.settings = {}, dict(settings)
        # Rewritten because a killed run may have left an incomplete last line; and before the
        # settings, so that a kill in between cannot combine them with records of other settings.
        write_text(self._path, "".join(map(_line, self._records.values())))
        write_text(folder / MADE_BY, json.dumps(self.settings, indent=2) + "\n")

    def add(self, records: Iterable[Record]) -> None:
        """Append the records of completed micrographs."""
        new = {record.name: record for record in records}
        append_lines(self._path, "".join(map(_line, new.values())))
        self._records |= new

    def replace(self, records: Iterable[Record]) -> None:
        """Write the records of finished micrographs anew, with those given in place of theirs."""
        new = {record.name: record for record in records}
        if not new.items() <= self._records.items():
            self._records |= new
            write_text(self._path, "".join(map(_line, self._records.values())))

    def remove(self, paths: Collection[str]) -> list[Record]:
        """Remove the records of image files, and return them."""
        gone = [record for record in self._records.values() if record.path in paths]
        if gone:
            for record in gone:
                del self._records[record.name]
            write_text(self._path, "".join(map(_line, self._records.values())))
        return gone


def read_records(folder: Path) -> list[Record]:
    """Read the finished micrographs of a run, whatever its settings, in the order of picking."""
    return list({record.name: record for record in _read(folder / MANIFEST)}.values())


def write_records(folder: Path, records: Iterable[Record]) -> None:
    """Write the finished micrographs of a run that picks nothing itself."""
    write_text(folder / MANIFEST, "".join(map(_line, records)))


def stamp(path: Path) -> tuple[int, int] | None:
    """Return size and modification time of a file; None if they cannot be read."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def deciding(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Reduce a resolved configuration to the keys that decide the picks."""
    kept: dict[str, Any] = copy.deepcopy(dict(settings))
    for section, names in _NO_MATTER.items():
        place = kept.get(section) if section else kept
        if isinstance(place, dict):
            for name in names:
                place.pop(name, None)
    dataset = kept.get("dataset")
    members = dataset.get("members") if isinstance(dataset, dict) else None
    for member in members.values() if isinstance(members, dict) else ():
        for name in _READING:
            member.pop(name, None)
    picker = kept.get("picker")
    if isinstance(picker, dict) and picker.get("weights") is not None:
        picker["weights"] = content_of(Path(picker["weights"]))
    return kept


def content_of(weights: Path) -> str:
    """Hash the content of weights and their card.

    Parameters
    ----------
    weights : Path
        Run folder, or a file with its card beside it.
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
    """Hash JSON-compatible data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def refuse_another(folder: Path, settings: Mapping[str, Any]) -> None:
    """Refuse a folder with picks of another configuration, before any file is changed.

    Parameters
    ----------
    folder : Path
    settings : dict
        Resolved configuration. Commands without the key ``redo`` always start anew.

    Raises
    ------
    UsageError
    """
    there = read_made_by(folder)
    if settings.get("redo", True) or there is None:
        return
    # Weights that no key names, such as the general ones, are compared when they are loaded.
    here = deciding(settings)
    named = {key: value for key, value in _in_todays_words(there, here).items() if key != "weights"}
    found = difference(named, here)
    if found is not None:
        key, old, new = found
        raise UsageError(
            f"{key} is {new} here, but {old} in the run in {folder}\n"
            "choose another folder, hydra.run.dir=OTHER, or pick all micrographs again: redo=true"
        )


def _in_todays_words(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    """Give settings the names of today; earlier versions did not record the options."""
    options = {OPTIONS: here[OPTIONS]} if OPTIONS in here else {}
    known = {**options, **up_to_date(dict(there))}
    return {key: value for key, value in known.items() if key not in _NO_MATTER[""]}


def read_made_by(folder: Path) -> dict[str, Any] | None:
    """Read the settings that made the picks in a folder; None if there are no picks."""
    try:
        found = json.loads((folder / MADE_BY).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        return {}  # not written by this program
    return found if isinstance(found, dict) else {}


def _line(record: Record) -> str:
    return json.dumps(asdict(record)) + "\n"


def _read(path: Path) -> Iterable[Record]:
    """Yield the records of all complete lines."""
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
