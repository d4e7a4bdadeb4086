"""Final table of a sweep: the choices that varied, and the headline numbers of each job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from rich.console import Console
from rich.table import Table

from deepcryopicker.io.files.tables import is_number
from deepcryopicker.plots.result_tables import make_table

PAPER = "paper."
"""Prefix of the metric in the name of a column of published numbers."""
NOTES = ("label_use", "program")
"""Columns of text: the source of the labels, and the program that picked."""
WIDTH = 110  # of the table, characters; fits into a log file
_LONGEST_CHOICE = 28
_LONGEST_NOTES = (44, 28, 20)  # shortened before the first few numbers are omitted
_FIRST_FEW = 3
_OVERALL = {
    "patches.accuracy": "patch accuracy",
    "patches.average_precision": "patch AP",
}
_OF_GROUPS = ("patches.groups.", ".accuracy")
_OF_PICKS = {
    "f1": "F1",
    "calibrated.f1": "F1 calibrated",
    "best_f1": "best F1",
    "average_precision": "AP",
    "precision": "precision",
    "recall": "recall",
}
_OF_LABELS = {
    "best_f1": "labels' best F1",
    "f1": "labels' F1",
    "purity": "purity",
    "yield": "yield",
}
_SECONDS = {"seconds.training": "training, s"}

Row = Mapping[str, object]


@dataclass(frozen=True)
class Headline:
    """A headline number of a sweep.

    Attributes
    ----------
    heading : str
    values : list of float or None
        One for each job.
    intervals : list of (float, float) or None
    published : list of float or None
        Published numbers.
    """

    heading: str
    values: list[float | None]
    intervals: list[tuple[float, float] | None]
    published: list[float | None]

    @property
    def known(self) -> bool:
        """Whether any job has it."""
        return any(value is not None for value in self.values)

    def cells(self) -> list[str | float | None]:
        """Return the cells of a column, ``0.991 [0.985, 0.996]`` where intervals are known."""
        if not any(self.intervals):
            return list(self.values)
        return [
            None if value is None else f"{value:.3f} {_bracket(interval)}".rstrip()
            for value, interval in zip(self.values, self.intervals, strict=True)
        ]


def headlines(rows: Sequence[Row]) -> list[Headline]:
    """Choose the headline numbers of a sweep, most important first.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of ``sweep.csv``.
    """
    chosen = [_column(rows, key, heading) for key, heading in _OVERALL.items()]
    chosen += [_column(rows, key, _in_words(key)) for key in _only_published(rows)]
    chosen += [_column(rows, key, heading) for key, heading in _OF_PICKS.items()]
    chosen += [_of_labels(rows, key, heading) for key, heading in _OF_LABELS.items()]
    chosen += [_column(rows, key, heading) for key, heading in _SECONDS.items()]
    return [one for one in chosen if one.known]


def of_datasets(rows: Sequence[Row]) -> list[Headline]:
    """Collect the patch accuracy on each dataset, if jobs were tested on several."""
    start, end = _OF_GROUPS
    names = dict.fromkeys(key for row in rows for key in row)
    groups = [key for key in names if key.startswith(start) and key.endswith(end)]
    if len(groups) < 2:
        return []
    return [_column(rows, key, _group(key), with_interval=False) for key in groups]


def sweep_table(
    rows: Sequence[Row],
    varied: Sequence[str],
    shown: Sequence[Headline],
    title: str | None = None,
) -> Table:
    """Make a table of a sweep, with as many numbers as fit into 110 characters.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of ``sweep.csv``.
    varied : sequence of str
        Keys of the choices that vary between the jobs.
    shown : sequence of Headline
        At least the first few are shown.
    title : str, optional
    """
    few = min(_FIRST_FEW, len(shown))
    tries = [
        (count, note) for note in _LONGEST_NOTES for count in range(len(shown), few - 1, -1)
    ] + [(count, _LONGEST_NOTES[-1]) for count in range(few - 1, 0, -1)]
    for count, note in tries:
        table = _make(rows, varied, shown[:count], note, title)
        if _width(table) <= WIDTH:
            return table
    return _make(rows, varied, [], _LONGEST_NOTES[0], title)


def short_names(keys: Sequence[str]) -> list[str]:
    """Omit the groups before keys, if the short names stay unique."""
    last = [_last_part(key) for key in keys]
    return [short if last.count(short) == 1 else key for key, short in zip(keys, last, strict=True)]


def _last_part(key: str) -> str:
    """Return ``lr`` of ``trainer.lr`` and ``network`` of ``experiment/network@_global_``."""
    if key.endswith("@_global_"):
        return key.removesuffix("@_global_").rpartition("/")[2]
    return key if "@" in key else key.rpartition(".")[2]


def shortened(text: str, longest: int = _LONGEST_CHOICE) -> str:
    """Shorten a text to `longest` characters, the last an ellipsis."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _make(
    rows: Sequence[Row],
    varied: Sequence[str],
    shown: Sequence[Headline],
    longest_note: int,
    title: str | None,
) -> Table:
    columns = {"job": "job", **dict(zip(varied, short_names(varied), strict=True))}
    cells: list[dict[str, object]] = [
        {
            "job": row["job"],
            **{key: shortened(str(row.get(key) or "")) for key in varied},
            "note": _note(row, longest_note),
        }
        for row in rows
    ]
    if any(row.get("label_use") for row in rows):
        columns["label_use"] = "labels"
        for row, cell in zip(rows, cells, strict=True):
            cell["label_use"] = row.get("label_use")
    for headline in shown:
        columns[headline.heading] = headline.heading
        for cell, value in zip(cells, headline.cells(), strict=True):
            cell[headline.heading] = value
        if any(number is not None for number in headline.published):
            columns[f"{headline.heading}, paper"] = "paper"
            for cell, number in zip(cells, headline.published, strict=True):
                cell[f"{headline.heading}, paper"] = number
    if any(cell["note"] for cell in cells):
        columns["note"] = "note"
    return make_table(cells, columns, title=title)


