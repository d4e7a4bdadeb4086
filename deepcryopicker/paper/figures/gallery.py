"""All of the paper's figures: those that the runs have data for, and why the others are missing."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from deepcryopicker.paper.figures import label_figures, pick_figures, score_figures
from deepcryopicker.reporting.content.scored_pickers import Judgement
from deepcryopicker.reporting.page.page_model import Figure
from deepcryopicker.reporting.page.thumbnails import encode
from deepcryopicker.reporting.reading.run_folders import RunFolder
from deepcryopicker.runs.folder import Run

FOLDER = "figures"
_WIDEST = 1200  # of a figure within the page, pixels

Drawer = Callable[[Path], list[Path]]
"""Draws a figure into a folder, once for each dataset or once; no file where there is no data."""


def draw_figures(
    judgements: Sequence[Judgement],
    datasets: Mapping[str, str],
    runs: Sequence[RunFolder],
    run: Run,
) -> list[Figure]:
    """Draw figures 3 to 8 and 10 to 17 into ``figures/``.

    Parameters
    ----------
    judgements : sequence of Judgement
    datasets : mapping
        From the name of a lot to the dataset that it is compared on.
    runs : sequence of RunFolder
    run : Run
        Of the report: a figure that fails is reported like a micrograph.
    """
    figures = []
    for number, caption, needs, drawer in _plan(judgements, datasets, runs):
        folder = run.folder / FOLDER
        files = run.attempt("drawing", f"figure {number}", folder, partial(drawer, folder))
        if files:
            figures += [_figure(number, caption, path, run.folder) for path in files]
        else:
            reason = needs if files is not None else "it could not be drawn, see errors.log"
            figures.append(Figure(f"{number}", caption, reason=reason))
    return figures


def _plan(
    judgements: Sequence[Judgement], datasets: Mapping[str, str], runs: Sequence[RunFolder]
) -> list[tuple[int, str, str, Drawer]]:
    """List number, caption, what is needed, and how each figure is drawn."""
    network = "no picks of a trained network among these runs"
    rivals = "no two pickers of one dataset with truth among these runs"
    label = "no run of python -m deepcryopicker.label with such particles among these runs"
    unseen = "no picks on a dataset other than the one that the network was trained on"
    truth = "no picks of a dataset with truth among these runs"
    stages = "no micrographs to preprocess among these runs"
    return [
        (3, "picks of the network", network, partial(pick_figures.network_picks, judgements)),
        (4, "precision over recall by shape", truth, partial(score_figures.by_shape, judgements)),
        (
            5,
            "picks on a dataset never trained on",
            unseen,
            partial(pick_figures.unseen, judgements),
        ),
        (
            6,
            "precision over recall of the pickers",
            rivals,
            partial(score_figures.by_picker, judgements, datasets),
        ),
        (
            7,
            "the pickers on one micrograph",
            rivals,
            partial(pick_figures.rivals, judgements, datasets),
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
            partial(label_figures.stages, judgements),
        ),
        (11, "mask and candidates of the labeler", label, partial(label_figures.masks, judgements)),
        (12, "top views, good and bad", label, partial(label_figures.views, judgements, 12, "top")),
        (
            13,
            "examples of top views",
            label,
            partial(label_figures.examples, judgements, 13, "top"),
        ),
        (
            14,
            "side views from the mask",
            label,
            partial(label_figures.views, judgements, 14, "side"),
        ),
        (
            15,
            "examples of side views",
            label,
            partial(label_figures.examples, judgements, 15, "side"),
        ),
        (
            16,
            "truth, side views and top views",
            label,
            partial(label_figures.beside_truth, judgements),
        ),
        (
            17,
            "irregular particles, good and bad",
            label,
            partial(label_figures.views, judgements, 17, "irregular"),
        ),
    ]


def _figure(number: int, caption: str, path: Path, folder: Path) -> Figure:
    with PillowImage.open(path) as picture:
        picture.thumbnail((_WIDEST, 4 * _WIDEST))
        data = encode(np.asarray(picture.convert("RGB")))
    return Figure(f"{number}", caption, path.relative_to(folder).as_posix(), data)
