"""Rows as CSV."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from deepcryopicker.io.atomic import replacing


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
