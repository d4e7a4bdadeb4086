"""Costs as a table and as CSV: a row for each program, empty where it could not be measured."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from costs import Cost
from rich.console import Console
from rich.table import Column, Table

COLUMNS = (
    "program",
    "version",
    "micrographs",
    "startup_s",
    "startup_cpu_s",
    "wall_s",
    "cpu_s",
    "peak_mib",
    "cpu_ratio",
)
HEADINGS = (
    "program",
    "version",
    "files",
    "start s",
    "start CPU s",
    "s / file",
    "CPU s / file",
    "peak MiB",
    "CPU / ours",
)


@dataclass(frozen=True)
class Row:
    """A program and its cost.

    Attributes
    ----------
    program, version : str
    cost : Cost or None
        None where there is nothing to show.
    """

    program: str
    version: str
    cost: Cost | None


def formatted(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return the cells of `COLUMNS` for each row; the last is relative to the first row's."""
    first = rows[0].cost
    return [(row.program, row.version, *_numbers(row.cost, first)) for row in rows]


def _numbers(cost: Cost | None, first: Cost | None) -> tuple[str, ...]:
    if cost is None:
        return ("",) * (len(COLUMNS) - 2)
    return (
        str(cost.micrographs),
        f"{cost.startup:.1f}",
        f"{cost.startup_cpu:.1f}",
        f"{cost.wall:.2f}",
        f"{cost.cpu:.2f}",
        f"{cost.peak:.0f}",
        f"{cost.cpu / first.cpu:.1f}" if first and first.cpu > 0 else "",
    )


def table(title: str, rows: Sequence[Row]) -> Table:
    """Draw the rows, with a dash for what is not known."""
    drawn = Table(title=title)
    for heading in HEADINGS:
        drawn.add_column(heading, justify="left" if heading in HEADINGS[:2] else "right")
    for cells in formatted(rows):
        drawn.add_row(*(cell or "-" for cell in cells))
    return drawn


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table of numbers."""
    drawn = Table(*(Column(name, justify="right") for name in columns), title=title)
    for row in rows:
        drawn.add_row(*row)
    Console(highlight=False, width=140).print(drawn)


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write CSV, and the folder it goes to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
