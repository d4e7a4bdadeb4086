"""Pick with the trained network and with a baseline, and score both by the same ruler."""

from typing import Any

from deepcryopicker.config import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.model.weights import Trained
from deepcryopicker.progress import console
from deepcryopicker.runs import Run
from deepcryopicker.workflow.pickers import build_picker
from deepcryopicker.workflow.picking import Picked, pick_catalogue, write_relion
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
    picked = {_NETWORK: _pick(catalogue, trained, config, run)}
    scores = {_NETWORK: score(picked[_NETWORK], config.picker.threshold)}
    write_relion(picked[_NETWORK], config.picker.threshold, run.folder)
    if config.baseline is not None:
        picked[_BASELINE] = pick_catalogue(
            catalogue,
            config.preprocessing,
            build_picker(config.baseline, catalogue, config.preprocessing, None, run),
            config.baseline.threshold,
            run,
            run.folder / "baseline",
            overlays=0,
            description="baseline",
        )
        scores[_BASELINE] = score(picked[_BASELINE], config.baseline.threshold)
    curves = {name: curve for name, each in picked.items() if (curve := curve_of(each))}
    draw_curves(run.folder / "precision_recall.png", curves, config.picker.threshold)
    tracker.log_curves("precision_recall", curves)
    tracker.log_pictures("overlays", sorted((run.folder / "overlays").rglob("*.png")))
    console.print(tabulate(scores, title=catalogue.name))
    return {**scores[_NETWORK], "baseline": scores.get(_BASELINE)}


def _pick(catalogue: Catalogue, trained: Trained, config: TrainConfig, run: Run) -> list[Picked]:
    return pick_catalogue(
        catalogue,
        config.preprocessing,
        build_picker(config.picker, catalogue, config.preprocessing, trained, run),
        config.picker.threshold,
        run,
        run.folder,
        overlays=config.overlays,
    )
