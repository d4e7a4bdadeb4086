"""Files of particle positions, in every format that the commands read and write."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, overload

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.io.coordinates import formats
from deepcryopicker.io.coordinates.cbox import write_cbox
from deepcryopicker.io.coordinates.topaz_table import write_topaz
from deepcryopicker.io.star.optics_groups import optics_notes, optics_table, placeholder
from deepcryopicker.io.star.relion_folder import refuse_turned_over
from deepcryopicker.io.star.relion_star import write_coordinates_star, write_particles_star
from deepcryopicker.types import Picks

_BOXES: dict[str, Callable[[Path, Picks, int | None], None]] = {
    ".box": formats.write_box,
    ".cbox": write_cbox,
}
_OF_ONE, _OF_MANY = (".csv", *_BOXES), (".star", ".tsv", ".txt")


@overload
def read_coordinates(path: str | Path, *, by_micrograph: Literal[False] = False) -> Picks: ...
@overload
def read_coordinates(path: str | Path, *, by_micrograph: Literal[True]) -> dict[str, Picks]: ...
def read_coordinates(path: str | Path, *, by_micrograph: bool = False) -> Picks | dict[str, Picks]:
    """Read a file of particle positions in the format of its extension.

    Parameters
    ----------
    path : str or Path
        ``.csv`` (also CryoPPP's), ``.star`` of RELION, ``.box`` of EMAN, ``.cbox`` of crYOLO,
        ``.txt`` or ``.tsv`` of Topaz.
    by_micrograph : bool
        Of a ``particles.star`` or a table of Topaz, return the picks of each micrograph by its
        name in the file, rather than all together.

    Returns
    -------
    Picks, or dict of Picks
        Centres, original pixels. Scores are 1, classes ``irregular`` and diameters NaN where the
        file has no such column.

    Raises
    ------
    UsageError
        If the file is missing or damaged, or of no known format.
    """
    path = Path(path)
    refuse_turned_over(path)
    return formats.read_by_micrograph(path) if by_micrograph else formats.read_picks(path)


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
            formats.write_csv(path, picks)
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
