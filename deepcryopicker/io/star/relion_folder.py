"""A folder of coordinates that RELION 3.1, 4 and 5 accept as the result of a picking job."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.suffixes import TIFF, without_suffix
from deepcryopicker.io.files.text import text_lines
from deepcryopicker.io.star.optics_groups import (
    Optics,
    optics_notes,
    optics_table,
    with_own_numbers,
)
from deepcryopicker.io.star.relion_star import (
    write_autopick_star,
    write_coordinates_star,
    write_micrographs_star,
    write_particles_star,
)
from deepcryopicker.types import Picks

SUFFIX = "_autopick.star"
CONVERTED = "x and y are in pixels of the file that STAR files name, not of the picked copy of it"
FLIPPED = "y is H - 1 - y for TIFF files: RELION flips them upside down when it reads them"
# RELION drops everything up to this folder from the name of a micrograph.
JOB = re.compile(r"job\d{3}[^/]*/")
JOB_BELOW = re.compile(r"(?<=.)/job\d{3}[^/]*/")


@dataclass(frozen=True)
class Located:
    """A micrograph and a function that reads its picks.

    Attributes
    ----------
    path : Path
        Micrograph file.
    height : int or None
        H, pixels. For TIFF files ``H - 1 - y`` is written, because RELION flips those; None where
        positions are as RELION reads them.
    optics : Optics
    load : callable
        Reads the picks, original pixels.
    """

    path: Path
    height: int | None
    optics: Optics
    load: Callable[[], Picks]


def write_coordinates(
    folder: Path,
    path: Path,
    height: int | None,
    picks: Picks,
    converted: bool = False,
    note: str = "",
) -> None:
    """Write the picks of one micrograph where RELION looks for them in `folder`.

    RELION truncates coordinates (3.7 becomes 3).

    Parameters
    ----------
    folder : Path
        Nothing is written outside it.
    path : Path
        The micrograph.
    height : int or None
        As of :class:`Located`.
    picks : Picks
        Original pixels.
    converted : bool
        Whether the picks were found in a copy of another size; the file then says so.
    note : str
        What else the first line of the file says.

    Raises
    ------
    UsageError
        A link leads out of `folder`.
    """
    notes = [FLIPPED] * is_turned_over(path, height) + [CONVERTED] * converted + [note] * bool(note)
    file = coordinate_file(folder, relion_name(path))
    _refuse_link_out(file, folder)
    write_coordinates_star(file, as_relion_reads(path, height, picks), "; ".join(notes))


def write_lists(folder: Path, micrographs: Sequence[Located], note: str = "") -> None:
    """Write autopick.star, micrographs.star and particles.star; one micrograph is read at a time.

    To extract with RELION 3.1, in the current folder of this call::

        relion_preprocess --i D/micrographs.star --coord_dir D/ --coord_suffix _autopick.star ...

    RELION 4 and 5 read D/autopick.star.

    Parameters
    ----------
    folder : Path
        D. Nothing is written outside it.
    micrographs : sequence of Located
        In the order to write, after :func:`write_coordinates` for each of them.
    note : str
        A line for the top of particles.star.
    """
    numbered = with_own_numbers([one.optics for one in micrographs])
    grouped = [
        (relion_name(one.path), optics.group)
        for one, optics in zip(micrographs, numbered, strict=True)
    ]
    every = list(dict.fromkeys(numbered))
    optics, notes = optics_table(every), optics_notes(every)
    write_micrographs_star(folder / "micrographs.star", grouped, optics, notes)
    located = (
        (name, group, as_relion_reads(one.path, one.height, one.load()))
        for (name, group), one in zip(grouped, micrographs, strict=True)
    )
    notes = [note, *notes]
    if any(is_turned_over(one.path, one.height) for one in micrographs):
        notes = [FLIPPED, *notes]
    write_particles_star(folder / "particles.star", located, optics, notes)
    pairs = ((name, relion_name(coordinate_file(folder, name))) for name, _ in grouped)
    write_autopick_star(folder / "autopick.star", pairs)


def refuse_shared_files(folder: Path, paths: Iterable[Path]) -> None:
    """Refuse two micrographs whose picks RELION would read from the same file.

    Raises
    ------
    UsageError
        Names both; also if a link leads out of `folder`.
    """
    owners: dict[Path, str] = {}
    for name in map(relion_name, paths):
        file = coordinate_file(folder, name)
        _refuse_link_out(file, folder)
        if file in owners:
            raise UsageError(
                f"RELION reads the coordinates of both {owners[file]} and {name} from {file}\n"
                "pick them in separate runs, or rename one"
            )
        owners[file] = name


def refuse_turned_over(path: Path) -> None:
    """Refuse a STAR file of ours in which y runs the other way, as RELION needs it for TIFF files.

    Raises
    ------
    UsageError
    """
    if path.suffix.lower() != ".star":
        return
    if any(FLIPPED in line for line in islice(text_lines(path), 3)):
        raise UsageError(
            f"{path}: y is turned over, as RELION needs it for TIFF files\n"
            "give the folder picks of that run instead"
        )


def is_converted(file: Path) -> bool:
    """Whether a coordinate file of ours is in pixels of another file than that picked."""
    return any(CONVERTED in line for line in islice(text_lines(file), 3))


def relion_name(path: Path) -> str:
    """Return the path relative to the current folder, or the absolute path outside it.

    Symbolic links are kept, because RELION projects link to their micrographs.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps the dots
    here = Path.cwd()
    return (absolute.relative_to(here) if absolute.is_relative_to(here) else absolute).as_posix()


def coordinate_file(folder: Path, name: str) -> Path:
    """Return where RELION 3.1 looks for the coordinates of the micrograph `name`.

    Examples
    --------
    >>> coordinate_file(Path("picks"), "MotionCorr/job002/raw/x.mrc").as_posix()
    'picks/raw/x_autopick.star'
    """
    job = JOB_BELOW.search(name) or JOB.match(name)
    below = name[job.end() :] if job else name
    return folder / f"{without_suffix(PurePosixPath(below.lstrip('/')))}{SUFFIX}"


def _refuse_link_out(file: Path, folder: Path) -> None:
    if not file.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{file} is a link out of {folder}\nremove the link")


def is_tiff(path: Path) -> bool:
    """Whether RELION turns the file over when it reads it."""
    return path.suffix.lower() in TIFF


def is_turned_over(path: Path, height: int | None) -> bool:
    """Whether the y that is written counts from the last row, see :class:`Located`."""
    return height is not None and is_tiff(path)


def as_relion_reads(path: Path, height: int | None, picks: Picks) -> Picks:
    """Turn the picks of TIFF files over, which RELION flips; `height` is H, pixels, if known."""
    return picks if height is None or not is_tiff(path) else picks.flipped(height)
