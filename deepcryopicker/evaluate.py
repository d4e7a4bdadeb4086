"""Score the picks of any program against truth: ``python -m deepcryopicker.evaluate``.

python -m deepcryopicker.evaluate evaluate.picks=DIR evaluate.truth=DIR evaluate.radius=30
python -m deepcryopicker.evaluate evaluate.picks=DIR evaluate.truth=DIR evaluate.against=DIR
"""

import sys

from deepcryopicker.app.hydra_app import command
from deepcryopicker.config.result_schemas import EvaluateConfig
from deepcryopicker.runs.folder import Run


def evaluate(config: EvaluateConfig, run: Run) -> float:
    """Match picks and truth by file name and write ``metrics.json`` and the curves."""
    # Imported first, so that a wrong path is answered before the libraries of figures are loaded.
    from deepcryopicker.pipeline.scoring.external import compare, match_coordinates

    settings = config.evaluate
    matched = match_coordinates(settings)
    from deepcryopicker.evaluation.all_rules import describe
    from deepcryopicker.evaluation.metrics import precision_recall
    from deepcryopicker.evaluation.scores import pooled
    from deepcryopicker.pipeline.inputs.coordinate_check import warn_of_truth
    from deepcryopicker.plots.evaluation_tables import show
    from deepcryopicker.plots.result_figures import precision_recall_figure

    scores = describe(matched.picks, settings.threshold, matched.radius)
    curves = {"picks": precision_recall(*pooled(matched.picks))}
    thresholds = {"picks": settings.threshold}
    if matched.against is not None:
        scores["comparison"] = compare(matched.picks, matched.against, settings)
        curves["against"] = precision_recall(*pooled(matched.against))
        thresholds["against"] = scores["comparison"]["threshold"]
    run.write_metrics(scores)
    run.curves = curves
    precision_recall_figure(run.folder / "precision_recall.png", curves, thresholds)
    show(scores, settings.picks)
    warn_of_truth(matched.picks, settings.threshold, run)
    return float(scores["average_precision"])


if __name__ == "__main__":
    sys.exit(command(evaluate, "evaluate"))
