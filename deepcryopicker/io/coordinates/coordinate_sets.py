"""Coordinates of many micrographs, in a folder or in one file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.coordinate_tables import (
    LIST,
    MANY,
    ONE,
    OTHER,
    READ,
    UNREADABLE,
    is_job_mark,
    kind_of,
    listed_files,
    read_one_of_table,
    read_table,
)
from deepcryopicker.io.coordinates.formats import READERS, READERS_OF_MANY, reader_of, with_scores
from deepcryopicker.io.coordinates.micrograph_names import NameIndex, bare_name, plain_name
from deepcryopicker.io.coordinates.run_picks import picks_of_run
from deepcryopicker.io.files.walk import files_below
from deepcryopicker.io.star.relion_folder import refuse_turned_over
from deepcryopicker.types import Picks

_SHOWN = 3  # names in a message


@dataclass(frozen=True)
class CoordinateSource:
    """Location of the coordinates of one micrograph.

    Attributes
    ----------
    path : Path
    name : str or None
        Name of the micrograph in a table of many; None for a file of one.
    """

    path: Path
    name: str | None = None

    @property
    def where(self) -> str:
        """Description for messages."""
        return str(self.path) if self.name is None else f"{self.name} in {self.path}"

    def read(self) -> Picks:
        """Read every candidate; those without a score count as picks."""
        return with_scores(self.read_scores())

    def read_scores(self) -> Picks:
        """Read every candidate; scores are NaN where there is none."""
        if self.name is not None:
            return read_one_of_table(self.path, self.name)
        refuse_turned_over(self.path)
        return reader_of(self.path, READERS, "coordinates")(self.path)


Known = Mapping[str, Sequence[CoordinateSource]]
"""By plain name of a micrograph; several for one are an error."""


class Sources:
    """The coordinates in a folder and its sub-folders, or in one file.

    Parameters
    ----------
    key : str
        Configuration key, for messages.
    place : str
        As given by the user.
    files : sequence of Path
        Files with the suffix of coordinate files.
    root : Path
        Folder below which the path of a file is the name of its micrograph.
    """

    def __init__(self, key: str, place: str, files: Sequence[Path], root: Path) -> None:
        self.key, self.place = key, place
        self._files, self._root = files, root
        self._kinds: dict[Path, str] = {}

    @cached_property
    def by_file(self) -> Known:
        """Files that may be of one micrograph each, by their names; not opened yet."""
        found: dict[str, list[CoordinateSource]] = {}
        for path in self._files:
            if path.suffix.lower() != ".cs" and not is_job_mark(path):
                name = plain_name(path.relative_to(self._root).with_suffix("").as_posix())
                found.setdefault(name, []).append(CoordinateSource(path))
        return found

    @cached_property
    def by_list(self) -> Known:
        """Files that RELION's lists name."""
        found: dict[str, list[CoordinateSource]] = {}
        for path in self._of_kind(LIST):
            for name, file in listed_files(path).items():
                _add(found, plain_name(name), CoordinateSource(file))
        return found

    @cached_property
    def by_table(self) -> Known:
        """Micrographs in tables of many."""
        found: dict[str, list[CoordinateSource]] = {}
        for path in self._of_kind(MANY):
            for name in read_table(path):
                _add(found, plain_name(name), CoordinateSource(path, name))
        return found

    def kind(self, path: Path) -> str:
        """Return what a file holds, see :func:`kind_of`; every file is opened once."""
        if path not in self._kinds:
            self._kinds[path] = kind_of(path)
        return self._kinds[path]

    def refuse_damaged(self, lacking: Sequence[str]) -> None:
        """Refuse a damaged file that may hold the coordinates of micrographs that lack them.

        That is a STAR or .cs file that cannot be read, or a CSV file of the name of a micrograph
        without columns of positions.

        Raises
        ------
        UsageError
            Names the file and what is wrong with it.
        """
        for path in self._of_kind(UNREADABLE) if lacking else ():
            if path.suffix.lower() in (".star", ".cs"):
                read_table(path)
        for name in lacking:
            for one in self.by_file.get(name, []):
                if one.path.suffix.lower() == ".csv":
                    one.read_scores()

    @property
    def examples(self) -> str:
        """A few names of coordinates, for a message."""
        names = [path.relative_to(self._root).as_posix() for path in self._files]
        if len(names) == 1:
            names = list(self.by_table or self.by_list) or names
        return ", ".join(names[:_SHOWN]) or "none"

    def _of_kind(self, kind: str) -> list[Path]:
        return [path for path in self._files if self.kind(path) == kind]


def find_sources(key: str, given: str) -> Sources:
    """List the coordinates in a folder and its sub-folders, or in one file.

    Parameters
    ----------
    key : str
        Configuration key, for messages.
    given : str
        A folder (a job folder of RELION or cryoSPARC, a run folder of ours), or one file: a table
        of many micrographs, RELION's list of coordinate files, or coordinates of one micrograph.

    Raises
    ------
    UsageError
        If it does not exist, or the file has no coordinates or is damaged.
    """
    root = Path(given).expanduser()
    if root.is_file() and is_job_mark(root):
        root = root.parent
    if root.is_dir():
        root = picks_of_run(root)
        try:
            files = [path for path in files_below(root) if path.suffix.lower() in READERS]
        except OSError as error:
            raise UsageError(f"{key}: {given} cannot be read: {error.strerror}") from error
        return Sources(key, given, files, root)
    if not root.exists():
        raise UsageError(f"{key}: {given} does not exist\ngive a folder or file of coordinates")
    sources = Sources(key, given, [root], root.parent)
    if root.suffix.lower() not in READERS | READERS_OF_MANY:
        raise UsageError(
            f"{key}: no reader for '{root.suffix}' coordinates, {given}\nread are {READ}"
        )
    kind = sources.kind(root)
    if kind == LIST:
        listed_files(root)
    elif kind != ONE:  # what is wrong with another file is said by its reader
        read_table(root)
    return sources


def names_of(sources: Sources) -> list[str]:
    """List the micrographs that have coordinates, where no others are known.

    Files that hold something else, such as job.star, are passed over. A micrograph with a file of
    its own is not listed again if a table or list has it as well.
    """
    names = [
        name
        for name, found in sources.by_file.items()
        if any(_may_be_one(sources, one.path) for one in found)
    ]
    for more in (sources.by_list, sources.by_table):
        listed = NameIndex(names, bare_name)
        names += [name for name in more if not listed.matching(name)]
    return sorted(names)


def _may_be_one(sources: Sources, path: Path) -> bool:
    """Whether a file has the coordinates of one micrograph, or should have but is damaged."""
    kind = sources.kind(path)
    return kind in (ONE, UNREADABLE) or (kind == OTHER and path.suffix.lower() == ".csv")


def _add(found: dict[str, list[CoordinateSource]], name: str, source: CoordinateSource) -> None:
    """Add a source unless it is listed already."""
    if source not in (each := found.setdefault(name, [])):
        each.append(source)
