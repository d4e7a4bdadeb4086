"""Whether two pickers differ, or only look so, and what scores are worth beside chance."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcryopicker.evaluation.metrics import scores_at
from deepcryopicker.evaluation.scores import Evaluated, pooled
from deepcryopicker.evaluation.significance import compare_paired
from deepcryopicker.reporting.content.cells import interval_note, number_cell
from deepcryopicker.reporting.content.scored_pickers import Judgement
from deepcryopicker.reporting.page.page_model import Cell, Row, Table
from deepcryopicker.reporting.reading.pick_sets import Lot
from deepcryopicker.reporting.reading.run_files import part

_COMPARED = {"f1": "F1", "macro_average_precision": "AP, mean of micrographs"}


def differences_table(judgements: Sequence[Judgement], datasets: Mapping[str, str]) -> Table | None:
    """Compare every picker of a dataset with its best, on the micrographs that both picked.

    Parameters
    ----------
    judgements : sequence of Judgement
    datasets : mapping
        From the name of a lot to the dataset that it is compared on.
    """
    rows = [row for group in _by_dataset(judgements, datasets) for row in _beside_best(group)]
    rows += [row for one in judgements for row in _compared_by_evaluate(one.lot)]
    if not rows:
        return None
    columns = ["Picker", "Beside", "Micrographs"]
    columns += [text for name in _COMPARED.values() for text in (f"{name}, difference", "p")]
    return Table(
        "Is the difference real?",
        columns,
        rows,
        "Each picker minus the one with the best F1, at their own thresholds, with a 95 % "
        "bootstrap interval. p: how often a difference as large comes about where the two are "
        "swapped at random within micrographs. Of n micrographs it cannot be below 2 / 2^n.",
    )


def placing_table(lots: Sequence[Lot]) -> Table | None:
    """Make the table of how far hits lie from their particles, and of F1 by chance."""
    rows = []
    for lot in lots:
        pixels, shares = (part(lot.metrics, "localisation", key) for key in ("pixels", "diameters"))
        chance = (part(lot.metrics, "chance", key) for key in ("random", "grid"))
        offset = part(lot.metrics, "localisation", "offset")
        if not pixels:
            continue
        rows.append(
            Row(
                [
                    Cell(lot.name),
                    number_cell(pixels.get("median"), ".1f"),
                    number_cell(shares.get("median"), ".3f"),
                    number_cell(pixels.get("rms"), ".1f"),
                    number_cell(offset.get("x"), "+.1f"),
                    number_cell(offset.get("y"), "+.1f"),
                    *(number_cell(scores.get("f1"), ".3f") for scores in chance),
                ]
            )
        )
    if not rows:
        return None
    columns = [
        "Picker",
        "Median, px",
        "Median, diameters",
        "RMS, px",
        "To the right, px",
        "Down, px",
    ]
    return Table(
        "Where the hits lie, and chance",
        [*columns, "F1 at random", "F1 on a grid"],
        rows,
        "Distance of hits from their particles, and the median of its two components: one far "
        "from 0 tells of a shift between the picks' frame and the truth's. F1 of as many picks as "
        "there are particles, thrown at random or laid on a grid.",
    )


def _by_dataset(
    judgements: Sequence[Judgement], datasets: Mapping[str, str]
) -> Iterable[list[tuple[Lot, dict[str, Evaluated]]]]:
    """List the pickers of each dataset with what the truth says of every micrograph."""
    groups: dict[str, list[tuple[Lot, dict[str, Evaluated]]]] = {}
    for one in judgements:
        known = {each.name: each.evaluated for each in one.judged if each.evaluated is not None}
        if known:
            groups.setdefault(datasets[one.lot.name], []).append((one.lot, known))
    return groups.values()


def _beside_best(pickers: Sequence[tuple[Lot, dict[str, Evaluated]]]) -> list[Row]:
    """Compare with the best of those that picked the most micrographs."""
    most = max(len(known) for _, known in pickers)

    def f1(picker: tuple[Lot, dict[str, Evaluated]]) -> float:
        lot, known = picker
        return scores_at(*pooled(list(known.values())), lot.threshold).f1

    best, reference = max((one for one in pickers if len(one[1]) == most), key=f1)
    rows = []
    for lot, known in pickers:
        shared = [
            name
            for name, one in known.items()
            if name in reference and len(one.truth) == len(reference[name].truth)
        ]
        if lot is best or not shared:
            continue
        first, second = ([picker[name] for name in shared] for picker in (known, reference))
        compared = compare_paired(first, second, lot.threshold, best.threshold)
        rows.append(_row(lot.name, best.name, compared))
    return rows


def _compared_by_evaluate(lot: Lot) -> list[Row]:
    """Take over what ``evaluate evaluate.against=...`` has compared."""
    compared = part(lot.metrics, "comparison")
    against = str(compared.get("against", ""))
    return [_row(lot.name, Path(against).name or against, compared)] if compared else []


def _row(name: str, beside: str, compared: Mapping[str, Any]) -> Row:
    cells = [Cell(name), Cell(beside), number_cell(compared.get("micrographs"), "g")]
    for key in _COMPARED:
        scores = part(compared, key)
        note = interval_note(scores.get("difference_interval"), "+.3f")
        cells.append(number_cell(scores.get("difference"), "+.3f", note))
        cells.append(number_cell(scores.get("p"), ".2g"))
    return Row(cells)
