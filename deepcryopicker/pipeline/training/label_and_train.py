"""Label micrographs and train a network in a run."""

from dataclasses import replace
from functools import partial
from typing import Any

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.labeler.schema import AutoConfig, StructureConfig, TruthConfig
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import Trained
from deepcryopicker.pipeline.inputs.training_input import TrainingInput
from deepcryopicker.pipeline.training.fitting.fit_network import count_rounds
from deepcryopicker.pipeline.training.self_training import heed_general_weights, train_in_rounds
from deepcryopicker.pipeline.training.train_network import train_network
from deepcryopicker.pipeline.training.training_set import (
    collect_labels,
    make_training_set,
    only_held_out,
)
from deepcryopicker.runs.folder import Run


def label_and_train(
    network: Network,
    given: TrainingInput,
    config: TrainConfig,
    run: Run,
    tracker: Tracker,
) -> tuple[Trained | None, Catalogue, dict[str, Any]]:
    """Label micrographs, make the training set and train the network, up to the step `until`.

    Parameters
    ----------
    network : Network
    given : TrainingInput
    config : TrainConfig
    run : Run
    tracker : Tracker

    Returns
    -------
    Trained or None
        None if `until` is ``samples``.
    Catalogue
        Micrographs to score, without the truth that was used for training.
    dict
        Scores of the labels, and of the test windows.
    """
    learnt_from = given.known if isinstance(config.labeler, TruthConfig) else given.catalogue
    simulates = isinstance(config.labeler, StructureConfig)
    with run.timed("labelling"):
        if simulates:
            config = replace(config, labeler=AutoConfig())
        sources, labels = collect_labels(learnt_from, network.window, config, run)
        if simulates:
            # Imported on demand: other trainings need no structures.
            from deepcryopicker.pipeline.training.from_structure import imitate

            sources += imitate(given.catalogue, network.window, config, run)
        if config.keep_better and not isinstance(config.labeler, TruthConfig):
            sources = heed_general_weights(sources, network.window, config, run)
        training_set = make_training_set(sources, network.window, config, run)
    metrics: dict[str, Any] = {"labels": labels}
    labelled = "given" if isinstance(config.labeler, TruthConfig) else "found"
    why = "configured" if config.rounds else f"labels are {labelled}"
    run.decide("rounds of training", count_rounds(config), why)
    tracker.log_pictures("samples", [run.folder / "samples.png"])
    if config.until == "samples":
        return None, given.scored, metrics
    with run.timed("training"):
        trained, metrics["patches"] = train_in_rounds(
            network,
            sources,
            config,
            run,
            cut=partial(make_training_set, size=network.window, config=config, run=run),
            train=partial(train_network, config=config, run=run, tracker=tracker),
            training_set=training_set,
        )
    scored = given.scored
    if scored is given.catalogue:
        scored = only_held_out(scored, sources, config)
    return trained, scored, metrics
