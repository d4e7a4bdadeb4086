"""Figures of scores and times: curves by shape, curves by picker, training times."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from deepcryopicker.evaluation.metrics import precision_recall
from deepcryopicker.evaluation.scores import UNKNOWN_LABELS, Evaluated, evaluate_micrograph, pooled
from deepcryopicker.io.files.tables import is_number
from deepcryopicker.plots.result_figures import duration_figure, precision_recall_figure
from deepcryopicker.reporting.content.scored_pickers import ScoredMicrograph, ScoredPicker
from deepcryopicker.reporting.reading.pick_sets import display_name
from deepcryopicker.reporting.reading.run_folders import RunFolder
from deepcryopicker.types import SHAPES

_PAPER_MINUTES = (22.0, 144.0)  # Paper, "Computational efficiency"
_MOST_CURVES = 12


def by_dataset(
    scored_pickers: Sequence[ScoredPicker], datasets: Mapping[str, str]
) -> dict[str, list[ScoredPicker]]:
    """Group the scored pickers, without labelers, by dataset."""
    found: dict[str, list[ScoredPicker]] = {}
    for one in scored_pickers:
        if one.pick_set.run.command != "label" and any(each.evaluated for each in one.micrographs):
            found.setdefault(datasets[one.pick_set.name], []).append(one)
    return found


def file_name(text: str) -> str:
    """Turn any text into part of a file name."""
    return re.sub(r"[^A-Za-z0-9-]+", "_", text)[:60] or "unnamed"


def by_picker(
    scored_pickers: Sequence[ScoredPicker], datasets: Mapping[str, str], folder: Path
) -> list[Path]:
    """Draw the curves of all pickers of a dataset (figure 6).

    Parameters
    ----------
    scored_pickers : sequence of ScoredPicker
    datasets : mapping
        From the name of a set of picks to its dataset.
    folder : Path

    Returns
    -------
    list of Path
        PNG files, one for each dataset with several pickers.
    """
    files = []
    for dataset, members in by_dataset(scored_pickers, datasets).items():
        if len(members) < 2:
            continue
        curves = {
            member.pick_set.name: precision_recall(*pooled(evaluated_of(member)))
            for member in members[:_MOST_CURVES]
        }
        files.append(folder / f"figure_06_{file_name(dataset)}.png")
        precision_recall_figure(files[-1], curves, members[0].pick_set.threshold)
    return files


def by_shape(scored_pickers: Sequence[ScoredPicker], folder: Path) -> list[Path]:
    """Draw the curves of each shape, for the first picker of each dataset (figure 4)."""
    first: dict[str, ScoredPicker] = {}
    for scored in scored_pickers:
        if scored.pick_set.run.command != "label" and evaluated_of(scored):
            first.setdefault(scored.pick_set.dataset, scored)
    of_shape: dict[str, list[Evaluated]] = {}
    for scored in first.values():
        for one in scored.micrographs:
            for shape in _shapes(one):
                of_shape.setdefault(shape, []).append(_only(one, shape))
    curves = {
        shape: precision_recall(*pooled(of_shape[shape])) for shape in SHAPES if shape in of_shape
    }
    if not curves:
        return []
    path = folder / "figure_04_by_shape.png"
    precision_recall_figure(path, curves, next(iter(first.values())).pick_set.threshold)
    return [path]


def times(runs: Sequence[RunFolder], folder: Path) -> list[Path]:
    """Draw the training time of each trained network (figure 8)."""
    minutes = {
        display_name(run): seconds / 60.0
        for run in runs
        if is_number(seconds := run.timings.get("training"))
    }
    if not minutes:
        return []
    path = folder / "figure_08_training_time.png"
    duration_figure(path, minutes, _PAPER_MINUTES)
    return [path]


def evaluated_of(scored: ScoredPicker) -> list[Evaluated]:
    """Return the micrographs with truth, matched."""
    return [one.evaluated for one in scored.micrographs if one.evaluated is not None]


def _shapes(one: ScoredMicrograph) -> set[str]:
    """Return the shapes in the truth of a micrograph; without shapes, all are irregular."""
    if one.evaluated is None:
        return set()
    labels = {str(label) for label in one.evaluated.truth.label}
    return {"irregular"} if labels <= UNKNOWN_LABELS else labels & set(SHAPES)


def _only(one: ScoredMicrograph, shape: str) -> Evaluated:
    """Match the picks of one shape with the true particles of that shape."""
    assert one.evaluated is not None
    if _shapes(one) == {shape}:  # regardless of the picker's labels
        return one.evaluated
    evaluated = one.evaluated
    picks, truth = (each[each.label == shape] for each in (one.picks, evaluated.truth))
    return evaluate_micrograph(one.name, picks, truth, evaluated.uncertain, one.radius)
