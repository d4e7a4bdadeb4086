"""Optics groups: microscope parameters in STAR files, copied from micrographs to picks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deepcryopicker.errors import UsageError
from deepcryopicker.io.star.relion_star import NAME, Written
from deepcryopicker.io.star.star_tables import GROUP, read_tables

GROUP_NAME = "rlnOpticsGroupName"
PIXEL_SIZE = "rlnMicrographPixelSize"
_MAGNIFICATION, _DETECTOR = "rlnMagnification", "rlnDetectorPixelSize"  # of RELION 3.0
# RELION 3.1 requires these columns in a list of micrographs.
_PLACEHOLDERS = (
    ("rlnVoltage", "300.000000"),
    ("rlnSphericalAberration", "2.700000"),
    ("rlnAmplitudeContrast", "0.100000"),
)
_MADE_UP = "voltage, Cs and amplitude contrast are placeholders: set those of your microscope"
_NO_PIXEL_SIZE = "pixel size unknown: RELION needs a column rlnMicrographPixelSize in data_optics"


@dataclass(frozen=True)
class Optics:
    """One optics group.

    Attributes
    ----------
    group : int
    values : tuple of (column, text)
        Cells of its row as read, without the group number.
    known : bool
        False for placeholder values.
    """

    group: int
    values: tuple[tuple[str, str], ...]
    known: bool = True

    @property
    def pixel_size(self) -> float | None:
        """Angstrom per pixel of the micrographs, None if unknown."""
        value = dict(self.values).get(PIXEL_SIZE)
        return None if value is None else float(value)

    def with_pixel_size(self, pixel_size: float | None) -> "Optics":
        """Return a copy with another pixel size; unchanged for None."""
        if pixel_size is None or pixel_size == self.pixel_size:
            return self
        others = tuple(pair for pair in self.values if pair[0] != PIXEL_SIZE)
        return replace(self, values=(*others, (PIXEL_SIZE, f"{pixel_size:.6f}")))


def placeholder(pixel_size: float | None) -> Optics:
    """Return a valid optics group of which at most the pixel size is known."""
    values = ((GROUP_NAME, "opticsGroup1"), *_PLACEHOLDERS)
    return Optics(1, values, known=False).with_pixel_size(pixel_size)


def read_optics(path: Path) -> dict[str, Optics]:
    """Read the optics group of every micrograph that a STAR file lists.

    The table ``data_optics`` of RELION 3.1 to 5 and the columns of 3.0, which has no groups.

    Returns
    -------
    dict
        By rlnMicrographName; empty if the file has no optics.

    Raises
    ------
    UsageError
        A micrograph has no optics group, or one missing from data_optics.
    """
    tables = [
        (table.columns, [dict(zip(table.columns, cells, strict=True)) for _, cells in table.rows])
        for table in read_tables(path)
    ]
    listed = next((rows for columns, rows in tables if NAME in columns), [])
    described = next((rows for columns, rows in tables if {GROUP, GROUP_NAME} <= set(columns)), [])
    if not described:
        return _of_relion_3_0(listed)
    groups = {row[GROUP]: _group(row) for row in described}
    found = {}
    for row in listed:
        if row.get(GROUP) not in groups:
            raise UsageError(
                f"{path}: optics group {row.get(GROUP)} of {row[NAME]} is not in data_optics\n"
                f"groups there: {', '.join(groups)}"
            )
        found[row[NAME]] = groups[row[GROUP]]
    return found


def optics_table(optics: Sequence[Optics]) -> Written:
    """Return the table ``data_optics`` of the groups that occur, by number."""
    groups = sorted(set(optics), key=lambda one: one.group)
    columns = list(dict.fromkeys(column for one in groups for column, _ in one.values))
    rows = [(one.group, *(dict(one.values).get(c, "0.000000") for c in columns)) for one in groups]
    return (GROUP, *columns), rows


def optics_notes(optics: Sequence[Optics]) -> list[str]:
    """Return comment lines on values that are unknown or placeholders."""
    return [
        *([_MADE_UP] if not all(one.known for one in optics) else []),
        *([_NO_PIXEL_SIZE] if any(one.pixel_size is None for one in optics) else []),
    ]


def _of_relion_3_0(rows: Sequence[Mapping[str, str]]) -> dict[str, Optics]:
    """Make one group for each distinct set of microscope columns."""
    found: dict[str, Optics] = {}
    numbers: dict[tuple[tuple[str, str], ...], int] = {}
    for row in rows:
        values = tuple((column, row[column]) for column, _ in _PLACEHOLDERS if column in row)
        if not values:
            return {}
        if _MAGNIFICATION in row and _DETECTOR in row:
            size = 10_000 * float(row[_DETECTOR]) / float(row[_MAGNIFICATION])  # micrometres
            values = (*values, (PIXEL_SIZE, f"{size:.6f}"))
        number = numbers.setdefault(values, len(numbers) + 1)
        found[row[NAME]] = Optics(number, ((GROUP_NAME, f"opticsGroup{number}"), *values))
    return found


def _group(row: Mapping[str, str]) -> Optics:
    return Optics(int(row[GROUP]), tuple(pair for pair in row.items() if pair[0] != GROUP))
