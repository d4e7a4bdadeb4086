"""Read and write tables of separated values, and flatten results into rows."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeGuard

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.files.checks import one_line
from deepcryopicker.io.files.text import Row, text_lines


def write_rows(path: Path, rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Write rows as CSV atomically.

    Text is written unchanged, even where a spreadsheet would read it as a formula.

    Parameters
    ----------
    path : Path
    rows : sequence of mapping
        Missing keys and None become empty cells.
    columns : sequence of str
        Keys to write, in this order; they form the header. Other keys are omitted.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(dict(row) for row in rows)


def read_rows(path: Path, first_line: str, delimiter: str = ",") -> tuple[list[str], Iterator[Row]]:
    """Read a table whose first line names its columns; lines that begin with ``#`` are skipped.

    Parameters
    ----------
    path : Path
    first_line : str
        Description of the required first line, for the error message.
    delimiter : str

    Returns
    -------
    list of str, iterator of Row
        Column names, in lower case and without line breaks, and rows with as many cells.

    Raises
    ------
    UsageError
        An empty or damaged file; during iteration, a row with another number of cells.
    """
    rows = _cells(path, delimiter)
    for _, header in rows:
        # A quoted name may hold line breaks; messages list all names in one line.
        names = [" ".join(cell.lower().split()) for cell in header]
        return names, _of_length(path, rows, len(names))
    raise UsageError(f"{path}: empty file\nthe first line must be {first_line}")


def _cells(path: Path, delimiter: str) -> Iterator[Row]:
    lines = ("" if line.startswith("#") else line for line in text_lines(path))
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for row in reader:
            if row:
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise UsageError(f"{path}: damaged table: {one_line(error)}") from error


def _of_length(path: Path, rows: Iterator[Row], length: int) -> Iterator[Row]:
    for line, cells in rows:
        if len(cells) != length:
            raise UsageError(
                f"{path}: line {line} has {len(cells)} cells, the header {length}\n"
                "correct or remove the row"
            )
        yield line, cells


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value of results or of a cell is a number; booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def flatten(value: object, name: str = "") -> dict[str, float]:
    """Flatten nested results: every number, named by its keys joined with dots.

    A pair under ``<key>_interval`` becomes ``<key>_low`` and ``<key>_high``; dictionaries in a
    list are named by their entry ``what``. Other lists are omitted.

    Examples
    --------
    >>> flatten({"f1": 0.5, "groups": {"klh": {"hits": 3, "name": "KLH"}}, "radius": None})
    {'f1': 0.5, 'groups.klh.hits': 3}
    """
    if is_number(value):
        return {name: value}
    if isinstance(value, list) and name.endswith("_interval") and len(value) == 2:
        value = dict(zip(("low", "high"), value, strict=True))
        stem = name.removesuffix("interval")
        return {f"{stem}{end}": at for end, at in value.items() if is_number(at)}
    if isinstance(value, list):
        value = {one["what"]: one for one in value if isinstance(one, dict) and "what" in one}
    if not isinstance(value, dict):
        return {}
    found: dict[str, float] = {}
    for key, item in value.items():
        found |= flatten(item, f"{name}.{key}" if name else str(key))
    return found
