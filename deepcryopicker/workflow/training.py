"""From labelled micrographs to a trained network on disk."""

import csv
from collections import Counter
from dataclasses import asdict

import lightning
import numpy as np
from lightning.pytorch.callbacks import Callback
from rich.table import Table

from deepcryopicker.class_set.training_set import SPLITS, build_training_set
from deepcryopicker.config import TrainConfig
from deepcryopicker.logger.loggers import CURVES, build_loggers, close_loggers, log_summary
from deepcryopicker.model.build import build_network
from deepcryopicker.model.weights import Trained, save_weights
from deepcryopicker.progress import console
from deepcryopicker.reporting.figures import sample_sheet, training_figure
from deepcryopicker.reporting.tables import make_table
from deepcryopicker.runs import Run, provenance
from deepcryopicker.trainer.fit import fit
from deepcryopicker.trainer.progress import EpochProgress
from deepcryopicker.types import TrainingSet
from deepcryopicker.workflow.labelling import Labelled


def train_network(labelled: list[Labelled], config: TrainConfig, run: Run) -> Trained:
    """Build the training set, fit the network and write ``model.safetensors`` and its card."""
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    network = build_network(config.model, len(config.class_set.classes))
    training_set = build_training_set(
        ((one.micrograph, one.candidates) for one in labelled),
        [one.entry.group for one in labelled],
        config.preprocessing.working_diameter,
        network.window,
        config.class_set,
        config.seed,
    )
    sample_sheet(run.folder / "samples.png", training_set)
    console.print(tabulate_samples(training_set))
    loggers = build_loggers(config.logger, run.folder, run.name, run.group, run.settings)
    callbacks: list[Callback] = [EpochProgress(config.trainer.epochs)]
    try:
        tested = fit(
            network,
            training_set,
            config.trainer,
            run.folder / "training",
            loggers,
            callbacks,
            config.seed,
        )
        log_summary(loggers, tested)
    finally:
        close_loggers(loggers)
    with (run.folder / CURVES).open(encoding="utf-8") as stream:
        training_figure(run.folder / "training.png", list(csv.DictReader(stream)))
    trained = Trained(
        network=network,
        config=config.model,
        classes=training_set.classes,
        preprocessing=asdict(config.preprocessing),
        diameter=_typical_diameter(labelled),
        provenance={
            **provenance(),
            "dataset": config.dataset.name,
            "seed": config.seed,
            "samples": dict(Counter(training_set.split.tolist())),
            **tested,
        },
    )
    save_weights(run.folder, trained)
    return trained


def tabulate_samples(training_set: TrainingSet) -> Table:
    """Make the table of windows per class and split (the paper's Table 2)."""
    rows = []
    for index, name in enumerate(training_set.classes):
        splits = training_set.split[training_set.target == index]
        rows.append({"what": name, **{key: int((splits == key).sum()) for key in SPLITS}})
    return make_table(rows, {"what": "class", **{key: key for key in SPLITS}}, title="windows")


def _typical_diameter(labelled: list[Labelled]) -> float:
    """Median particle diameter of the training micrographs, original pixels."""
    return float(np.median([one.entry.particle_diameter(one.micrograph) for one in labelled]))
