"""Runs as the rows of a table: list, filter, sort, and compare their configurations."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.io.files.tables import flatten
from deepcryopicker.reporting.reading.run_folders import RunFolder, read_run
from deepcryopicker.runs.saved_config import CONFIG

HEADLINES = ("f1", "average_precision", "picks", "seconds")
"""Numbers that the table shows where runs have them."""

_OPTIONS = ("dataset", "labeler", "model", "picker")
_SKIPPED = ("provenance", "per_micrograph", "groups", "protocols", "verdicts")


def read_runs(folder: Path) -> list[RunFolder]:
    """Read every run below a folder, jobs of sweeps included, in the order of their paths.

    Raises
    ------
    UsageError
        If there is no such folder, or no run in it.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder of runs; runs are in outputs/ by default")
    places = [path.parent for path in folder.rglob(CONFIG) if ".hydra" not in path.parts]
    runs = [read_run(path) for path in sorted(places, key=_naturally)]
    found = [run for run in runs if run.command is not None]
    if not found:
        raise UsageError(f"{folder} holds no run: no folder in it has a {CONFIG} of this program")
    return found


def row_of(run: RunFolder, root: Path) -> dict[str, Any]:
    """Return path, command, state, what was typed, options, and every number of a run."""
    kept = {key: value for key, value in run.metrics.items() if key not in _SKIPPED}
    numbers = {**flatten(kept), **flatten(run.timings, "seconds")}
    typed = " ".join(one for one in run.overrides if not one.startswith("hydra."))
    chosen = {key: run.schemas.get(key) for key in _OPTIONS if run.schemas.get(key)}
    made: Mapping[str, Any] = run.metrics.get("provenance") or {}
    return {
        "run": str(run.path.relative_to(root)) if run.path != root else ".",
        "command": run.command,
        "state": "finished" if run.problem is None else run.problem.partition(":")[0],
        "typed": typed,
        **chosen,
        "seed": run.settings.get("seed"),
        "commit": str(made.get("commit") or "")[:12],
        "seconds": run.seconds,
        **numbers,
    }


def select(rows: Sequence[Mapping[str, Any]], wanted: Mapping[str, str]) -> list[dict[str, Any]]:
    """Keep the rows whose cells are as wanted.

    Parameters
    ----------
    rows : sequence of mapping
    wanted : mapping
        From a column to its value; ``typed`` matches a part of what was typed, ``>0.9`` and
        ``<0.9`` compare numbers.

    Raises
    ------
    UsageError
        If no row has such a column.
    """
    for key in wanted:
        _require(rows, key)
    return [
        dict(row)
        for row in rows
        if all(_fits(row.get(key), value, key) for key, value in wanted.items())
    ]


def best_first(rows: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    """Sort rows by a number, highest first, and leave out those that lack it.

    Raises
    ------
    UsageError
        If no row has such a column.
    """
    _require(rows, key)
    having = [dict(row) for row in rows if isinstance(row.get(key), int | float)]
    return sorted(having, key=lambda row: -float(row[key]))


def differences(one: RunFolder, other: RunFolder) -> list[dict[str, Any]]:
    """List the keys in which the configurations of two runs differ, with both values."""
    first, second = (_flat({**run.settings, "options": run.schemas}) for run in (one, other))
    return [
        {"key": key.removeprefix("options."), "first": first.get(key), "second": second.get(key)}
        for key in dict.fromkeys([*first, *second])
        if first.get(key) != second.get(key)
    ]


def _require(rows: Sequence[Mapping[str, Any]], key: str) -> None:
    columns = dict.fromkeys(name for row in rows for name in row)
    if key not in columns:
        raise UsageError(unknown("column", key, columns))


def _fits(cell: object, wanted: str, key: str) -> bool:
    if wanted[:1] in ("<", ">"):
        try:
            limit = float(wanted[1:])
        except ValueError as error:
            raise UsageError(f"{key}={wanted}: a number belongs after {wanted[0]}") from error
        if not isinstance(cell, int | float):
            return False
        return cell < limit if wanted[0] == "<" else cell > limit
    if key == "typed":
        return wanted in str(cell)
    return str(cell) == wanted


def _flat(value: object, prefix: str = "") -> dict[str, str]:
    """Flatten nested sections to dotted keys with values as text."""
    if not isinstance(value, dict):
        return {prefix.removesuffix("."): str(value)}
    found: dict[str, str] = {}
    for key, each in value.items():
        found |= _flat(each, f"{prefix}{key}.")
    return found


def _naturally(path: Path) -> list[tuple[int, int | str]]:
    """Sort jobs by their numbers."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in path.parts]
