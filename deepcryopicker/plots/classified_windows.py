"""Figures of a window classifier: windows with their predicted class, and a confusion matrix."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from deepcryopicker.plots.result_figures import COLOURS, montage, save_figure
from deepcryopicker.types import Image

_GAP = 2  # pixels between windows
_RIGHT, _WRONG = COLOURS[0], COLOURS[1]


def patch_sheet(
    path: Path,
    windows: Image,
    target: npt.NDArray[np.int64],
    probability: Image,
    classes: Sequence[str],
    per_class: int = 12,
) -> None:
    """Show windows of each class with the predicted class and its probability (figure 2).

    Up to half of a row shows the worst errors of the network; the other windows are spread evenly
    over the class.

    Parameters
    ----------
    path : Path
        PNG to write.
    windows : (N, S, S) float32
    target : (N,) int64
    probability : (N, C) float32
    classes : sequence of str
    per_class : int
    """
    present = [index for index in range(len(classes)) if (target == index).any()]
    figure = Figure(figsize=(0.95 * per_class + 0.3, 1.45 * len(present)), layout="constrained")
    rows = figure.subplots(len(present), 1, squeeze=False)[:, 0]
    predicted, size = probability.argmax(axis=1), windows.shape[1]
    for axes, index in zip(rows, present, strict=True):
        members = np.flatnonzero(target == index)
        score, wrong = probability[members, index], predicted[members] != index
        chosen = _choose(members, score, wrong, per_class)
        sheet = montage(windows[chosen], per_class, _GAP)
        axes.imshow(sheet, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
        right = np.mean(predicted[members] == index)
        title = f"{classes[index]}: {len(members)} windows, {right:.1%} right"
        title += ", worst errors last" if wrong.any() else ""
        axes.set_title(title, loc="left", fontsize=10)
        for slot, member in enumerate(chosen):
            said = predicted[member]
            axes.text(
                slot * (size + _GAP) + size / 2,
                size * 1.02,
                f"{classes[said]} {probability[member, said]:.2f}",
                ha="center",
                va="top",
                fontsize=7,
                color=_RIGHT if said == index else _WRONG,
            )
        axes.set_axis_off()
    save_figure(figure, path)


def confusion_figure(path: Path, matrix: npt.NDArray[np.int64], classes: Sequence[str]) -> None:
    """Draw counts by true class (rows) and predicted class (columns), shaded by share of the row.

    Classes that are neither there nor predicted are left out.

    Parameters
    ----------
    path : Path
        PNG to write.
    matrix : (C, C) int64
    classes : sequence of str
    """
    used = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1))
    matrix, classes = matrix[np.ix_(used, used)], [classes[int(index)] for index in used]
    figure = Figure(figsize=(1.1 * len(classes) + 2.4, 1.0 * len(classes) + 1.4))
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), windows in np.ndenumerate(matrix):
        colour = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, f"{windows}", ha="center", va="center", color=colour)
    ticks = np.arange(len(classes))
    axes.set_xticks(ticks, classes)
    axes.set_yticks(ticks, classes)
    axes.set(xlabel="Predicted", ylabel="True")
    save_figure(figure, path)


def _choose(
    members: npt.NDArray[np.int64],
    score: npt.NDArray[np.floating],
    wrong: npt.NDArray[np.bool_],
    count: int,
) -> npt.NDArray[np.int64]:
    """Choose the worst errors, and fill up with evenly spread other windows."""
    worst = members[wrong][np.argsort(score[wrong], kind="stable")][: count // 2]
    others = members[~wrong]
    spread = np.linspace(0, len(others) - 1, min(count - len(worst), len(others)))
    return np.concatenate([others[np.round(spread).astype(int)], worst])
