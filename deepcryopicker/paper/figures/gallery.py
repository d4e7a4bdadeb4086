"""The paper's figures, as far as the runs have data, and the reasons for missing ones."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from deepcryopicker.paper.figures import label_figures, pick_figures, score_figures
from deepcryopicker.reporting.content.scored_pickers import ScoredPicker
from deepcryopicker.reporting.page.page_model import Figure
from deepcryopicker.reporting.page.thumbnails import encode
from deepcryopicker.reporting.reading.run_folders import RunFolder
from deepcryopicker.runs.folder import Run

FOLDER = "figures"
_WIDEST = 1200  # of a figure within the page, pixels

Drawer = Callable[[Path], list[Path]]
"""Draws a figure into a folder, in total or per dataset; returns no path without data."""


def draw_figures(
    scored_pickers: Sequence[ScoredPicker],
    datasets: Mapping[str, str],
    runs: Sequence[RunFolder],
    run: Run,
) -> list[Figure]:
    """Draw figures 3 to 8 and 10 to 17 into ``figures/``.

    Parameters
    ----------
    scored_pickers : sequence of ScoredPicker
    datasets : mapping
        From the name of a set of picks to its dataset.
    runs : sequence of RunFolder
    run : Run
        Run of the report; a figure that fails is reported like a micrograph.
    """
    figures = []
    for number, caption, needs, drawer in _plan(scored_pickers, datasets, runs):
        folder = run.folder / FOLDER
        files = run.attempt("drawing", f"figure {number}", folder, partial(drawer, folder))
        if files:
            figures += [_figure(number, caption, path, run.folder) for path in files]
        else:
            reason = needs if files is not None else "it could not be drawn, see errors.log"
            figures.append(Figure(f"{number}", caption, reason=reason))
    return figures


def _plan(
    scored_pickers: Sequence[ScoredPicker], datasets: Mapping[str, str], runs: Sequence[RunFolder]
) -> list[tuple[int, str, str, Drawer]]:
    """List number, caption, missing data and drawing function of each figure."""
    network = "no picks of a trained network among these runs"
    rivals = "no two pickers of one dataset with truth among these runs"
    label = "no run of python -m deepcryopicker.label with such particles among these runs"
    unseen = "no picks on a dataset other than the one that the network was trained on"
    truth = "no picks of a dataset with truth among these runs"
    stages = "no micrographs to preprocess among these runs"
    return [
        (3, "picks of the network", network, partial(pick_figures.network_picks, scored_pickers)),
        (
            4,
            "precision over recall by shape",
            truth,
            partial(score_figures.by_shape, scored_pickers),
        ),
        (
            5,
            "picks on a dataset never trained on",
            unseen,
            partial(pick_figures.unseen, scored_pickers),
        ),
        (
            6,
            "precision over recall of the pickers",
            rivals,
            partial(score_figures.by_picker, scored_pickers, datasets),
        ),
        (
            7,
            "the pickers on one micrograph",
            rivals,
            partial(pick_figures.rivals, scored_pickers, datasets),
        ),
        (
            8,
            "training time",
            "no trained network among these runs",
            partial(score_figures.times, runs),
        ),
        (
            10,
            "a particle through the preprocessing",
            stages,
            partial(label_figures.stages, scored_pickers),
        ),
        (
            11,
            "mask and candidates of the labeler",
            label,
            partial(label_figures.masks, scored_pickers),
        ),
        (
            12,
            "top views, good and bad",
            label,
            partial(label_figures.views, scored_pickers, 12, "top"),
        ),
        (
            13,
            "examples of top views",
            label,
            partial(label_figures.examples, scored_pickers, 13, "top"),
        ),
        (
            14,
            "side views from the mask",
            label,
            partial(label_figures.views, scored_pickers, 14, "side"),
        ),
        (
            15,
            "examples of side views",
            label,
            partial(label_figures.examples, scored_pickers, 15, "side"),
        ),
        (
            16,
            "truth, side views and top views",
            label,
            partial(label_figures.beside_truth, scored_pickers),
        ),
        (
            17,
            "irregular particles, good and bad",
            label,
            partial(label_figures.views, scored_pickers, 17, "irregular"),
        ),
    ]


def _figure(number: int, caption: str, path: Path, folder: Path) -> Figure:
    with PillowImage.open(path) as picture:
        picture.thumbnail((_WIDEST, 4 * _WIDEST))
        data = encode(np.asarray(picture.convert("RGB")))
    return Figure(f"{number}", caption, path.relative_to(folder).as_posix(), data)
