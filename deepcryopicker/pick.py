"""Micrographs and a trained network to coordinates: ``python -m deepcryopicker.pick``.

python -m deepcryopicker.pick picker.weights=RUN dataset=folder dataset.micrographs=DIR
python -m deepcryopicker.pick picker=log dataset=folder dataset.micrographs=DIR
"""

import sys

from deepcryopicker.app import command
from deepcryopicker.config import PickConfig
from deepcryopicker.memory import keep_freed_memory
from deepcryopicker.progress import console
from deepcryopicker.runs import Run


def pick(config: PickConfig, run: Run) -> float | None:
    """Pick every micrograph and score those that have truth."""
    from deepcryopicker.workflow.inheriting import inherit
    from deepcryopicker.workflow.opening import open_catalogue, settle_diameter
    from deepcryopicker.workflow.pickers import build_picker
    from deepcryopicker.workflow.picking import pick_catalogue, write_relion
    from deepcryopicker.workflow.scoring import score, tabulate

    keep_freed_memory()
    catalogue = open_catalogue(config.dataset)
    trained, preprocessing, catalogue = inherit(config, catalogue)
    catalogue = settle_diameter(catalogue, preprocessing, config.labeler, run)
    picked = pick_catalogue(
        catalogue,
        preprocessing,
        build_picker(config.picker, catalogue, preprocessing, trained, run),
        config.picker.threshold,
        run,
        run.folder,
        config.overlays,
    )
    write_relion(picked, config.picker.threshold, run.folder)
    scores = score(picked, config.picker.threshold)
    run.write_metrics(scores)
    console.print(tabulate({"picks": scores}, title=catalogue.name))
    return scores.get("average_precision")


if __name__ == "__main__":
    sys.exit(command(pick, "pick"))
