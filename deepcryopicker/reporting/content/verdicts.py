"""The table of verdicts: whether the picks of each folder are particles, without any truth."""

from collections.abc import Sequence

from deepcryopicker.io.files.yaml_files import part
from deepcryopicker.reporting.content.cells import NOTHING, interval_note, number_cell
from deepcryopicker.reporting.page.page_model import Cell, PageTable, Row
from deepcryopicker.reporting.reading.pick_sets import PickSet

_COLUMNS = [
    "Picker",
    "Micrographs",
    "Verdict",
    "Precision",
    "Recall",
    "Particles",
    "Picks in noise",
    "Why",
]


def verdicts_table(pick_sets: Sequence[PickSet]) -> PageTable | None:
    """Make the table of verdicts and expected scores, one row for each group of micrographs."""
    rows = []
    for pick_set in pick_sets:
        for group in part(pick_set.metrics, "verdicts"):
            found = part(pick_set.metrics, "verdicts", group)
            interval = interval_note(found.get("interval"), ".0f")
            rows.append(
                Row(
                    [
                        Cell(pick_set.name),
                        Cell(group),
                        _words(found.get("verdict")),
                        number_cell(found.get("precision"), ".2f"),
                        number_cell(found.get("recall"), ".2f"),
                        number_cell(found.get("particles"), ".0f", interval),
                        number_cell(found.get("in_noise"), ".1f"),
                        _words(found.get("reason")),
                    ]
                )
            )
    if not rows:
        return None
    return PageTable(
        "Verdicts",
        _COLUMNS,
        rows,
        "Expected precision, recall and number of particles, from the scores of the picks and of "
        "what the same picker finds in noise like the micrographs; no truth is "
        "used. Contaminants that look like particles are taken for particles. Picks in noise: how "
        "many a micrograph would have if it were such noise.",
    )


def _words(value: object) -> Cell:
    return Cell(value) if isinstance(value, str) else NOTHING
