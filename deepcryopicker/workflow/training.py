"""From labelled micrographs to a trained network on disk."""

import csv
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import lightning
import numpy as np
from lightning.pytorch.callbacks import Callback
from rich.table import Table

from deepcryopicker.class_set.split import assign_splits
from deepcryopicker.class_set.training_set import SPLITS, build_training_set
from deepcryopicker.config import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.logger.loggers import CURVES, build_loggers, close_loggers, log_summary
from deepcryopicker.model.build import build_network
from deepcryopicker.model.weights import Trained, save_weights
from deepcryopicker.progress import console
from deepcryopicker.reporting.figures import sample_sheet, training_figure
from deepcryopicker.reporting.tables import make_table
from deepcryopicker.runs import Run, provenance
from deepcryopicker.trainer.fit import fit
from deepcryopicker.trainer.progress import EpochProgress
from deepcryopicker.types import Candidates, Micrograph, TrainingSet
from deepcryopicker.workflow.label_files import (
    count,
    draw_candidates,
    summarise_labels,
    write_candidates,
    write_stages,
)
from deepcryopicker.workflow.labelling import label_each

_LABEL_OVERLAYS = 4


@dataclass(frozen=True)
class Source:
    """One micrograph as the network sees it, and the candidates to train on.

    Attributes
    ----------
    entry : Entry
    micrograph : Micrograph
    candidates : Candidates
    diameter : float
        Particle diameter, original pixels.
    """

    entry: Entry
    micrograph: Micrograph
    candidates: Candidates
    diameter: float


def collect_labels(
    catalogue: Catalogue, config: TrainConfig, run: Run
) -> tuple[list[Source], list[dict[str, Any]]]:
    """Label the micrographs to train on; candidates go to ``labels/<name>.csv``.

    Returns
    -------
    list of Source, and a summary row for each group
    """
    sources: list[Source] = []
    rows, evaluated = [], []
    for one in label_each(
        catalogue, config.preprocessing, config.labeler, run, config.micrographs_to_label
    ):
        write_candidates(run.folder / "labels", one)
        if len(sources) < min(config.overlays, _LABEL_OVERLAYS):
            draw_candidates(run.folder / "label_overlays", one)
        if config.preprocessing.save_stages:
            write_stages(run.folder / "stages", one)
        flat = one.views.flat
        sources.append(Source(one.entry, flat, _seen_in(flat, one.candidates), one.views.diameter))
        rows.append(count(one))
        if one.evaluated is not None:
            evaluated.append(one.evaluated)
    return sources, summarise_labels(rows, evaluated)


def _seen_in(flat: Micrograph, candidates: Candidates) -> Candidates:
    """Bring the coverage to the network's scale; let go of what training does not need."""
    height, width = flat.image.shape
    nothing = np.zeros((0, 0), bool)
    return replace(
        candidates,
        coverage=cv2.resize(candidates.coverage, (width, height)),
        clusters=nothing.astype(np.uint8),
        mask=nothing,
        scale=flat.scale,
    )


def keep_out(catalogue: Catalogue, sources: list[Source], config: TrainConfig) -> Catalogue:
    """Leave truth only to the test micrographs if the truth itself was trained on."""
    if not isinstance(config.labeler, TruthConfig):
        return catalogue
    splits = assign_splits(
        [one.entry.group for one in sources],
        config.class_set.validation,
        config.class_set.test,
        config.seed,
    )
    test = {one.entry.name for one, split in zip(sources, splits, strict=True) if split == "test"}
    if not test:
        console.print("no micrograph is kept out of training: nothing is scored")
    entries = [
        entry if entry.name in test else replace(entry, truth=None) for entry in catalogue.entries
    ]
    return replace(catalogue, entries=tuple(entries))


def train_network(sources: list[Source], config: TrainConfig, run: Run) -> Trained:
    """Build the training set, fit the network and write ``model.safetensors`` and its card."""
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    network = build_network(config.model, len(config.class_set.classes))
    training_set = build_training_set(
        ((one.micrograph, one.candidates) for one in sources),
        [one.entry.group for one in sources],
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
        diameter=_typical_diameter(sources),
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


def _typical_diameter(sources: list[Source]) -> float:
    """Median particle diameter of the training micrographs, original pixels."""
    return float(np.median([one.diameter for one in sources]))
