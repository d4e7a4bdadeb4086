"""Label, train, pick and score, without labels: ``python -m deepcryopicker.train``.

python -m deepcryopicker.train +experiment=demo
python -m deepcryopicker.train +experiment=no_labels dataset.micrographs=DIR
python -m deepcryopicker.train +experiment=class_ablation
"""

import sys
from typing import Any

from deepcryopicker.app import command
from deepcryopicker.config import TrainConfig
from deepcryopicker.runs import Run


def train(config: TrainConfig, run: Run) -> float | None:
    """Run the whole experiment, or as much of it as `until` says.

    Returns
    -------
    float or None
        What a sweep optimises: the average precision of the picks where there is truth, else
        that on test windows.
    """
    from deepcryopicker.logger.tracker import open_tracker
    from deepcryopicker.trainer.checkpoints import remove_checkpoints
    from deepcryopicker.workflow.describing import show_layers, show_scales
    from deepcryopicker.workflow.opening import open_catalogue, settle_diameter
    from deepcryopicker.workflow.pickers import check_picker
    from deepcryopicker.workflow.rounds import train_in_rounds
    from deepcryopicker.workflow.sampling import collect_labels, keep_out, make_training_set
    from deepcryopicker.workflow.speed import show_speed
    from deepcryopicker.workflow.testing import pick_and_score
    from deepcryopicker.workflow.timings import timed
    from deepcryopicker.workflow.training import count_rounds, new_network, training_folders

    if config.until == "scales":
        show_scales(run)
        return None
    if config.until == "network":
        show_layers(config, run)
        return None

    network = new_network(config)
    check_picker(config.picker, network)
    if config.until == "speed":
        show_speed(config, run, network)
        return None

    with timed(run, "labelling"):
        catalogue = open_catalogue(config.dataset)
        catalogue = settle_diameter(catalogue, config.preprocessing, config.labeler, run)
        sources, labels = collect_labels(catalogue, network.window, config, run)
        training_set = make_training_set(sources, network.window, config, run)
    metrics: dict[str, Any] = {"labels": labels}

    with open_tracker(config.logger, run.folder, run.name, run.group, run.settings) as tracker:
        tracker.log_pictures("samples", [run.folder / "samples.png"])
        if config.until in ("weights", "picks"):
            with timed(run, "training"):
                trained, metrics["patches"] = train_in_rounds(
                    network, training_set, sources, config, run, tracker
                )
        del training_set  # gigabytes, with the windows of the paper's network
        if config.until == "picks":
            with timed(run, "picking"):
                catalogue = keep_out(catalogue, sources, config)
                metrics |= pick_and_score(catalogue, trained, config, run, tracker)
        tracker.log_scores(metrics)
    run.write_metrics(metrics)
    for folder in training_folders(run.folder, count_rounds(config)):
        remove_checkpoints(folder)
    tested = metrics.get("patches") or {}
    return metrics.get("average_precision", tested.get("average_precision"))


if __name__ == "__main__":
    sys.exit(command(train, "train"))
