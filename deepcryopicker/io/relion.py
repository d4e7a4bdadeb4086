"""A folder of coordinates that RELION 3.1, 4 and 5 take as the result of a picking job."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from deepcryopicker.errors import UsageError
from deepcryopicker.io.star import (
    write_autopick_star,
    write_coordinates_star,
    write_micrographs_star,
    write_particles_star,
)
from deepcryopicker.io.suffixes import TIFF, without_suffix
from deepcryopicker.types import Picks

SUFFIX = "_autopick.star"
FLIPPED = "y is H - 1 - y for TIFF files: RELION flips them upside down when it reads them"
# RELION drops everything up to this folder from the name of a micrograph.
JOB = re.compile(r"job\d{3}[^/]*/")
JOB_BELOW = re.compile(r"(?<=.)/job\d{3}[^/]*/")


def write_relion_folder(
    folder: Path, named: Sequence[tuple[Path, int, Picks]], pixel_size: float | None
) -> None:
    """Write one coordinate STAR per micrograph, autopick.star, micrographs.star, particles.star.

    Extract with RELION 3.1, in the folder this was called in::

        relion_preprocess --i D/micrographs.star --coord_dir D/ --coord_suffix _autopick.star ...

    RELION 4 and 5 take D/autopick.star. RELION cuts fractions off coordinates (3.7 becomes 3).

    Parameters
    ----------
    folder : Path
        D. Nothing is written outside it.
    named : sequence of (Path, int, Picks)
        Micrograph file, its height H in pixels, and picks in original pixels. For TIFF files
        ``H - 1 - y`` is written, because RELION flips those.
    pixel_size : float or None
        Angstrom per pixel, written to the optics tables.

    Raises
    ------
    UsageError
        Two micrographs share a coordinate file, or a link leads out of `folder`.
    """
    names = [relion_name(path) for path, _, _ in named]
    files = _coordinate_files(folder, names)
    picks = [_as_relion_reads(*entry) for entry in named]
    flipped = [_is_tiff(path) for path, _, _ in named]
    for file, positions, flip in zip(files, picks, flipped, strict=True):
        write_coordinates_star(file, positions, FLIPPED if flip else "")
    write_micrographs_star(folder / "micrographs.star", names, pixel_size)
    comment = FLIPPED if any(flipped) else ""
    particles = zip(names, picks, strict=True)
    write_particles_star(folder / "particles.star", particles, pixel_size, comment)
    pairs = [(name, relion_name(file)) for name, file in zip(names, files, strict=True)]
    write_autopick_star(folder / "autopick.star", pairs)


def relion_name(path: Path) -> str:
    """Return the path below the current folder, or the absolute one where it lies elsewhere.

    Symbolic links stay, because RELION projects link to their micrographs.
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


def _coordinate_files(folder: Path, names: Sequence[str]) -> list[Path]:
    owners: dict[Path, str] = {}
    inside = folder.resolve()
    for name in names:
        file = coordinate_file(folder, name)
        if not file.resolve().is_relative_to(inside):
            raise UsageError(f"{file} is a link out of {folder}\nremove the link")
        if file in owners:
            raise UsageError(
                f"RELION reads the coordinates of both {owners[file]} and {name} from {file}\n"
                "pick them in separate runs, or rename one"
            )
        owners[file] = name
    return list(owners)


def _is_tiff(path: Path) -> bool:
    return path.suffix.lower() in TIFF


def _as_relion_reads(path: Path, height: int, picks: Picks) -> Picks:
    return replace(picks, y=height - 1 - picks.y) if _is_tiff(path) else picks
