"""STAR files of 2-D classes: averages as RELION lists references, and their particles."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from deepcryopicker.io.star.group_keys import GROUP
from deepcryopicker.io.star.relion_star import (
    CLASS,
    NAME,
    SCORE,
    Written,
    X,
    Y,
    checked_name,
    write_tables,
)

Member = tuple[float, float, float, int, int, str]
"""x and y (original pixels), score, class from 1, optics group, micrograph name."""

_REFERENCES = ("rlnReferenceImage", "rlnClassDistribution", "rlnEstimatedResolution")
_UNKNOWN = 999.0  # Angstrom, as RELION writes an unknown resolution


def write_classes_star(
    path: Path, stack: Path, share: Iterable[float], resolution: Iterable[float | None]
) -> None:
    """Write the list of averages, which ``relion_display`` and ``relion_refine --ref`` read.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    stack : Path
        MRC stack of the averages, in the order of the classes.
    share : iterable of float
        Of the picks in each class.
    resolution : iterable of float or None
        Angstrom.
    """
    name = checked_name(str(stack))
    rows = (
        (f"{number:06d}@{name}", float(part), _UNKNOWN if found is None else float(found))
        for number, (part, found) in enumerate(zip(share, resolution, strict=True), 1)
    )
    write_tables(path, {"model_classes": (_REFERENCES, rows)}, [])


def write_members_star(
    path: Path, members: Iterable[Member], optics: Written, comments: Sequence[str] = ()
) -> None:
    """Write the particles of all classes, centred, with the number of their class.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    members : iterable of Member
    optics : Written
        See :func:`deepcryopicker.io.star.optics_groups.optics_table`.
    comments : sequence of str
        Lines for the top of the file.
    """
    rows = ((*row, checked_name(name)) for *row, name in members)
    columns = (X, Y, SCORE, CLASS, GROUP, NAME)
    write_tables(path, {"optics": optics, "particles": (columns, rows)}, comments)
