"""Pick with the trained network and with a baseline, and score both by the same ruler."""

from functools import partial
from pathlib import Path
from typing import Any

from deepcryopicker.config import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.schema import DenseConfig, LabelerPickerConfig, SlidingConfig
from deepcryopicker.progress import console
from deepcryopicker.runs import Run
from deepcryopicker.workflow.picked import Picked
from deepcryopicker.workflow.pickers import build_picker
from deepcryopicker.workflow.picking import make_recipe, pick_catalogue
from deepcryopicker.workflow.scoring import curve_of, draw_curves, score, tabulate

_NETWORK, _BASELINE = "network", "DoG"


def pick_and_score(
    catalogue: Catalogue, trained: Trained, config: TrainConfig, run: Run, tracker: Tracker
) -> dict[str, Any]:
    """Pick all micrographs, write coordinates, and score where there is truth.

    Returns
    -------
    dict
        The network's scores, and those of the baseline under ``baseline``.
    """
    picked = {_NETWORK: _pick(catalogue, trained, config.picker, config, run, run.folder)}
    scores = {_NETWORK: score(picked[_NETWORK], config.picker.threshold)}
    if config.baseline is not None:
        folder = run.folder / "baseline"
        picked[_BASELINE] = _pick(catalogue, None, config.baseline, config, run, folder)
        scores[_BASELINE] = score(picked[_BASELINE], config.baseline.threshold)
    curves = {name: curve for name, each in picked.items() if (curve := curve_of(each))}
    draw_curves(run.folder / "precision_recall.png", curves, config.picker.threshold)
    tracker.log_curves("precision_recall", curves)
    tracker.log_pictures("overlays", sorted((run.folder / "overlays").rglob("*.png")))
    console.print(tabulate(scores, title=catalogue.name))
    return {**scores[_NETWORK], "baseline": scores.get(_BASELINE)}


def _pick(
    catalogue: Catalogue,
    trained: Trained | None,
    picker: DenseConfig | SlidingConfig | LabelerPickerConfig,
    config: TrainConfig,
    run: Run,
    folder: Path,
) -> list[Picked]:
    """Pick with the network, or without any for the baseline; after an interruption, the rest."""
    make = partial(build_picker, picker, catalogue, config.preprocessing, trained, run)
    weights = None if trained is None else run.folder
    recipe = make_recipe(picker, config.preprocessing, make, catalogue, run, weights)
    overlays, stage = (0, "baseline") if trained is None else (config.overlays, "picking")
    return pick_catalogue(catalogue, recipe, run, folder, overlays, run.resumes, stage)
