"""Coordinates of many micrographs, in a folder or in one file, assigned to micrographs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.formats import READERS, read_by_micrograph, read_picks
from deepcryopicker.io.coordinates.topaz_table import is_topaz, read_topaz
from deepcryopicker.io.files.suffixes import EXTENSIONS, suffix_of, without_suffix
from deepcryopicker.io.star.relion_folder import refuse_turned_over
from deepcryopicker.types import Picks

_JOBS = ("_autopick", "_manualpick")  # suffixes that RELION adds to the name of a micrograph


@dataclass(frozen=True)
class CoordinateSource:
    """Location of the coordinates of one micrograph.

    Attributes
    ----------
    where : str
        Description for messages.
    read : callable
        Reads the coordinates, on demand because unused files may be damaged.
    """

    where: str
    read: Callable[[], Picks]


Sources = Mapping[str, Sequence[CoordinateSource]]
"""By name of a micrograph, with ``/`` and without extension; several for one are an error."""


def find_sources(key: str, given: str) -> Sources:
    """List the coordinates in a folder and its sub-folders, or in one file.

    Parameters
    ----------
    key : str
        Configuration key, for messages.
    given : str
        Folder of files for :func:`io.coordinates.read_picks`, or a file for
        :func:`io.coordinates.read_by_micrograph`.

    Raises
    ------
    UsageError
        If it does not exist, or the file is damaged or does not name micrographs.
    """
    root = Path(given)
    found: dict[str, list[CoordinateSource]] = {}
    if root.is_dir():
        for path in sorted(root.rglob("*")):
            if path.suffix.lower() in READERS and not _is_other_text(path):
                name = _without_job(path.relative_to(root).with_suffix("").as_posix())
                found.setdefault(name, []).append(CoordinateSource(str(path), partial(_read, path)))
    elif root.is_file():
        refuse_turned_over(root)
        for named, picks in read_by_micrograph(root).items():
            name = _without_extension(named)
            source = CoordinateSource(f"{named} in {root}", partial(_already_read, picks))
            found.setdefault(name, []).append(source)
    else:
        raise UsageError(f"{key}: {given} does not exist")
    return found


def assign_sources(key: str, sources: Sources, names: Sequence[str]) -> dict[str, CoordinateSource]:
    """Find the coordinates of each micrograph.

    Names match if they are equal or one ends with the other, folder by folder: RELION keeps the
    path of the micrograph in that of its coordinates, whereas Topaz drops it.

    Parameters
    ----------
    key : str
        Configuration key, for messages.
    sources : Sources
    names : sequence of str
        Names of micrographs.

    Returns
    -------
    dict of CoordinateSource
        By name of the micrograph, without micrographs that have no coordinates.

    Raises
    ------
    UsageError
        If a micrograph has two sources, or a source matches two micrographs.
    """
    wanted = set(names)
    by_file: dict[str, list[str]] = {}
    for name in sources:
        if name not in wanted:
            by_file.setdefault(PurePosixPath(name).name, []).append(name)
    chosen: dict[str, CoordinateSource] = {}
    owners: dict[str, str] = {}
    for name in names:
        similar = by_file.get(PurePosixPath(name).name, [])
        agree = [name] if name in sources else [one for one in similar if _agree(one, name)]
        found = [source for one in agree for source in sources[one]]
        if len(found) > 1:
            raise UsageError(
                f"{key}: {found[0].where} and {found[1].where} both match {name}\n"
                "give a folder with only one of them"
            )
        if found:
            chosen[name] = found[0]
            owner = owners.setdefault(found[0].where, name)
            if owner != name:
                raise UsageError(
                    f"{key}: {found[0].where} matches both {owner} and {name}\n"
                    "put coordinates in the same sub-folders as the truth"
                )
    return chosen


def _agree(one: str, other: str) -> bool:
    parts, others = PurePosixPath(one).parts, PurePosixPath(other).parts
    shorter = min(len(parts), len(others))
    return parts[-shorter:] == others[-shorter:]


def _is_other_text(path: Path) -> bool:
    return READERS[path.suffix.lower()] is read_topaz and path.is_file() and not is_topaz(path)


def _read(path: Path) -> Picks:
    refuse_turned_over(path)
    return read_picks(path)


def _already_read(picks: Picks) -> Picks:
    return picks


def _without_job(name: str) -> str:
    for job in _JOBS:
        name = name.removesuffix(job)
    return name


def _without_extension(name: str) -> str:
    """Remove the extension if it is that of an image, as names often contain dots."""
    path = PurePosixPath(name)
    return str(without_suffix(path) if suffix_of(path) in EXTENSIONS else path)
