"""List the runs of a folder as a table: ``python -m deepcryopicker.runs``.

python -m deepcryopicker.runs outputs
python -m deepcryopicker.runs outputs command=train model=compact f1=>0.9 sort=average_precision
python -m deepcryopicker.runs outputs csv=runs.csv
python -m deepcryopicker.runs compare RUN RUN
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import console
from deepcryopicker.io.files.parquet import write_parquet
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.plots.result_tables import make_table
from deepcryopicker.plots.sweep_table import shortened
from deepcryopicker.reporting.reading.run_folders import read_run
from deepcryopicker.reporting.run_table import (
    HEADLINES,
    best_first,
    differences,
    read_runs,
    row_of,
    select,
)

_USAGE = (
    "type a folder of runs, such as outputs, then COLUMN=VALUE to filter, sort=COLUMN for the best "
    "first,\ncsv=FILE or parquet=FILE to write every column; or compare RUN RUN"
)
_WRITERS = {"csv": write_rows, "parquet": write_parquet}
_OUTPUTS = "outputs"
_WRONG_USAGE = 2


def main(arguments: Sequence[str]) -> int:
    """Print the table that the arguments ask for, and return the exit code."""
    try:
        if {"--help", "-h"} & {*arguments}:
            console.print(f"{__doc__}\n{_USAGE}", markup=False)
        elif list(arguments[:1]) == ["compare"]:
            _compare(arguments[1:])
        else:
            _list(arguments)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return _WRONG_USAGE
    return 0


def _list(arguments: Sequence[str]) -> None:
    """Print or write the runs of a folder."""
    pairs = dict(each.split("=", 1) for each in arguments if "=" in each)
    folders = [each for each in arguments if "=" not in each] or [_OUTPUTS]
    if len(folders) > 1:
        raise UsageError(_USAGE)
    root = Path(folders[0])
    key = pairs.pop("sort", None)
    targets = {form: pairs.pop(form) for form in _WRITERS if form in pairs}
    rows = select([row_of(run, root) for run in read_runs(root)], pairs)
    rows = rows if key is None else best_first(rows, key)
    for form, target in targets.items():
        columns = list(dict.fromkeys(name for row in rows for name in row))
        _WRITERS[form](Path(target), rows, columns)
        console.print(f"{len(rows)} runs: {target}", soft_wrap=True, markup=False)
    if targets:
        return
    shown = dict.fromkeys(["run", "command", "state", "typed", *([key] if key else []), *HEADLINES])
    heads = {name: name for name in shown if any(row.get(name) is not None for row in rows)}
    console.print(make_table([_short(row) for row in rows], heads))
    if key is not None and rows:
        best = escape(str(root / rows[0]["run"]))
        console.print(f"best: {best} with {rows[0][key]:.4f}", soft_wrap=True)


def _compare(folders: Sequence[str]) -> None:
    """Print the keys in which the configurations of two runs differ."""
    if len(folders) != 2:
        raise UsageError("compare takes two run folders: compare RUN RUN")
    runs = [read_run(Path(folder)) for folder in folders]
    for folder, run in zip(folders, runs, strict=True):
        if run.command is None:
            raise UsageError(f"{folder}: {run.problem}")
    rows = differences(*runs)
    if not rows:
        console.print("the two configurations are the same")
        return
    columns = {"key": "key", "first": folders[0], "second": folders[1]}
    console.print(make_table([_short(row) for row in rows], columns))


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """Shorten long texts of a row."""
    return {key: shortened(each) if isinstance(each, str) else each for key, each in row.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
