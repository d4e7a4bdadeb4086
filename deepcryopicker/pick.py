"""Micrographs and a trained network to coordinates: ``python -m deepcryopicker.pick``.

python -m deepcryopicker.pick picker.weights=RUN dataset=folder dataset.micrographs=DIR
python -m deepcryopicker.pick picker=log dataset=folder dataset.micrographs=DIR
python -m deepcryopicker.pick picker.weights=RUN dataset=folder dataset.micrographs=DIR watch=true
"""

import sys

from deepcryopicker.app import command
from deepcryopicker.config import PickConfig
from deepcryopicker.memory import keep_freed_memory
from deepcryopicker.progress import console
from deepcryopicker.runs import Run


def pick(config: PickConfig, run: Run) -> float | None:
    """Pick every micrograph and score those that have truth."""
    from deepcryopicker.workflow.scoring import score, tabulate

    keep_freed_memory()
    if config.watch:
        from deepcryopicker.workflow.watching import pick_arrivals

        picked = pick_arrivals(config, run)
    else:
        from deepcryopicker.workflow.picking import pick_dataset

        picked = pick_dataset(config, run)
    scores = score(picked, config.picker.threshold)
    run.write_metrics(scores)
    console.print(tabulate({"picks": scores}, title=config.dataset.name))
    return scores.get("average_precision")


if __name__ == "__main__":
    sys.exit(command(pick, "pick"))
