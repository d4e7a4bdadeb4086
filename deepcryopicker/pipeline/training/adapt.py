"""Adapt a network trained on other datasets to the dataset to be picked."""

from dataclasses import replace
from typing import Any

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.labeler.schema import AutoConfig, TruthConfig
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.model.weights import Trained
from deepcryopicker.pipeline.inputs.training_input import TrainingInput
from deepcryopicker.pipeline.training.fitting.fit_network import count_rounds, new_network
from deepcryopicker.pipeline.training.label_and_train import label_and_train
from deepcryopicker.pipeline.training.train_network import training_folders
from deepcryopicker.runs.folder import Run
from deepcryopicker.trainer.checkpoints import remove_checkpoints

ADAPTATION = "adaptation"
"""Folder in the run folder for labels, windows and weights of the second training."""


def adapt(
    catalogue: Catalogue, config: TrainConfig, run: Run
) -> tuple[Trained | None, dict[str, Any]]:
    """Continue to train the network of a run, on particles found without labels.

    The initial weights stay in the run folder; the final weights, with their labels and windows,
    are written to ``adaptation/``. Experiment tracking is off, as it would count epochs twice.

    Parameters
    ----------
    catalogue : Catalogue
        Micrographs to pick; their truth is not used.
    config : TrainConfig
        ``labeler=truth`` is replaced by ``labeler=auto``.
    run : Run
        Its folder has the weights of the first training.

    Returns
    -------
    Trained or None
        None if `until` is ``samples``.
    dict
        Scores of the labels, and of test windows against these labels.
    """
    without_labels = AutoConfig() if isinstance(config.labeler, TruthConfig) else config.labeler
    further = replace(config, labeler=without_labels, start_from=str(run.folder))
    within = replace(run, folder=run.folder / ADAPTATION, failures=[])
    within.folder.mkdir(exist_ok=True)
    with run.timed(ADAPTATION):
        network = new_network(further)
        given = TrainingInput.whole(catalogue)
        trained, _, metrics = label_and_train(network, given, further, within, Tracker())
    for folder in training_folders(within.folder, count_rounds(further)):
        remove_checkpoints(folder)
    return trained, metrics
