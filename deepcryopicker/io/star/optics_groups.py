"""Optics groups: microscope parameters in STAR files, copied from micrographs to picks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deepcryopicker.io.star.group_keys import GROUP, GROUP_NAME
from deepcryopicker.io.star.optics_cells import MAGNIFICATION, PIXEL_SIZE
from deepcryopicker.io.star.relion_star import Written

PLACEHOLDERS = {
    "rlnVoltage": "300.000000",
    "rlnSphericalAberration": "2.700000",
    "rlnAmplitudeContrast": "0.100000",
}
"""Columns that RELION 3.1 requires in a list of micrographs, and values where none are known."""
_WORDS = dict(zip(PLACEHOLDERS, ("voltage", "Cs", "amplitude contrast"), strict=True))
_NO_PIXEL_SIZE = "pixel size unknown: RELION needs a column rlnMicrographPixelSize in data_optics"


@dataclass(frozen=True)
class Optics:
    """One optics group.

    Attributes
    ----------
    group : int
        From 1.
    values : tuple of (column, text)
        Cells of its row as read, without the group number; only those with a known value.
    made_up : tuple of str
        Columns among `values` that hold placeholders.
    doubts : tuple of str
        What was stated and cannot be used, such as ``rlnVoltage '0'``.
    """

    group: int
    values: tuple[tuple[str, str], ...]
    made_up: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def pixel_size(self) -> float | None:
        """Angstrom per pixel of the micrographs, None if unknown."""
        value = dict(self.values).get(PIXEL_SIZE)
        return None if value is None else float(value)

    def with_pixel_size(self, pixel_size: float | None) -> "Optics":
        """Return a copy with another pixel size; unchanged for None and what cannot be one."""
        if pixel_size is None or pixel_size == self.pixel_size:
            return self
        if not math.isfinite(pixel_size) or round(pixel_size, 6) <= 0:
            return self
        others = tuple(pair for pair in self.values if pair[0] != PIXEL_SIZE)
        return replace(self, values=(*others, (PIXEL_SIZE, f"{pixel_size:.6f}")))


def placeholder(pixel_size: float | None) -> Optics:
    """Return a valid optics group of which at most the pixel size is known."""
    values = ((GROUP_NAME, "opticsGroup1"), *PLACEHOLDERS.items())
    return Optics(1, values, made_up=tuple(PLACEHOLDERS)).with_pixel_size(pixel_size)


def optics_warning(path: Path, optics: Iterable[Optics], sized: bool) -> str | None:
    """Return one line on values that cannot be used, with their number and an example; or None.

    Parameters
    ----------
    path : Path
        The list of micrographs.
    optics : iterable of Optics
    sized : bool
        Whether the pixel size is set, so that doubts about it need no words.
    """
    doubts = [(one.group, doubt) for one in dict.fromkeys(optics) for doubt in one.doubts]
    of_scale = [pair for pair in doubts if "PixelSize" in pair[1] or MAGNIFICATION in pair[1]]
    if sized:
        doubts, of_scale = [pair for pair in doubts if pair not in of_scale], []
    if not doubts:
        return None
    group, first = (of_scale or doubts)[0]
    others = f" ({len(doubts) - 1} more)" if len(doubts) > 1 else ""
    advice = "; set dataset.pixel_size=ANGSTROM where headers have none" if of_scale else ""
    return f"{path}: {first} of optics group {group} counts as unknown{others}{advice}"


def with_own_numbers(optics: Sequence[Optics]) -> list[Optics]:
    """Return the groups such that different ones have different numbers and names.

    Lists of two sessions may both have a group 1, and so may one list whose pixel sizes were
    unknown and come from the headers.
    """
    changed: dict[Optics, Optics] = {}
    taken = {one.group for one in optics}
    used: set[int] = set()
    names: set[str] = set()
    for one in dict.fromkeys(optics):
        number = one.group
        if number in used:
            number = next(n for n in range(1, len(optics) + len(taken) + 1) if n not in taken)
            taken.add(number)
        used.add(number)
        name = dict(one.values).get(GROUP_NAME, f"opticsGroup{number}")
        if name in names:
            name = f"{name}_{number}"
        names.add(name)
        values = tuple((c, name if c == GROUP_NAME else text) for c, text in one.values)
        changed[one] = replace(one, group=number, values=values)
    return [changed[one] for one in optics]


def optics_table(optics: Sequence[Optics]) -> Written:
    """Return the table ``data_optics`` of the groups that occur, by number."""
    groups = sorted(set(optics), key=lambda one: one.group)
    columns = list(dict.fromkeys(column for one in groups for column, _ in one.values))
    rows = [(one.group, *(_cell(one, column) for column in columns)) for one in groups]
    return (GROUP, *columns), rows


def optics_notes(optics: Sequence[Optics]) -> list[str]:
    """Return comment lines on values that are unknown or placeholders."""
    made_up = [word for column, word in _WORDS.items() if any(column in o.made_up for o in optics)]
    unknown = sorted({one.group for one in optics if one.pixel_size is None})
    notes = []
    if made_up:
        *first, last = made_up
        listed = f"{', '.join(first)} and {last}" if first else last
        verb = "are placeholders: set those" if first else "is a placeholder: set that"
        notes.append(f"{listed} {verb} of your microscope")
    if unknown and len(unknown) < len({one.group for one in optics}):
        groups = ", ".join(map(str, unknown))
        notes.append(f"pixel size of optics group {groups} unknown: its number is a placeholder")
    elif unknown:
        notes.append(_NO_PIXEL_SIZE)
    return notes


def _cell(one: Optics, column: str) -> str:
    """Return a cell of a group, or what stands for one that only other groups have."""
    values = dict(one.values)
    if column in values:
        return values[column]
    if column.endswith("PixelSize"):
        return values.get(PIXEL_SIZE, "1.000000")
    return "" if column.endswith("Name") else "0.000000"
