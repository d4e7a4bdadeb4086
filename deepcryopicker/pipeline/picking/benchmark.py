"""Pick with the configured picker and with a baseline, and score both in the same way."""

from dataclasses import replace
from functools import cache, partial
from typing import Any

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.io.console import console
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.weights import Trained
from deepcryopicker.pipeline.inputs.given_corrections import by_entry, given_corrections
from deepcryopicker.pipeline.picking.build_picker import PickerConfig, build_picker
from deepcryopicker.pipeline.picking.calibrated_alike import CALIBRATED, merged, score_calibrated
from deepcryopicker.pipeline.picking.pick_dataset import make_recipe, pick_catalogue
from deepcryopicker.pipeline.picking.pick_doubts import report_verdicts, warn_of_picks
from deepcryopicker.pipeline.picking.results.recipe import Recipe
from deepcryopicker.pipeline.scoring.pick_curves import curve_of, curves_by_class, draw_curves
from deepcryopicker.pipeline.scoring.score import score, tabulate
from deepcryopicker.pipeline.training.adapt import ADAPTATION
from deepcryopicker.runs.folder import Run

_NETWORK = "network"
_BASELINE = "baseline"  # stage of the run, and its folder


def pick_and_score(
    catalogue: Catalogue,
    known: Catalogue,
    trained: Trained | None,
    config: TrainConfig,
    run: Run,
    tracker: Tracker,
) -> dict[str, Any]:
    """Pick all micrographs, write coordinates, and score micrographs with truth.

    Parameters
    ----------
    catalogue : Catalogue
        Micrographs to pick.
    known : Catalogue
        Micrographs whose truth may be used by pickers with their own training.
    trained : Trained or None
        Network of the picker, if any.
    config : TrainConfig
    run : Run
    tracker : Tracker

    Returns
    -------
    dict
        Scores of the picker, and those of the baseline under ``baseline``.
    """
    examples = None if known is catalogue else known  # not trained on scored ones
    name = _NETWORK if trained is not None else _option(run, "picker")
    overlays, folder = config.overlays, run.folder
    # A picker is fitted, trained or started once for all that it picks.
    seen = merged(catalogue, known) if config.calibrate_on_known else catalogue
    recipe = _recipe(config.picker, seen, examples, trained, config, run)
    by_hand = by_entry(given_corrections(config), catalogue)
    recipe = replace(recipe, vouched=run.vouched, by_hand=by_hand)
    picked = {name: pick_catalogue(catalogue, recipe, run, folder, overlays, run.resumes)}
    warn_of_picks(picked[name], config.picker.threshold, run)
    report_verdicts(picked[name], run, ends_in_doubt=config.keep_better)
    scores = {name: score(picked[name], config.picker.threshold)}
    if config.calibrate_on_known:
        scores[name][CALIBRATED] = score_calibrated(picked[name], known, recipe, run)
    scores_of_baseline = None
    if config.baseline is not None:
        recipe = _recipe(config.baseline, catalogue, examples, None, config, run)
        other = f"{_option(run, 'picker@baseline')} ({_BASELINE})"
        picked[other] = pick_catalogue(
            catalogue,
            recipe,
            run,
            folder / _BASELINE,
            overlays=0,
            keep=run.resumes,
            description=_BASELINE,
        )
        scores[other] = scores_of_baseline = score(picked[other], config.baseline.threshold)
    curves = {name: curve for name, each in picked.items() if (curve := curve_of(each))}
    draw_curves(run.folder / "precision_recall.png", curves, config.picker.threshold)
    by_class = curves_by_class(picked[name])
    draw_curves(run.folder / "precision_recall_classes.png", by_class, config.picker.threshold)
    tracker.log_curves("precision_recall", curves)
    tracker.log_curves("precision_recall_classes", by_class)
    tracker.log_pictures("overlays", sorted((run.folder / "overlays").rglob("*.png")))
    console.print(tabulate(scores, title=catalogue.name))
    return {**scores[name], _BASELINE: scores_of_baseline}


def _option(run: Run, group: str) -> str:
    """Return the option chosen for a group; where a run is repeated, the name of its schema."""
    return str(run.choices[group]).removeprefix("_")


def _recipe(
    picker: PickerConfig,
    catalogue: Catalogue,
    examples: Catalogue | None,
    trained: Trained | None,
    config: TrainConfig,
    run: Run,
) -> Recipe:
    preprocessing = config.preprocessing
    if trained is not None and config.keep_better:  # it may be another network than configured
        chain = chain_on(trained.preprocessing, "the weights")
        preprocessing = replace(chain, save_stages=preprocessing.save_stages)
    make = cache(partial(build_picker, picker, catalogue, preprocessing, trained, run, examples))
    adapted = run.folder / ADAPTATION
    weights = None if trained is None else adapted if config.adapt else run.folder
    recipe = make_recipe(picker, preprocessing, make, catalogue, run, trained, weights)
    return replace(recipe, outputs=tuple(config.outputs))
