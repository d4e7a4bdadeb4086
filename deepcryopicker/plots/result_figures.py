"""Figures of results: precision-recall curves, training curves, samples of a training set.

They are drawn without pyplot, independent of a display and of global state, and written without
date or version, so that the same numbers give the same file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from deepcryopicker.evaluation.metrics import Curve
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.images.own_pictures import SOFTWARE
from deepcryopicker.types import TrainingSet

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")
_SPLITS = ("train", "validation", "test")
_X_COLUMNS = ("epoch", "step")


def precision_recall_figure(
    path: Path, curves: Mapping[str, Curve], threshold: float | Mapping[str, float] | None = 0.5
) -> None:
    """Draw precision over recall.

    Parameters
    ----------
    path : Path
        PNG to write.
    curves : mapping
        From the legend text to the curve.
    threshold : float or mapping, optional
        Marked by a dot on each curve; a mapping gives one threshold per curve.
    """
    if not isinstance(threshold, Mapping):
        threshold = {} if threshold is None else dict.fromkeys(curves, threshold)
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.add_subplot()
    _f1_contours(axes)
    for index, (name, curve) in enumerate(curves.items()):
        colour, style = COLOURS[index % len(COLOURS)], STYLES[index % len(STYLES)]
        axes.plot(curve.recall, curve.precision, style, color=colour, label=name, zorder=3)
        reached = np.count_nonzero(curve.threshold >= threshold.get(name, np.inf))
        if reached:
            at = curve.recall[reached - 1], curve.precision[reached - 1]
            axes.plot(*at, "o", color=colour, markeredgecolor="white", markersize=8, zorder=4)
    if threshold:
        levels = ", ".join(f"{level:.3g}" for level in dict.fromkeys(threshold.values()))
        axes.plot([], [], "o", color="0.4", label=f"score ≥ {levels}")
    axes.set(xlabel="Recall", ylabel="Precision", xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
    if axes.get_legend_handles_labels()[1]:
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    save_figure(figure, path)


def training_figure(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Draw losses and scores over the epochs.

    Parameters
    ----------
    path : Path
        PNG to write.
    rows : sequence of mapping
        Rows of the training's CSV, numbers or text. The column ``epoch`` (or ``step``) is the x
        axis. Losses (names with ``loss``), learning rates (``lr``) and all other numbers have one
        panel each. Empty cells are skipped.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = {name: np.array([_number(row.get(name)) for row in rows]) for name in columns}
    x_name = next((name for name in _X_COLUMNS if name in table), None)
    x = np.arange(len(rows), dtype=float) if x_name is None else table[x_name]
    panels: dict[str, list[str]] = {"Loss": [], "Score": [], "Learning rate": []}
    for name, values in table.items():
        if name not in _X_COLUMNS and np.isfinite(values).any():
            panels[_panel(name)].append(name)
    drawn = {title: names for title, names in panels.items() if names} or {"Loss": []}

    figure = Figure(figsize=(4.6 * len(drawn), 3.8), layout="constrained")
    for axes, (title, names) in zip(
        figure.subplots(1, len(drawn), squeeze=False)[0], drawn.items(), strict=True
    ):
        for index, name in enumerate(names):
            known = np.isfinite(table[name]) & np.isfinite(x)
            colour, style = COLOURS[index % len(COLOURS)], STYLES[index % len(STYLES)]
            y = table[name][known]
            axes.plot(x[known], y, style, marker=".", markersize=4, color=colour, label=name)
        axes.set(title=title, xlabel=(x_name or "row").capitalize())
        axes.grid(color="0.9")
        axes.xaxis.get_major_locator().set_params(integer=True)
        if names:
            axes.legend(frameon=False, fontsize="small")
    save_figure(figure, path)


def duration_figure(
    path: Path, minutes: Mapping[str, float], published: tuple[float, float]
) -> None:
    """Draw durations as bars, with the range given in the paper (figure 8).

    Parameters
    ----------
    path : Path
        PNG to write.
    minutes : mapping
        From the label of a bar to its duration.
    published : (float, float)
        Shortest and longest duration in the paper, minutes.
    """
    figure = Figure(figsize=(7.2, 1.3 + 0.34 * len(minutes)), layout="constrained")
    axes = figure.add_subplot()
    axes.axvspan(*published, color="0.9", label=f"paper: {published[0]:g} to {published[1]:g}")
    bars = axes.barh(list(minutes), list(minutes.values()), color=COLOURS[0])
    axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.set(xlabel="Minutes", ylim=(len(minutes) - 0.4, -0.6))
    axes.set_axisbelow(True)
    axes.legend(frameon=False)
    save_figure(figure, path)


def sample_sheet(path: Path, training_set: TrainingSet, per_class: int = 12) -> None:
    """Show windows of each class that has any, spread evenly over the class, one row per class.

    Parameters
    ----------
    path : Path
        PNG to write.
    training_set : TrainingSet
    per_class : int
        Maximum number of windows per class.
    """
    present = np.unique(training_set.target).tolist()
    figure = Figure(figsize=(0.95 * per_class + 0.3, 1.3 * len(present)), layout="constrained")
    rows = figure.subplots(len(present), 1, squeeze=False)[:, 0]
    for axes, index in zip(rows, present, strict=True):
        name = training_set.classes[index]
        members = np.flatnonzero(training_set.target == index)
        spread = np.linspace(0, len(members) - 1, min(per_class, len(members)))
        chosen = members[np.round(spread).astype(int)]
        sheet = montage(training_set.windows[chosen], per_class)
        axes.imshow(sheet, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
        splits = training_set.split[members]
        counts = ", ".join(f"{np.count_nonzero(splits == split)} {split}" for split in _SPLITS)
        axes.set_title(f"{name}: {len(members)} ({counts})", loc="left", fontsize=10)
        axes.set_axis_off()
    save_figure(figure, path)


def _f1_contours(axes: Axes) -> None:
    """Draw lines of equal F1 (Eq. 4) in the background."""
    for f1 in (0.2, 0.4, 0.6, 0.8):
        recall = np.linspace(f1 / (2.0 - f1), 1.0, 200)
        axes.plot(recall, f1 * recall / (2.0 * recall - f1), color="0.85", linewidth=0.8)
        axes.text(0.995, f1 / (2.0 - f1) + 0.008, f"F1 {f1:g}", color="0.6", fontsize=8, ha="right")


def _panel(name: str) -> str:
    """Return the panel of the training figure to which a column belongs."""
    if "loss" in name.lower():
        return "Loss"
    words = name.lower().replace("-", "_").replace("/", "_").split("_")
    return "Learning rate" if "lr" in words or "learning_rate" in name.lower() else "Score"


def _number(cell: object) -> float:
    """Read the number in a cell of a CSV; nan if there is none."""
    try:
        return float(str(cell))
    except ValueError:
        return np.nan


def montage(windows: npt.NDArray[np.float32], slots: int, gap: int = 2) -> npt.NDArray[np.float64]:
    """Put windows side by side, each stretched to 0-1.

    Parameters
    ----------
    windows : (N, S, S) float32
    slots : int
        Number of places in the row, at least N; empty ones are white.
    gap : int
        Pixels between windows.

    Returns
    -------
    (S, W) float64
    """
    size = windows.shape[1]
    sheet = np.ones((size, slots * (size + gap) - gap))
    for slot, window in enumerate(windows):
        low, high = np.percentile(window, [1.0, 99.0])
        left = slot * (size + gap)
        stretched = (window - low) / max(float(high - low), 1e-12)
        sheet[:, left : left + size] = np.clip(stretched, 0.0, 1.0)
    return sheet


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, atomically, with the mark of this program but no version or date."""
    FigureCanvasAgg(figure)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=130, metadata={"Software": SOFTWARE})
