"""Labelled micrographs, and training windows cut from them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from deepcryopicker.class_set.cutting import cut_windows, matched, smoothed
from deepcryopicker.class_set.heat import heat_targets
from deepcryopicker.class_set.samples import (
    Samples,
    draw_samples,
    require_both_kinds,
)
from deepcryopicker.class_set.sampling_sites import Sites, find_sites
from deepcryopicker.class_set.window_store import empty_windows, selected
from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.pipeline.inputs.prefetch import track_ahead
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.steps import stages, to_model_scale
from deepcryopicker.runs.attempts import Attempts
from deepcryopicker.types import Candidates, Image, Picks, Strings, TrainingSet


@dataclass(frozen=True)
class LabelledMicrograph:
    """A labelled micrograph.

    Attributes
    ----------
    entry : Entry
    sites : Sites
        Positions at which windows may be cut.
    diameter : float
        Particle diameter, original pixels.
    picks : Picks
        All candidates of the labeler.
    reason : (N,) str
        Reason why a candidate is not used for training; empty if it is used.
    pixel_size : float or None
        Angstrom per original pixel, None if unknown.
    imitation : bool
        Whether it was simulated like the given micrographs, at the working scale.
    """

    entry: Entry
    sites: Sites
    diameter: float
    picks: Picks
    reason: Strings
    pixel_size: float | None = None
    imitation: bool = False


def with_sites(
    entry: Entry,
    preprocessed: Preprocessed,
    candidates: Candidates,
    size: int,
    config: TrainConfig,
    number: int,
) -> LabelledMicrograph:
    """List the positions of a micrograph at which windows can be cut, with its labels.

    Parameters
    ----------
    entry : Entry
    preprocessed : Preprocessed
    candidates : Candidates
    size : int
        Side of the windows, working pixels.
    config : TrainConfig
    number : int
        Index among the labelled micrographs; with the seed it determines the random positions.
    """
    rng = np.random.default_rng([config.seed, number])
    sites = sites_of(preprocessed, candidates, size, config, rng)
    return LabelledMicrograph(
        entry,
        sites,
        preprocessed.diameter,
        candidates.picks,
        candidates.reason,
        preprocessed.micrograph.pixel_size,
    )


def sites_of(
    preprocessed: Preprocessed,
    candidates: Candidates,
    size: int,
    config: TrainConfig,
    rng: np.random.Generator,
) -> Sites:
    """List the positions of one micrograph at which windows can be cut.

    Parameters
    ----------
    preprocessed : Preprocessed
    candidates : Candidates
    size : int
        Side of the windows, working pixels.
    config : TrainConfig
    rng : numpy.random.Generator
        For random background positions.
    """
    shape = preprocessed.micrograph.image.shape
    window = size * preprocessed.diameter / preprocessed.working_diameter
    class_set = config.class_set
    if class_set.edge is None and isinstance(config.labeler, TruthConfig):
        class_set = replace(class_set, edge=0.0)
    return find_sites(candidates, shape, preprocessed.diameter, window, class_set, rng)


def cut_training_set(
    sources: Sequence[LabelledMicrograph], size: int, config: TrainConfig, attempts: Attempts
) -> TrainingSet:
    """Draw the samples and cut their windows.

    Micrographs are read a second time rather than kept in memory, because windows of 227 pixels
    need enlarged micrographs.

    Parameters
    ----------
    sources : sequence of LabelledMicrograph
    size : int
        Side of the windows, working pixels.
    config : TrainConfig
    attempts : Attempts

    Raises
    ------
    NothingUsableError
        If there are no windows of particles, or only windows of particles.
    """
    groups = [one.entry.group for one in sources]
    samples = draw_samples([one.sites for one in sources], groups, config.class_set, config.seed)
    windows = empty_windows(len(samples), size, attempts.folder)
    kept = np.zeros(len(samples), bool)
    shown = [(i, source) for i, source in enumerate(sources) if (samples.micrograph == i).any()]

    def cut(numbered: tuple[int, LabelledMicrograph]) -> Image:
        index, source = numbered
        rng = np.random.default_rng([config.seed, index])
        return _cut(source, samples[samples.micrograph == index], size, config, rng)

    for (index, source), take in track_ahead(shown, cut, "cutting training windows from"):
        cuts = attempts.attempt("cut", source.entry.name, source.entry.path, take)
        if cuts is not None:
            members = samples.micrograph == index
            windows[members] = cuts
            kept[members] = True
    attempts.require(int(kept.sum()), "cutting")
    chosen = samples[kept]
    require_both_kinds(chosen)
    if not kept.all():
        windows = selected(windows, np.flatnonzero(kept), attempts.folder)
    return training_set_of(windows, chosen, groups, config.class_set.classes)


def training_set_of(
    windows: Image, samples: Samples, groups: Sequence[str], classes: Sequence[str]
) -> TrainingSet:
    """Combine the windows of samples with their targets.

    Parameters
    ----------
    windows : (N, S, S) float32 or float16
    samples : Samples
        N samples.
    groups : sequence of str
        Dataset of each micrograph.
    classes : sequence of str
        Class names by index.
    """
    return TrainingSet(
        windows,
        samples.target,
        heat_targets(samples, classes),
        samples.split,
        np.array(groups)[samples.micrograph],
        samples.unit,
        samples.site,
        tuple(classes),
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