def _note(row: Row, longest: int) -> str | None:
    """Return the status of a job and its error; None if it is done."""
    if row["status"] == "done":
        return None
    error = row.get("error")
    return shortened(f"{row['status']}: {error}" if error else str(row["status"]), longest)


def _column(rows: Sequence[Row], key: str, heading: str, with_interval: bool = True) -> Headline:
    low, high, paper, values = (
        [_number_in(row, name) for row in rows]
        for name in (f"{key}_low", f"{key}_high", f"{PAPER}{key}", key)
    )
    intervals = [
        None if start is None or end is None or not with_interval else (start, end)
        for start, end in zip(low, high, strict=True)
    ]
    return Headline(heading, values, intervals, paper)


def _only_published(rows: Sequence[Row]) -> list[str]:
    """List metrics with a published number that are not headlines anyway."""
    published = dict.fromkeys(key for row in rows for key in row if key.startswith(PAPER))
    metrics = (key.removeprefix(PAPER) for key in published)
    return [key for key in metrics if key not in {*_OVERALL, *_OF_PICKS, *_SECONDS}]


def _in_words(key: str) -> str:
    """Return ``closest macro f1`` of ``protocols.closest.macro.f1``."""
    return key.removeprefix("protocols.").replace(".", " ")


def _of_labels(rows: Sequence[Row], key: str, heading: str) -> Headline:
    """Average over the labelled groups of micrographs, usually one."""
    values = []
    for row in rows:
        names = (name for name in row if name.startswith("labels.") and name.endswith(f".{key}"))
        found = [number for name in names if (number := _number_in(row, name)) is not None]
        values.append(fmean(found) if found else None)
    nothing: list[None] = [None] * len(rows)
    return Headline(heading, values, list(nothing), list(nothing))


def _group(key: str) -> str:
    start, end = _OF_GROUPS
    return key.removeprefix(start).removesuffix(end)


def _bracket(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"[{interval[0]:.3f}, {interval[1]:.3f}]"


def _number_in(row: Row, name: str) -> float | None:
    value = row.get(name)
    return float(value) if is_number(value) else None


def _width(table: Table) -> int:
    return Console(width=10 * WIDTH).measure(table).maximum
