"""Training windows drawn anew for every epoch, from micrographs kept in memory."""

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial

import numpy as np

from deepcryopicker.class_set.cutting import cut_windows
from deepcryopicker.class_set.samples import draw_samples
from deepcryopicker.class_set.sampling_sites import Sites
from deepcryopicker.class_set.window_store import empty_windows
from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.io.console import track
from deepcryopicker.pipeline.training.labelled_windows import (
    LabelledMicrograph,
    training_set_of,
)
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.attempts import Attempts
from deepcryopicker.types import Micrograph, TrainingSet


class RedrawnWindows:
    """Draws the training windows of each epoch from all positions.

    Parameters
    ----------
    sources : sequence of LabelledMicrograph
        Read at once; preprocessed micrographs are kept in half precision. Those that cannot be
        read are left out.
    size : int
        Side of the windows, working pixels.
    config : TrainConfig
    attempts : Attempts
    """

    def __init__(
        self,
        sources: Sequence[LabelledMicrograph],
        size: int,
        config: TrainConfig,
        attempts: Attempts,
    ) -> None:
        self._size = size
        self._config = config
        self._folder = attempts.folder
        self._groups = [one.entry.group for one in sources]
        self._flat: list[Micrograph | None] = []
        for source in track(sources, "reading for training"):
            work = partial(_read, source, config)
            self._flat.append(attempts.attempt("cut", source.entry.name, source.entry.path, work))
        self._sites = [
            _without_positions(source.sites) if flat is None else source.sites
            for source, flat in zip(sources, self._flat, strict=True)
        ]

    def __call__(self, epoch: int) -> TrainingSet:
        """Return the training windows of an epoch, the same number in each.

        Parameters
        ----------
        epoch : int
            From 0.
        """
        config = self._config
        drawn = draw_samples(self._sites, self._groups, config.class_set, config.seed, epoch)
        samples = drawn[drawn.split == "train"]
        windows = empty_windows(len(samples), self._size, self._folder)
        for index in np.unique(samples.micrograph):
            flat = self._flat[index]
            assert flat is not None  # positions of unread micrographs are not drawn
            members = np.flatnonzero(samples.micrograph == index)
            single = replace(flat, image=flat.image.astype(np.float32))
            windows[members] = cut_windows(samples[members], single, self._size)
        return training_set_of(windows, samples, self._groups, config.class_set.classes)


def _read(source: LabelledMicrograph, config: TrainConfig) -> Micrograph:
    """Return the preprocessed micrograph in half precision."""
    flat = Preprocessed(source.entry.load(), source.diameter, config.preprocessing).flat
    return replace(flat, image=flat.image.astype(np.float16))


def _without_positions(sites: Sites) -> Sites:
    return Sites(**{field.name: getattr(sites, field.name)[:0] for field in fields(sites)})
