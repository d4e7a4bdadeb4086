"""Label, train, pick and score, without labels: ``python -m deepcryopicker.train``.

python -m deepcryopicker.train +experiment=demo
python -m deepcryopicker.train +experiment=no_labels dataset.micrographs=DIR
"""

import sys
from typing import Any

from deepcryopicker.app.hydra_app import command
from deepcryopicker.config.schemas import DESCRIBED, TrainConfig
from deepcryopicker.runs.folder import Run


def train(config: TrainConfig, run: Run) -> float | None:
    """Run the experiment, up to the step `until`.

    Returns
    -------
    float or None
        Objective of a sweep: the average precision of the picks if there is truth, else that of
        the test windows.
    """
    # Imported first, as it loads no torch: a wrong path is then answered within a second or two.
    from deepcryopicker.pipeline.inputs.given_paths import check_paths, open_on_disk

    check_paths(config)
    catalogue = None if config.until in DESCRIBED else open_on_disk(config.dataset, run)
    from deepcryopicker.logger.mirror import log_results
    from deepcryopicker.logger.tracker import open_tracker
    from deepcryopicker.paper.article_tables import describe
    from deepcryopicker.pipeline.inputs.coordinate_check import warn_of_coordinates
    from deepcryopicker.pipeline.inputs.label_use import trains_on_truth
    from deepcryopicker.pipeline.inputs.training_input import open_training_input
    from deepcryopicker.pipeline.labels.measured_patches import settle_patch
    from deepcryopicker.pipeline.picking.benchmark import pick_and_score
    from deepcryopicker.pipeline.training.adapt import adapt
    from deepcryopicker.pipeline.training.configured_network import (
        prepare_network,
        with_corrections,
    )
    from deepcryopicker.pipeline.training.fitting.fit_network import count_rounds
    from deepcryopicker.pipeline.training.keep_better import train_or_fall_back
    from deepcryopicker.pipeline.training.label_and_train import label_and_train
    from deepcryopicker.pipeline.training.train_network import training_folders
    from deepcryopicker.trainer.checkpoints import remove_checkpoints

    if describe(config, run, catalogue):
        return None
    config = with_corrections(config)
    network = prepare_network(config)
    with run.timed("labelling"):
        given = open_training_input(catalogue, config, run)
        config = settle_patch(config, given.catalogue, run)
    trained, scored = None, given.scored
    metrics: dict[str, Any] = {}
    with open_tracker(config.logger, run.folder, run.identity) as tracker:
        if network is not None:
            learn = train_or_fall_back if config.keep_better else label_and_train
            trained, scored, metrics = learn(network, given, config, run, tracker)
        if config.adapt and trained is not None:
            trained, metrics["adaptation"] = adapt(scored, config, run)
        if config.until == "picks":
            with run.timed("picking"):
                metrics |= pick_and_score(scored, given.known, trained, config, run, tracker)
            if not trains_on_truth(config):
                warn_of_coordinates(scored.entries, config.dataset, run)
        tracker.log_scores(metrics)
        log_results(tracker, run.folder)
    run.tracked = True
    run.write_metrics(metrics)
    for folder in training_folders(run.folder, count_rounds(config)):
        remove_checkpoints(folder)
    tested = metrics.get("patches") or {}
    return metrics.get("average_precision", tested.get("average_precision"))


if __name__ == "__main__":
    sys.exit(command(train, "train"))
