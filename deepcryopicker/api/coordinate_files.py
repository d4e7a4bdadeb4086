"""Files of particle positions, in every format that the commands read and write."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, overload

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.io.coordinates import formats
from deepcryopicker.io.coordinates.assigned_coordinates import assign_sources, nothing_matched
from deepcryopicker.io.coordinates.boxes import write_box, write_cbox
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.coordinate_sets import find_sources, names_of
from deepcryopicker.io.coordinates.coordinate_tables import LIST, kind_of
from deepcryopicker.io.coordinates.micrograph_names import plain_name
from deepcryopicker.io.coordinates.topaz_table import write_topaz
from deepcryopicker.io.star.optics_groups import optics_notes, optics_table, placeholder
from deepcryopicker.io.star.relion_folder import refuse_turned_over
from deepcryopicker.io.star.relion_star import write_coordinates_star, write_particles_star
from deepcryopicker.types import Picks

_BOXES: dict[str, Callable[[Path, Picks, int | None], None]] = {
    ".box": write_box,
    ".cbox": write_cbox,
}
_OF_ONE, _OF_MANY = (".csv", *_BOXES), (".star", ".tsv", ".txt")


@overload
def read_coordinates(
    path: str | Path, *, by_micrograph: Literal[False] = False, micrographs: None = None
) -> Picks: ...
@overload
def read_coordinates(
    path: str | Path, *, by_micrograph: Literal[True], micrographs: None = None
) -> dict[str, Picks]: ...
@overload
def read_coordinates(
    path: str | Path, *, by_micrograph: bool = False, micrographs: Sequence[str | Path]
) -> dict[str, Picks]: ...
def read_coordinates(
    path: str | Path,
    *,
    by_micrograph: bool = False,
    micrographs: Sequence[str | Path] | None = None,
) -> Picks | dict[str, Picks]:
    """Read a file of particle positions in the format of its extension, or a folder of such files.

    Parameters
    ----------
    path : str or Path
        ``.csv`` (also CryoPPP's), ``.star`` of RELION, ``.box`` of EMAN, ``.cbox`` of crYOLO,
        ``.txt`` or ``.tsv`` of Topaz, ``.cs`` of cryoSPARC; with `by_micrograph` or `micrographs`
        also a folder, such as a job of RELION or a run folder, or RELION's ``autopick.star``.
    by_micrograph : bool
        Return the picks of each micrograph by its name in the file, rather than all together.
    micrographs : sequence of str or Path, optional
        Return the picks of these by the names given here, as ``evaluate`` assigns them: whatever
        program has added to the names. Micrographs without coordinates are left out.

    Returns
    -------
    Picks, or dict of Picks
        Every candidate: centres, original pixels. Scores are 1, classes ``irregular`` and
        diameters NaN where the file has no such column.

    Raises
    ------
    UsageError
        If the file is missing or damaged, of no known format, or of other micrographs.
    """
    path = Path(path)
    if micrographs is not None:
        return _of_micrographs(path, [str(one) for one in micrographs])
    if path.is_dir() and not by_micrograph:
        raise UsageError(f"{path} is a folder: give by_micrograph=True, or micrographs=NAMES")
    refuse_turned_over(path)
    if not by_micrograph:
        return formats.read_picks(path)
    if not path.is_dir() and kind_of(path) != LIST:
        return formats.read_by_micrograph(path)
    return _of_micrographs(path, names_of(find_sources("path", str(path))))


def _of_micrographs(path: Path, given: Sequence[str]) -> dict[str, Picks]:
    """Read the picks of micrographs by the names that are given."""
    sources = find_sources("path", str(path))
    plain = {name: plain_name(name) for name in given}
    found = assign_sources(sources, list(dict.fromkeys(plain.values())))
    if given and not found:
        raise nothing_matched(sources, given)
    return {name: found[one].read() for name, one in plain.items() if one in found}


def write_coordinates(
    path: str | Path,
    picks: Picks | Mapping[str, Picks],
    *,
    box: int | None = None,
    micrograph: str | None = None,
    pixel_size: float | None = None,
) -> None:
    """Write particle positions in the format of the extension; an existing file is replaced.

    Parameters
    ----------
    path : str or Path
        ``.csv`` keeps everything to three decimals; ``.box`` loses classes, ``.cbox`` as well;
        ``.star`` loses diameters, ``.txt`` and ``.tsv`` (Topaz) diameters and classes.
    picks : Picks, or mapping from names of micrographs to Picks
        Original pixels; several micrographs go into one ``.star`` (a ``particles.star``), ``.txt``
        or ``.tsv``. All are written, whatever their score. RELION reads TIFF files upside down:
        for these write ``picks.flipped(height)``.
    box : int, optional
        Side of the boxes in ``.box`` and ``.cbox``, pixels; the diameters by default.
    micrograph : str, optional
        Its name, for files that hold one: always in a table of Topaz.
    pixel_size : float, optional
        Angstrom, for the optics table of a ``particles.star``.

    Raises
    ------
    UsageError
        If there is no such format, or it cannot hold what is given.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (*_OF_ONE, *_OF_MANY):
        raise UsageError(f"{path}: {unknown('format', suffix, (*_OF_ONE, *_OF_MANY))}")
    if micrograph is not None and isinstance(picks, Picks):
        picks = {micrograph: picks}
    if suffix in _OF_ONE:
        if not isinstance(picks, Picks):
            raise UsageError(
                f"{path}: a {suffix} file is of one micrograph and does not name it; write one "
                f"for each, or choose from {', '.join(_OF_MANY)}"
            )
        if suffix == ".csv":
            write_csv(path, picks)
        else:
            _BOXES[suffix](path, picks, box)
    elif suffix == ".star":
        if isinstance(picks, Picks):
            write_coordinates_star(path, picks)
        else:
            _write_particles(path, picks, pixel_size)
    elif isinstance(picks, Picks):
        raise UsageError(f"{path}: a table of Topaz names micrographs; give micrograph=NAME")
    else:
        write_topaz(path, picks.items())


def _write_particles(path: Path, picks: Mapping[str, Picks], pixel_size: float | None) -> None:
    optics = placeholder(pixel_size)
    located = ((name, optics.group, each) for name, each in picks.items())
    write_particles_star(path, located, optics_table([optics]), optics_notes([optics]))
