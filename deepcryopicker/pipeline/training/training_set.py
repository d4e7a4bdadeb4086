"""From micrographs to a training set: labels, windows, tables and figures."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rich.table import Table

from deepcryopicker.class_set.samples import SPLITS
from deepcryopicker.class_set.sampling_sites import count_particles
from deepcryopicker.class_set.split import BLOCKS, assign_splits
from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.io.console import console, counted
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.pipeline.inputs.polarity import PolarityCheck
from deepcryopicker.pipeline.labels.label_dataset import label_each
from deepcryopicker.pipeline.labels.label_files import (
    count,
    draw_candidates,
    summarise_labels,
    write_candidates,
    write_stages,
)
from deepcryopicker.pipeline.training.labelled_windows import (
    LabelledMicrograph,
    cut_training_set,
    with_sites,
)
from deepcryopicker.plots.result_figures import sample_sheet
from deepcryopicker.plots.result_tables import make_table
from deepcryopicker.preprocessing.chain import model_scale
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.input_hashes import write_hashes
from deepcryopicker.types import SHAPES, TrainingSet

_MOST_FOUND = 64  # micrographs in which a labeler has to find the particles
_LABEL_OVERLAYS = 4
_FEW = 6  # labelled micrographs
_USES = {"train": "training", "validation": "validation", "test": "the test"}
_COLUMNS = {"what": "class", "places": "places", **{name: name for name in SPLITS}}


def collect_labels(
    catalogue: Catalogue, size: int, config: TrainConfig, run: Run
) -> tuple[list[LabelledMicrograph], list[dict[str, Any]]]:
    """Label the micrographs to train on; candidates go to ``labels/<name>.csv``.

    Parameters
    ----------
    catalogue : Catalogue
    size : int
        Side of the windows, working pixels.
    config : TrainConfig
    run : Run

    Returns
    -------
    list of LabelledMicrograph, and a summary row for each group
    """
    sources: list[LabelledMicrograph] = []
    rows, evaluated = [], []
    polarity = PolarityCheck(run)
    most = most_labelled(config)
    for one in label_each(catalogue, config.preprocessing, config.labeler, run, most):
        polarity.add(one.entry, one.preprocessed)
        write_candidates(run.folder / "labels", one)
        if len(sources) < min(config.overlays, _LABEL_OVERLAYS):
            draw_candidates(run.folder / "label_overlays", one)
        if config.preprocessing.save_stages:
            write_stages(run.folder / "stages", one)
        sources.append(
            with_sites(one.entry, one.preprocessed, one.candidates, size, config, len(sources))
        )
        rows.append(count(one))
        if one.evaluated is not None:
            evaluated.append(one.evaluated)
    if config.class_set.split_by == "micrograph":
        console.print(describe_splits([one.entry.group for one in sources], config))
    same = write_hashes(run.folder / "data.csv", [one.entry for one in sources])
    if run.resumes and not same:
        console.print("the data has changed: training starts anew")
        run.resumes = False
    return sources, summarise_labels(rows, evaluated)


def most_labelled(config: TrainConfig) -> int:
    """Return the maximum number of micrographs to learn from.

    Given labels are divided as their windows are: with one micrograph for every window of a
    class, further ones add none.
    """
    if config.max_label_micrographs is not None:
        return config.max_label_micrographs
    if isinstance(config.labeler, TruthConfig):
        return int(config.class_set.samples_per_class)
    return _MOST_FOUND


def describe_splits(groups: Sequence[str], config: TrainConfig) -> str:
    """Return one line on how the labelled micrographs are divided.

    Parameters
    ----------
    groups : sequence of str
        Dataset of each micrograph.
    config : TrainConfig
    """
    splits = assign_splits(groups, config.class_set, config.seed)
    whole = (splits == splits[:, :1]).all()
    names = splits[:, 0] if whole else splits.ravel()
    parts = "" if whole else f", cut into {BLOCKS} parts each"
    counts = {name: int(np.count_nonzero(names == name)) for name in SPLITS}
    shares = ", ".join(f"{counts[name] or 'none'} for {word}" for name, word in _USES.items())
    few = len(groups) < _FEW and counts["test"]
    advice = "; class_set.test=0 leaves more for training" if few else ""
    return f"labels of {counted(len(groups), 'micrograph')}{parts}: {shares}{advice}"


def only_held_out(
    catalogue: Catalogue, sources: list[LabelledMicrograph], config: TrainConfig
) -> Catalogue:
    """Remove the truth of all micrographs used for training, if the labels are the truth.

    Scored are the test micrographs, and those that were not learnt from at all, of which there
    are many in a large dataset. With a split by copy, all that are labelled are used for training.

    Parameters
    ----------
    catalogue : Catalogue
    sources : list of LabelledMicrograph
        Labelled micrographs.
    config : TrainConfig
    """
    if not isinstance(config.labeler, TruthConfig):
        return catalogue
    groups = [one.entry.group for one in sources]
    splits = assign_splits(groups, config.class_set, config.seed)
    learnt = {
        one.entry.name
        for one, blocks in zip(sources, splits, strict=True)
        if config.class_set.split_by == "copy" or not (blocks == "test").all()
    }
    entries = [
        replace(entry, truth=None) if entry.name in learnt else entry for entry in catalogue.entries
    ]
    scored = sum(entry.truth is not None for entry in entries)
    if not scored:
        console.print("all micrographs were used for training: picks are not scored")
    elif scored + len(learnt) > len(sources):
        other = counted(scored + len(learnt) - len(sources), "micrograph")
        console.print(f"{other} with truth beyond those learnt from: scored as well")
    return replace(catalogue, entries=tuple(entries))


def make_training_set(
    sources: Sequence[LabelledMicrograph], size: int, config: TrainConfig, run: Run
) -> TrainingSet:
    """Cut the windows, and show them in tables and a figure.

    Parameters
    ----------
    sources : sequence of LabelledMicrograph
    size : int
        Side of the windows, working pixels.
    config : TrainConfig
    run : Run
    """
    training_set = cut_training_set(sources, size, config, run)
    console.print(tabulate_particles(sources, config.preprocessing, size))
    rows = count_windows(training_set)
    console.print(make_table(rows, _COLUMNS, title="training windows"))
    write_rows(run.folder / "samples.csv", rows, tuple(_COLUMNS))
    sample_sheet(run.folder / "samples.png", training_set)
    return training_set


def tabulate_particles(
    sources: Sequence[LabelledMicrograph], preprocessing: PreprocessingConfig, size: int
) -> Table:
    """Make the table of training particles per dataset (the paper's Table 1).

    Parameters
    ----------
    sources : sequence of LabelledMicrograph
    preprocessing : PreprocessingConfig
    size : int
        Side of the windows, working pixels; the table gives it in pixels of the dataset.
    """
    rows = []
    for group in dict.fromkeys(one.entry.group for one in sources):
        members = [one for one in sources if one.entry.group == group]
        counts = [count_particles(one.sites) for one in members]
        diameter = float(np.median([one.diameter for one in members]))
        side = size / model_scale(preprocessing, diameter)
        rows.append(
            {
                "what": group,
                "micrographs": len(members),
                **{name: sum(each[name] for each in counts) for name in SHAPES},
                "window": round(side),
            }
        )
    columns = {"what": "dataset", "micrographs": "micrographs"} | {name: name for name in SHAPES}
    return make_table(rows, {**columns, "window": "window, px"}, title="training particles")


def count_windows(training_set: TrainingSet) -> list[dict[str, Any]]:
    """Count positions and, with rotated copies, windows by class and split (Table 2)."""
    rows = []
    for index, name in enumerate(training_set.classes):
        members = training_set.target == index
        places = len(np.unique(training_set.site[members]))
        counts = {
            split: int(np.count_nonzero(members & (training_set.split == split)))
            for split in SPLITS
        }
        rows.append({"what": name, "places": places, **counts})
    return rows
