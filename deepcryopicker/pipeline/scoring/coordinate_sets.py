"""Coordinates of many micrographs, in a folder or in one file, and whose they are."""

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

_JOBS = ("_autopick", "_manualpick")  # what RELION adds to the name of a micrograph


@dataclass(frozen=True)
class CoordinateSource:
    """Where the coordinates of one micrograph are.

    Attributes
    ----------
    where : str
        For messages.
    read : callable
        Reads them; a folder may hold damaged files that nobody asks for.
    """

    where: str
    read: Callable[[], Picks]


Sources = Mapping[str, Sequence[CoordinateSource]]
"""By name of a micrograph, with ``/`` and without extension; more than one is a mistake."""


def find_sources(key: str, given: str) -> Sources:
    """List the coordinates in a folder and the folders in it, or those in one file.

    Parameters
    ----------
    key : str
        The configuration key, for messages.
    given : str
        A folder of files as :func:`io.coordinates.read_picks` reads them, or a file as
        :func:`io.coordinates.read_by_micrograph` does.

    Raises
    ------
    UsageError
        If there is neither, or the file is damaged or does not name micrographs.
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
        raise UsageError(f"{key}: there is no folder or file {given}")
    return found


def assign_sources(key: str, sources: Sources, names: Sequence[str]) -> dict[str, CoordinateSource]:
    """Find the coordinates of each micrograph.

    Names agree if they are equal or one ends with the other, folder by folder: RELION keeps the
    path of a micrograph in that of its coordinates, and Topaz drops it.

    Parameters
    ----------
    key : str
        For messages.
    sources : Sources
    names : sequence of str
        Names of micrographs.

    Returns
    -------
    dict of CoordinateSource
        Without the micrographs that have none.

    Raises
    ------
    UsageError
        Two sources for one micrograph, or two micrographs for one source.
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
                f"{key}: {found[0].where} and {found[1].where} are both for {name}\n"
                "give a folder that has one of them"
            )
        if found:
            chosen[name] = found[0]
            owner = owners.setdefault(found[0].where, name)
            if owner != name:
                raise UsageError(
                    f"{key}: {found[0].where} could be for {owner} and for {name}\n"
                    "keep coordinates in the same sub-folders as the truth"
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
    """Drop what is an image's extension; dots are common in names."""
    path = PurePosixPath(name)
    return str(without_suffix(path) if suffix_of(path) in EXTENSIONS else path)
