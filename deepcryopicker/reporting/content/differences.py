"""Tables of significance between pickers, of localisation errors and of chance levels."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcryopicker.evaluation.metrics import scores_at
from deepcryopicker.evaluation.scores import Evaluated, pooled
from deepcryopicker.evaluation.significance import compare_paired
from deepcryopicker.io.files.yaml_files import part
from deepcryopicker.reporting.content.cells import interval_note, number_cell
from deepcryopicker.reporting.content.scored_pickers import ScoredPicker
from deepcryopicker.reporting.page.page_model import Cell, PageTable, Row
from deepcryopicker.reporting.reading.pick_sets import PickSet

_COMPARED = {"f1": "F1", "macro_average_precision": "AP, mean of micrographs"}


def differences_table(
    scored_pickers: Sequence[ScoredPicker], datasets: Mapping[str, str]
) -> PageTable | None:
    """Compare every picker of a dataset with the best, on the micrographs that both picked.

    Parameters
    ----------
    scored_pickers : sequence of ScoredPicker
    datasets : mapping
        From the name of a set of picks to its dataset.
    """
    rows = [row for group in _by_dataset(scored_pickers, datasets) for row in _beside_best(group)]
    rows += [row for one in scored_pickers for row in _compared_by_evaluate(one.pick_set)]
    if not rows:
        return None
    columns = ["Picker", "Beside", "Micrographs"]
    columns += [text for name in _COMPARED.values() for text in (f"{name}, difference", "p")]
    return PageTable(
        "Is the difference real?",
        columns,
        rows,
        "Each picker minus the one with the best F1, at their own thresholds, with a 95 % "
        "bootstrap interval. p: probability of a difference at least as large if the two pickers "
        "are swapped at random within micrographs; its minimum for n micrographs is 2 / 2^n.",
    )


def placing_table(pick_sets: Sequence[PickSet]) -> PageTable | None:
    """Make the table of localisation errors, and of the F1 of random picks."""
    rows = []
    for pick_set in pick_sets:
        pixels, shares = (
            part(pick_set.metrics, "localisation", key) for key in ("pixels", "diameters")
        )
        chance = (part(pick_set.metrics, "chance", key) for key in ("random", "grid"))
        offset = part(pick_set.metrics, "localisation", "offset")
        if not pixels:
            continue
        rows.append(
            Row(
                [
                    Cell(pick_set.name),
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
    return PageTable(
        "Localisation and chance level",
        [*columns, "F1 at random", "F1 on a grid"],
        rows,
        "Distance of hits from their particles, and the median of its two components, which "
        "differs from 0 if the coordinates of picks and truth are shifted. F1 of as many picks as "
        "there are particles, placed at random or on a grid.",
    )


def _by_dataset(
    scored_pickers: Sequence[ScoredPicker], datasets: Mapping[str, str]
) -> Iterable[list[tuple[PickSet, dict[str, Evaluated]]]]:
    """List the pickers of each dataset with the matched picks of every micrograph."""
    groups: dict[str, list[tuple[PickSet, dict[str, Evaluated]]]] = {}
    for one in scored_pickers:
        known = {
            each.name: each.evaluated for each in one.micrographs if each.evaluated is not None
        }
        if known:
            groups.setdefault(datasets[one.pick_set.name], []).append((one.pick_set, known))
    return groups.values()


def _beside_best(pickers: Sequence[tuple[PickSet, dict[str, Evaluated]]]) -> list[Row]:
    """Compare with the best among the pickers with the most micrographs."""
    most = max(len(known) for _, known in pickers)

    def f1(picker: tuple[PickSet, dict[str, Evaluated]]) -> float:
        pick_set, known = picker
        return scores_at(*pooled(list(known.values())), pick_set.threshold).f1

    best, reference = max((one for one in pickers if len(one[1]) == most), key=f1)
    rows = []
    for pick_set, known in pickers:
        shared = [
            name
            for name, one in known.items()
            if name in reference and len(one.truth) == len(reference[name].truth)
        ]
        if pick_set is best or not shared:
            continue
        first, second = ([picker[name] for name in shared] for picker in (known, reference))
        compared = compare_paired(first, second, pick_set.threshold, best.threshold)
        rows.append(_row(pick_set.name, best.name, compared))
    return rows


def _compared_by_evaluate(pick_set: PickSet) -> list[Row]:
    """Copy the comparison of ``evaluate evaluate.against=...``."""
    compared = part(pick_set.metrics, "comparison")
    against = str(compared.get("against", ""))
    return [_row(pick_set.name, Path(against).name or against, compared)] if compared else []


def _row(name: str, beside: str, compared: Mapping[str, Any]) -> Row:
    cells = [Cell(name), Cell(beside), number_cell(compared.get("micrographs"), "g")]
    for key in _COMPARED:
        scores = part(compared, key)
        note = interval_note(scores.get("difference_interval"), "+.3f")
        cells.append(number_cell(scores.get("difference"), "+.3f", note))
        cells.append(number_cell(scores.get("p"), ".2g"))
    return Row(cells)
