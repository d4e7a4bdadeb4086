"""What a coordinate file holds: one micrograph, many, a list of other files, or something else."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.cryosparc_picks import has_positions
from deepcryopicker.io.coordinates.formats import READERS_OF_MANY, csv_names, reader_of
from deepcryopicker.io.coordinates.topaz_table import is_topaz
from deepcryopicker.io.files.missing_scores import are_probabilities
from deepcryopicker.io.files.tables import read_rows
from deepcryopicker.io.star import relion_star
from deepcryopicker.io.star.relion_folder import refuse_turned_over
from deepcryopicker.io.star.star_tables import find_table, read_tables
from deepcryopicker.types import Picks

ONE, MANY, LIST, OTHER, UNREADABLE = "one", "many", "list", "other", "unreadable"
"""Positions of one micrograph, or of many; a list of coordinate files; none; or damaged."""

READ = ".star, .csv, .box, .cbox, Topaz's .txt and .tsv, and .cs of cryoSPARC"
"""Files that are read, for messages."""

# RELION 3.1 marks a job by a file that only names the list of its micrographs.
_MARK = "coords_suffix_"


def kind_of(path: Path) -> str:
    """Return what a file with the suffix of a coordinate file holds, from its beginning."""
    if path.name.startswith(_MARK):
        return OTHER
    try:
        return _KINDS.get(path.suffix.lower(), _one)(path)
    except UsageError:
        return UNREADABLE


def is_job_mark(path: Path) -> bool:
    """Return whether a file only marks a job folder of RELION 3.1 as one of coordinates."""
    return path.name.startswith(_MARK) and path.suffix.lower() == ".star"


def listed_files(path: Path) -> dict[str, Path]:
    """Read RELION's list of coordinate files, such as autopick.star.

    Their paths are relative to the RELION project, which is the working folder or a folder above
    the list.

    Returns
    -------
    dict of Path
        By name of the micrograph as written in the file.

    Raises
    ------
    UsageError
        The list is damaged, or a file in it does not exist.
    """
    columns = relion_star.NAME, relion_star.COORDINATES
    table = find_table(path, columns)
    places = [table.columns.index(column) for column in columns]
    projects = [Path(), *path.absolute().parents]
    found: dict[str, Path] = {}
    for line, cells in table.rows:
        name, file = (cells[place] for place in places)
        there = next((one / file for one in projects if _is_file(one, file)), None)
        if there is None:
            raise UsageError(
                f"{path}: line {line} lists '{file}', which does not exist\n"
                "type the command in the folder of the RELION project"
            )
        if found.setdefault(name, there) != there:
            raise UsageError(f"{path}: line {line} lists a second file for {name}\nremove one")
    return found


def read_table(path: Path, classes: bool = False) -> Mapping[str, Picks]:
    """Read a table of many micrographs; the same unchanged file is read once.

    Parameters
    ----------
    path : Path
    classes : bool
        As :func:`io.star.relion_star.read_star`.

    Returns
    -------
    mapping of Picks
        By name as written in the file; scores are NaN where there is none.

    Raises
    ------
    UsageError
        As :func:`io.coordinates.formats.read_by_micrograph`, or y is turned over in it.
    """
    return _read_table(path, classes, _version(path))


def read_one_of_table(path: Path, name: str, classes: bool = False) -> Picks:
    """Read the positions of one micrograph in a table; see :func:`read_table`."""
    table = read_table(path, classes)
    if name not in table:
        raise UsageError(f"{path} no longer has {name}: it has changed since this run began")
    return table[name]


def table_has_probabilities(path: Path, classes: bool = False) -> bool:
    """Return whether all scores of a table lie in [0, 1]; its missing scores do not count."""
    return _has_probabilities(path, classes, _version(path))


def _version(path: Path) -> tuple[int, int]:
    """Return time and size of a file, by which a change is noticed."""
    try:
        status = path.stat()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    return status.st_mtime_ns, status.st_size


# A table of millions of positions takes a hundred megabytes; training and scoring use one or two.
@lru_cache(maxsize=2)
def _read_table(path: Path, classes: bool, version: tuple[int, int]) -> Mapping[str, Picks]:
    refuse_turned_over(path)
    if path.suffix.lower() == ".star":
        return relion_star.read_star_by_micrograph(path, classes)
    return reader_of(path, READERS_OF_MANY, "tables of many micrographs")(path)


@lru_cache(maxsize=64)
def _has_probabilities(path: Path, classes: bool, version: tuple[int, int]) -> bool:
    return all(are_probabilities(one.score) for one in read_table(path, classes).values())


def _is_file(project: Path, file: str) -> bool:
    try:
        return bool(file) and (project / file).is_file()
    except (OSError, ValueError):  # too long for a name, or with a character that no name has
        return False


def _one(path: Path) -> str:
    return ONE


def _of_star(path: Path) -> str:
    found, some = OTHER, False
    for table in read_tables(path):
        columns, some = set(table.columns), True
        if {relion_star.X, relion_star.Y} <= columns:
            named = {relion_star.NAME, relion_star.IMAGE} & columns
            return MANY if named else ONE
        if {relion_star.NAME, relion_star.COORDINATES} <= columns:
            found = LIST
    return found if some else UNREADABLE


def _of_csv(path: Path) -> str:
    if is_topaz(path):
        return MANY
    header, _ = read_rows(path, "x,y")
    if not ({"x", "y"} <= set(header) or {"x-coordinate", "y-coordinate"} <= set(header)):
        return OTHER
    return MANY if csv_names(header) else ONE


def _of_text(path: Path) -> str:
    try:
        return MANY if is_topaz(path) else OTHER
    except UsageError:  # a folder has texts and other files of these suffixes as well
        return OTHER


def _of_cryosparc(path: Path) -> str:
    return MANY if has_positions(path) else OTHER


def _of_corrections(path: Path) -> str:
    return MANY


_KINDS: dict[str, Callable[[Path], str]] = {
    ".star": _of_star,
    ".csv": _of_csv,
    ".tsv": _of_text,
    ".txt": _of_text,
    ".cs": _of_cryosparc,
    ".json": _of_corrections,
}
