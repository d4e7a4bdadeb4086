"""From micrographs to a training set: label, choose windows, cut them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from rich.table import Table

from deepcryopicker.class_set.cutting import cut_windows, matched, smoothed
from deepcryopicker.class_set.samples import (
    SPLITS,
    Samples,
    draw_samples,
    heat_targets,
    require_both_kinds,
)
from deepcryopicker.class_set.sampling_sites import Sites, count_particles, find_sites
from deepcryopicker.class_set.split import assign_splits
from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.io.console import console, track
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.pipeline.labels.label_dataset import label_each
from deepcryopicker.pipeline.labels.label_files import (
    count,
    draw_candidates,
    summarise_labels,
    write_candidates,
    write_stages,
)
from deepcryopicker.plots.result_figures import sample_sheet
from deepcryopicker.plots.result_tables import make_table
from deepcryopicker.preprocessing.chain import model_scale
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.preprocessing.steps import stages, to_model_scale
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.input_hashes import write_hashes
from deepcryopicker.types import SHAPES, Candidates, Image, Picks, Strings, TrainingSet

_LABEL_OVERLAYS = 4
_COLUMNS = {"what": "class", "places": "places", **{name: name for name in SPLITS}}


@dataclass(frozen=True)
class LabelledMicrograph:
    """One labelled micrograph.

    Attributes
    ----------
    entry : Entry
    sites : Sites
        Where windows may be cut.
    diameter : float
        Particle diameter, original pixels.
    picks : Picks
        All candidates of the labeler.
    reason : (N,) str
        Why they may not train the network; empty where they may.
    """

    entry: Entry
    sites: Sites
    diameter: float
    picks: Picks
    reason: Strings


def collect_labels(
    catalogue: Catalogue, size: int, config: TrainConfig, run: Run
) -> tuple[list[LabelledMicrograph], list[dict[str, Any]]]:
    """Label the micrographs to train on; candidates go to ``labels/<name>.csv``.

    Parameters
    ----------
    catalogue : Catalogue
    size : int
        Side of the windows to come, working pixels.
    config : TrainConfig
    run : Run

    Returns
    -------
    list of LabelledMicrograph, and a summary row for each group
    """
    sources: list[LabelledMicrograph] = []
    rows, evaluated = [], []
    for one in label_each(
        catalogue, config.preprocessing, config.labeler, run, config.micrographs_to_label
    ):
        write_candidates(run.folder / "labels", one)
        if len(sources) < min(config.overlays, _LABEL_OVERLAYS):
            draw_candidates(run.folder / "label_overlays", one)
        if config.preprocessing.save_stages:
            write_stages(run.folder / "stages", one)
        rng = np.random.default_rng([config.seed, len(sources)])
        sites = sites_of(one.preprocessed, one.candidates, size, config, rng)
        found = one.candidates
        sources.append(
            LabelledMicrograph(
                one.entry, sites, one.preprocessed.diameter, found.picks, found.reason
            )
        )
        rows.append(count(one))
        if one.evaluated is not None:
            evaluated.append(one.evaluated)
    same = write_hashes(run.folder / "data.csv", [one.entry for one in sources])
    if run.resumes and not same:
        console.print("the data is not what it was: training starts anew")
        run.resumes = False
    return sources, summarise_labels(rows, evaluated)


def keep_out(
    catalogue: Catalogue, sources: list[LabelledMicrograph], config: TrainConfig
) -> Catalogue:
    """Leave truth only to the test micrographs if the truth itself was trained on.

    A split by copy trains on all of them.
    """
    if not isinstance(config.labeler, TruthConfig):
        return catalogue
    groups = [one.entry.group for one in sources]
    splits = assign_splits(groups, config.class_set, config.seed)
    test = {
        one.entry.name
        for one, blocks in zip(sources, splits, strict=True)
        if (blocks == "test").all() and config.class_set.split_by == "micrograph"
    }
    if not test:
        console.print("no micrograph is kept out of training: nothing is scored")
    entries = [
        entry if entry.name in test else replace(entry, truth=None) for entry in catalogue.entries
    ]
    return replace(catalogue, entries=tuple(entries))


def make_training_set(
    sources: Sequence[LabelledMicrograph], size: int, config: TrainConfig, run: Run
) -> TrainingSet:
    """Draw the samples, cut their windows of `size` pixels, and show both in tables and a sheet.

    Micrographs are read a second time rather than kept: windows of 227 pixels need them enlarged.
    """
    groups = [one.entry.group for one in sources]
    samples = draw_samples([one.sites for one in sources], groups, config.class_set, config.seed)
    windows = np.empty((len(samples), size, size), np.float32)
    kept = np.zeros(len(samples), bool)
    for index, source in enumerate(track(sources, "cutting")):
        members = np.flatnonzero(samples.micrograph == index)
        if not len(members):
            continue
        rng = np.random.default_rng([config.seed, index])
        work = partial(_cut, source, samples[members], size, config, rng)
        cuts = run.attempt("cut", source.entry.name, source.entry.path, work)
        if cuts is not None:
            windows[members] = cuts
            kept[members] = True
    run.require(int(kept.sum()), "cutting")
    chosen = samples[kept]
    require_both_kinds(chosen)
    training_set = TrainingSet(
        windows[kept] if not kept.all() else windows,
        chosen.target,
        heat_targets(chosen, config.class_set.classes),
        chosen.split,
        np.array(groups)[chosen.micrograph],
        chosen.unit,
        chosen.site,
        tuple(config.class_set.classes),
    )
    console.print(tabulate_particles(sources, config.preprocessing, size))
    rows = count_windows(training_set)
    console.print(make_table(rows, _COLUMNS, title="windows to train on"))
    write_rows(run.folder / "samples.csv", rows, tuple(_COLUMNS))
    sample_sheet(run.folder / "samples.png", training_set)
    return training_set


def tabulate_particles(
    sources: Sequence[LabelledMicrograph], preprocessing: PreprocessingConfig, size: int
) -> Table:
    """Make the table of training particles per dataset (the paper's Table 1).

    The window's side is given in the dataset's own pixels.
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
    return make_table(rows, {**columns, "window": "window, px"}, title="particles to train on")


def count_windows(training_set: TrainingSet) -> list[dict[str, Any]]:
    """Count places and, with rotated copies, windows by class and split (the paper's Table 2)."""
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


def sites_of(
    preprocessed: Preprocessed,
    candidates: Candidates,
    size: int,
    config: TrainConfig,
    rng: np.random.Generator,
) -> Sites:
    """List the places of one micrograph that windows of `size` working pixels can be cut at."""
    height, width = preprocessed.micrograph.image.shape
    window = size * preprocessed.diameter / preprocessed.working_diameter
    return find_sites(
        candidates, (height, width), preprocessed.diameter, window, config.class_set, rng
    )


def _cut(
    source: LabelledMicrograph,
    samples: Samples,
    size: int,
    config: TrainConfig,
    rng: np.random.Generator,
) -> Image:
    micrograph = source.entry.load()
    preprocessed = Preprocessed(micrograph, source.diameter, config.preprocessing)
    windows = cut_windows(samples, preprocessed.flat, size)
    augmented = (samples.split == "train") & (rng.random(len(samples)) < config.class_set.augmented)
    if not augmented.any():
        return windows
    versions = list(stages(micrograph, source.diameter, config.preprocessing))
    version_of = np.where(augmented, rng.integers(0, len(versions), len(samples)), -1)
    for index, (_, stage) in enumerate(versions):
        members = np.flatnonzero(version_of == index)
        if len(members):
            same_scale = to_model_scale(stage, source.diameter, config.preprocessing)
            version = replace(
                preprocessed.flat, image=matched(same_scale.image, preprocessed.flat.image)
            )
            cut_of = partial(cut_windows, samples[members], version)
            windows[members] = smoothed(cut_of, size, rng)
    return windows
