"""Tables of results for the terminal."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table

SCORE_COLUMNS = {
    "what": "",
    "micrographs": "Images",
    "truth": "Truth",
    "picks": "Picks",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "best_f1": "Best F1",
    "average_precision": "AP",
    "snr": "SNR",
}
"""Columns of a table of scores: from the key of a row to the heading."""

Row = Mapping[str, object]


def score_table(rows: Sequence[Row], title: str | None = None, total: Row | None = None) -> Table:
    """Make a table of scores for the terminal.

    Parameters
    ----------
    rows : sequence of mapping
        Keys as in :data:`SCORE_COLUMNS`, for example the result of
        ``evaluation.scores.summarise`` with ``what`` added. Columns without a value are omitted.
    title : str, optional
    total : mapping, optional
        A last row, set off from the others.
    """
    every = [*rows, *([total] if total is not None else [])]
    present = {key for row in every for key in row if row[key] is not None}
    chosen = {key: head for key, head in SCORE_COLUMNS.items() if key in present}
    return make_table(rows, chosen, title, total)


PROTOCOL_COLUMNS = {
    "what": "Rule",
    **{key: SCORE_COLUMNS[key] for key in ("precision", "recall", "f1", "best_f1")},
    "average_precision": SCORE_COLUMNS["average_precision"],
}


def protocol_table(protocols: Mapping[str, Row]) -> Table:
    """Make a table of the scores by every matching rule; see :func:`rules.score_protocols`."""
    rows = [{"what": name, **scores} for name, scores in protocols.items()]
    return make_table(rows, PROTOCOL_COLUMNS)


def make_table(
    rows: Sequence[Row],
    columns: Mapping[str, str],
    title: str | None = None,
    total: Row | None = None,
) -> Table:
    """Make a table from rows: text left-aligned, numbers right-aligned with three decimals.

    Parameters
    ----------
    rows : sequence of mapping
    columns : mapping
        From the key of a row to the heading of its column.
    title : str, optional
    total : mapping, optional
        A last row, set off from the others.
    """
    table = Table(title=title, box=box.SIMPLE_HEAD)
    every = [*rows, *([total] if total is not None else [])]
    for key, heading in columns.items():
        is_text = any(isinstance(row.get(key), str) for row in every)
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=True)
    for index, row in enumerate(rows):
        last = total is not None and index == len(rows) - 1
        table.add_row(*(_cell(row.get(key)) for key in columns), end_section=last)
    if total is not None:
        table.add_row(*(_cell(total.get(key)) for key in columns), style="bold")
    return table


def _cell(value: object) -> str:
    """Return the text of a cell; square brackets in names are escaped."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value).replace("[", r"\[")
