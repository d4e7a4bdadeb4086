"""Micrographs and a trained network to coordinates: ``python -m deepcryopicker.pick``.

python -m deepcryopicker.pick picker.weights=RUN dataset=folder dataset.micrographs=DIR
python -m deepcryopicker.pick picker=log dataset=folder dataset.micrographs=DIR
python -m deepcryopicker.pick picker.weights=RUN dataset=folder dataset.micrographs=DIR watch=true
"""

import sys

from deepcryopicker.app.hydra_app import command
from deepcryopicker.config.schemas import PickConfig
from deepcryopicker.io.console import console
from deepcryopicker.pipeline.picking.freed_memory import keep_freed_memory
from deepcryopicker.runs.folder import Run


def pick(config: PickConfig, run: Run) -> float | None:
    """Pick every micrograph and score those that have truth."""
    from deepcryopicker.pipeline.scoring.score import score, tabulate

    keep_freed_memory()
    if config.watch:
        from deepcryopicker.pipeline.picking.watch import pick_arrivals

        picked = pick_arrivals(config, run)
    else:
        from deepcryopicker.pipeline.picking.pick_dataset import pick_dataset

        picked = pick_dataset(config, run)
    scores = score(picked, config.picker.threshold)
    run.write_metrics(scores)
    console.print(tabulate({"picks": scores}, title=config.dataset.name))
    return scores.get("average_precision")


if __name__ == "__main__":
    sys.exit(command(pick, "pick"))
