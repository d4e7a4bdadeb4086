"""Tables of separated values, read and written, and results as rows."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.files.checks import one_line
from deepcryopicker.io.files.text import Row, text_lines


def write_rows(path: Path, rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Write rows as CSV, atomically.

    Text stays as it is, even where a spreadsheet would read it as a formula.

    Parameters
    ----------
    path : Path
    rows : sequence of mapping
        Missing keys and None give empty cells.
    columns : sequence of str
        Keys to write, in this order; they are the header. Other keys are left out.
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
        What the first line must be, in words for the user.
    delimiter : str

    Returns
    -------
    list of str, iterator of Row
        Names of the columns, in lower case and on one line, and rows of as many cells.

    Raises
    ------
    UsageError
        An empty or damaged file, or, while rows are read, one with more or fewer cells.
    """
    rows = _cells(path, delimiter)
    for _, header in rows:
        # A quoted name may have line breaks in it; messages have one line for all of them.
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


def flatten(value: object, name: str = "") -> dict[str, float]:
    """Name every number within a value by the keys that lead to it, joined by dots.

    A pair under ``<key>_interval`` becomes ``<key>_low`` and ``<key>_high``; in a list of
    dictionaries that say ``what`` they are of, that word is the key. Other lists are left out.

    Examples
    --------
    >>> flatten({"f1": 0.5, "groups": {"klh": {"hits": 3, "name": "KLH"}}, "radius": None})
    {'f1': 0.5, 'groups.klh.hits': 3}
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {name: value}
    if isinstance(value, list) and name.endswith("_interval") and len(value) == 2:
        value = dict(zip(("low", "high"), value, strict=True))
        stem = name.removesuffix("interval")
        return {f"{stem}{end}": at for end, at in value.items() if isinstance(at, int | float)}
    if isinstance(value, list):
        value = {one["what"]: one for one in value if isinstance(one, dict) and "what" in one}
    if not isinstance(value, dict):
        return {}
    found: dict[str, float] = {}
    for key, item in value.items():
        found |= flatten(item, f"{name}.{key}" if name else str(key))
    return found
