"""Anybody's picks against truth: ``python -m deepcryopicker.evaluate``.

python -m deepcryopicker.evaluate evaluate.picks=DIR evaluate.truth=DIR evaluate.radius=30
"""

import sys

from deepcryopicker.app import command
from deepcryopicker.config import EvaluateConfig
from deepcryopicker.progress import console
from deepcryopicker.runs import Run


def evaluate(config: EvaluateConfig, run: Run) -> float:
    """Match picks and truth by file name and write ``metrics.json`` and the curve."""
    from deepcryopicker.evaluation.metrics import precision_recall
    from deepcryopicker.evaluation.scores import pooled, summarise
    from deepcryopicker.reporting.figures import precision_recall_figure
    from deepcryopicker.reporting.tables import score_table
    from deepcryopicker.workflow.comparing import compare_folders

    settings = config.evaluate
    evaluated, radius = compare_folders(settings, run)
    scores = summarise(evaluated, settings.threshold, radius)
    run.write_metrics(scores)
    curve = precision_recall(*pooled(evaluated))
    path = run.folder / "precision_recall.png"
    precision_recall_figure(path, {"picks": curve}, settings.threshold)
    console.print(score_table([{"what": settings.picks, **scores}]))
    console.print(f"hit: within {radius:g} pixels, one pick to one particle")
    return float(scores["average_precision"])


if __name__ == "__main__":
    sys.exit(command(evaluate, "evaluate"))
