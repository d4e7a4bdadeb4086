"""Precision-recall curves of picked micrographs."""

from pathlib import Path

from deepcryopicker.evaluation.metrics import Curve, precision_recall
from deepcryopicker.evaluation.scores import by_class, pooled
from deepcryopicker.pipeline.scoring.picked import Picked


def curve_of(picked: list[Picked]) -> Curve | None:
    """Return the precision-recall curve of all micrographs with truth; None if there are none."""
    evaluated = [one.evaluated for one in picked if one.evaluated is not None]
    return precision_recall(*pooled(evaluated)) if evaluated else None


def curves_by_class(picked: list[Picked]) -> dict[str, Curve]:
    """Return a precision-recall curve for each class of particles (the paper's Figure 4).

    The result is empty if the truth has no classes.
    """
    evaluated = [one.evaluated for one in picked if one.evaluated is not None]
    return {
        label: precision_recall(*pooled(members)) for label, members in by_class(evaluated).items()
    }


def draw_curves(path: Path, curves: dict[str, Curve], threshold: float) -> None:
    """Draw the precision-recall curves of several pickers on the same micrographs.

    Parameters
    ----------
    path : Path
        PNG to write.
    curves : dict
        From the name of a picker to its curve.
    threshold : float
        Marked on each curve.
    """
    if curves:
        # Imported on demand, because matplotlib takes a second to load.
        from deepcryopicker.plots.result_figures import precision_recall_figure

        precision_recall_figure(path, curves, threshold)
