"""The tables of the page: scores, windows, labels, classes and timings of all runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from deepcryopicker.io.files.tables import is_number
from deepcryopicker.io.files.yaml_files import part
from deepcryopicker.reporting.content.cells import NOTHING, interval_note, number_cell
from deepcryopicker.reporting.page.page_model import Cell, PageTable, Row
from deepcryopicker.reporting.reading.pick_sets import PickSet, display_name
from deepcryopicker.reporting.reading.run_folders import RunFolder

_PICK_COLUMNS = [
    "Picker",
    "Dataset",
    "Labels used",
    "Micrographs",
    "True particles",
    "Picks",
    "Precision",
    "Recall",
    "F1",
    "Best F1",
    "AP",
    "Time",
]
_OF_SCORES = (
    "Precision, recall and F1 at the threshold of the run; best F1 at the threshold that "
    "maximises it on the truth; AP, the area under precision over recall, over all thresholds. "
    "In brackets: 95 % bootstrap interval over micrographs."
)
_SCORES = ("precision", "recall", "f1", "best_f1", "average_precision")


def picks_table(pick_sets: Sequence[PickSet], datasets: Mapping[str, str]) -> PageTable | None:
    """Make the main table: one row for each picker, and one for each group of its micrographs.

    Parameters
    ----------
    pick_sets : sequence of PickSet
    datasets : mapping
        From the name of a set of picks to its dataset.
    """
    rows: list[Row] = []
    for pick_set in pick_sets:
        if pick_set.run.command == "label" or "picks" not in pick_set.metrics:
            continue
        rows.append(
            _picks_row(pick_set, datasets[pick_set.name], pick_set.metrics, pick_set.run.published)
        )
        groups = part(pick_set.metrics, "groups")
        if len(groups) > 1:
            rows += [
                _picks_row(pick_set, name, part(groups, name), {}, is_part=True) for name in groups
            ]
    if not rows:
        return None
    table = PageTable("Picks", _PICK_COLUMNS, rows).without_empty_columns()
    return replace(table, note=_OF_SCORES) if "F1" in table.columns else table


def windows_table(runs: Sequence[RunFolder]) -> PageTable | None:
    """Make the table of networks tested on single windows (the paper's patches)."""
    rows = [
        Row(
            [
                Cell(display_name(run)),
                Cell(str(run.section("dataset").get("name", ""))),
                _count(tested.get("windows")),
                _score(tested, "accuracy", run.published, "patches."),
                _score(tested, "average_precision", run.published, "patches."),
            ]
        )
        for run in runs
        if (tested := part(run.metrics, "patches"))
    ]
    if not rows:
        return None
    columns = ["Network", "Dataset", "Test windows", "Accuracy", "AP"]
    return PageTable(
        "Windows",
        columns,
        rows,
        "Windows of micrographs not used for training, against the labels of the training; "
        "without given labels, these are the program's own.",
    )


def labels_table(runs: Sequence[RunFolder]) -> PageTable | None:
    """Make the table of training particles that labelers found."""
    columns = {
        "micrographs": "Micrographs",
        "candidates": "Candidates",
        "good": "Good",
        "precision": "Precision",
        "recall": "Recall",
        "purity": "Purity of good",
        "yield": "Yield of good",
    }
    rows = [
        Row(
            [Cell(display_name(run)), Cell(str(group.get("what", "")))]
            + [_number(group.get(key)) for key in columns]
        )
        for run in runs
        for group in _dictionaries(run.metrics.get("labels"))
    ]
    if not rows:
        return None
    note = "Candidates of the labeler; the network is trained on the good ones only."
    heads = ["Run", "Group", *columns.values()]
    return PageTable("Training particles", heads, rows, note).without_empty_columns()


def protocols_table(pick_sets: Sequence[PickSet]) -> PageTable | None:
    """Make the table of scores by other matching rules, one per column, if runs have them."""
    scored = [pick_set for pick_set in pick_sets if part(pick_set.metrics, "protocols")]
    if not scored:
        return None
    rules = list(
        dict.fromkeys(rule for pick_set in scored for rule in part(pick_set.metrics, "protocols"))
    )
    rows = [
        Row(
            [
                Cell(pick_set.name),
                *(_by_rule(part(pick_set.metrics, "protocols", rule)) for rule in rules),
            ]
        )
        for pick_set in scored
    ]
    columns = ["Picker", *(str(rule).replace("_", " ") for rule in rules)]
    meanings = {
        rule: text
        for pick_set in scored
        for rule in rules
        if (text := part(pick_set.metrics, "protocols", rule).get("rule"))
    }
    meaning = [f"{str(rule).replace('_', ' ')}: {text}." for rule, text in meanings.items()]
    note = " ".join(["F1, and below it precision, recall and AP.", *meaning])
    return PageTable("The same picks by other rules", columns, rows, note)


def class_table(pick_sets: Sequence[PickSet]) -> PageTable | None:
    """Make the table of scores by class, if the truth has classes."""
    rows = []
    for pick_set in pick_sets:
        for label in part(pick_set.metrics, "per_class"):
            scores = part(pick_set.metrics, "per_class", label)
            rows.append(
                Row(
                    [
                        Cell(pick_set.name),
                        Cell(str(label)),
                        _count(scores.get("truth")),
                        _count(scores.get("picks")),
                        *(_score(scores, key) for key in _SCORES),
                    ]
                )
            )
    if not rows:
        return None
    columns = ["Picker", "Class", "True particles", "Picks", *_PICK_COLUMNS[6:11]]
    note = "Picks of each class against the true particles of that class, matched anew."
    return PageTable("Classes", columns, rows, note)


def timings_table(runs: Sequence[RunFolder]) -> PageTable | None:
    """Make the table of durations, with one column per stage."""
    stages = list(dict.fromkeys(stage for run in runs for stage in run.timings))
    rows = [
        Row(
            [
                Cell(display_name(run)),
                *(_seconds(run.timings.get(stage)) for stage in stages),
                _seconds(run.seconds),
            ]
        )
        for run in runs
        if run.seconds is not None and run.problem is None
    ]
    if not rows:
        return None
    columns = ["Run", *(stage.replace("_", " ").capitalize() for stage in stages), "Whole run"]
    note = "Wall time on the machine of each run, which may have had other load."
    return PageTable("Timings", columns, rows, note)


def _picks_row(
    pick_set: PickSet,
    dataset: str,
    scores: Mapping[str, Any],
    published: Mapping[str, float],
    is_part: bool = False,
) -> Row:
    cells = [
        Cell(dataset if is_part else pick_set.name),
        Cell("" if is_part else dataset),
        Cell("" if is_part else pick_set.label_use),
        _count(scores.get("micrographs")),
        _count(scores.get("truth")),
        _count(scores.get("picks")),
        *(_score(scores, key, published) for key in _SCORES),
        Cell("") if is_part else _seconds(pick_set.seconds),
    ]
    return Row(cells, is_part)


def _score(
    scores: Mapping[str, Any],
    key: str,
    published: Mapping[str, float] | None = None,
    prefix: str = "",
) -> Cell:
    """Format a score with its interval or threshold, and the published number."""
    value = scores.get(key)
    if not is_number(value):
        return NOTHING
    note = interval_note(scores.get(f"{key}_interval"), ".3f")
    if not note and key == "best_f1" and is_number(scores.get("best_threshold")):
        note = f"at {scores['best_threshold']:.3g}"
    paper = (published or {}).get(f"{prefix}{key}")
    return Cell(f"{value:.3f}", float(value), note, "" if paper is None else f"paper {paper:g}")


def _by_rule(scores: Mapping[str, Any]) -> Cell:
    """Format F1 by one rule, with precision, recall and AP as small print."""
    named = {"precision": "P", "recall": "R", "average_precision": "AP"}
    known = {name: scores.get(key) for key, name in named.items()}
    note = " ".join(f"{name} {value:.3f}" for name, value in known.items() if is_number(value))
    return number_cell(scores.get("f1"), ".3f", note)


def _number(value: Any) -> Cell:
    return Cell(f"{value:.3f}", value) if isinstance(value, float) else _count(value)


def _count(value: Any) -> Cell:
    return Cell(f"{value}", float(value)) if is_number(value) else NOTHING


def _seconds(value: Any) -> Cell:
    """Format a duration, to be sorted by seconds."""
    if not is_number(value):
        return NOTHING
    text = f"{value / 60:.1f} min" if value >= 120 else f"{value:.1f} s"
    return Cell(text, float(value))


def _dictionaries(value: Any) -> Iterable[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
