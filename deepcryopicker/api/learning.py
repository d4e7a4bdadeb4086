"""Train a network on given particles."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from lightning.pytorch.utilities.seed import isolate_rng

from deepcryopicker.api.finding import PickerOption, as_option
from deepcryopicker.api.micrographs import Given, as_entries, plain_errors, with_diameter
from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.config.options import read_option
from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.inside import within
from deepcryopicker.dataset.schema import FolderConfig
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.console import quiet
from deepcryopicker.labeler.schema import AutoConfig, TruthConfig
from deepcryopicker.labeler.truth import label_by_picks
from deepcryopicker.model.build import ModelConfig
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.schema import DenseConfig, SlidingConfig
from deepcryopicker.pipeline.training.fitting.fit_network import (
    as_trained,
    fit_and_test,
    new_network,
)
from deepcryopicker.pipeline.training.labelled_windows import (
    LabelledMicrograph,
    cut_training_set,
    with_sites,
)
from deepcryopicker.pipeline.training.self_training import Scored, Sources, train_in_rounds
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.attempts import AllOrNothing
from deepcryopicker.trainer.schema import TrainerConfig
from deepcryopicker.types import Candidates, Picks, TrainingSet

Labels = Picks | Candidates
Option = str | Mapping[str, Any]


def train_network(
    micrographs: Sequence[Given],
    labels: Sequence[Labels],
    *,
    diameter: float | None = None,
    diameter_angstrom: float | None = None,
    pixel_size: float | None = None,
    polarity: str = "dark",
    model: Option | ModelConfig = "compact",
    class_set: Option | ClassSetConfig = "four_no_negative",
    trainer: Option | TrainerConfig = "default",
    picker: PickerOption = "dense",
    rounds: int | None = None,
    start_from: str | Path | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Trained:
    """Train a network on given particles, as ``train labeler=truth`` does.

    Parameters
    ----------
    micrographs : sequence of M arrays, files or Micrograph
        Of one kind of particle.
    labels : sequence of M Picks or of M Candidates
        Particles of each micrograph, as completely as possible, because everything else counts as
        background. Candidates of :func:`find_particles` are used as in ``train`` without labels.
    diameter, diameter_angstrom, pixel_size, polarity
        As for :func:`pick_micrograph`; without a diameter it is the median of the labels', or
        else an estimate.
    model, class_set, trainer, picker : str, mapping or configuration
        Name of an option in ``conf/model``, ``conf/class-set``, ..., or the keys that differ from
        the default, such as ``{"epochs": 20}``. Scores are calibrated for this picker.
    rounds : int, optional
        Number of trainings. Default: 2 on Picks (false picks of the first network become
        contaminants of the second), else 1.
    start_from : str or Path, optional
        Weights to start from, such as ``general``; of the same model, classes and preprocessing.
    seed : int
        The same seed gives the same weights on the same CPU.
    progress : bool
        Show progress lines.

    Returns
    -------
    Trained
        For :func:`pick_micrograph` and :func:`save_weights`. ``provenance["patches"]`` has the
        scores on test windows.

    Raises
    ------
    MicrographError
        A micrograph cannot be used.
    UsageError
        An argument is wrong.
    NothingUsableError
        There are too few particles for training and validation.
    """
    given = _given(labels, len(micrographs))
    entries = as_entries(
        micrographs,
        diameter=_common(labels) if diameter is diameter_angstrom is None else diameter,
        diameter_angstrom=diameter_angstrom,
        pixel_size=pixel_size,
        polarity=polarity,
    )
    config = TrainConfig(
        seed=seed,
        rounds=rounds,
        start_from=None if start_from is None else str(start_from),
        dataset=FolderConfig("python", micrographs="given", coordinates="given"),
        preprocessing=read_option("preprocessing", "default"),
        labeler=TruthConfig() if given else AutoConfig(),
        class_set=as_option("class-set", "four_no_negative", class_set, ClassSetConfig),
        model=as_option("model", "compact", model, ModelConfig),
        trainer=as_option("trainer", "default", trainer, TrainerConfig),
        picker=as_option("picker", "dense", picker, DenseConfig | SlidingConfig),
    )
    with quiet(not progress), plain_errors(), _undisturbed(), TemporaryDirectory() as folder:
        entries = with_diameter(entries, config.preprocessing)
        return _train(entries, labels, config, Path(folder))


def _train(
    entries: Sequence[Entry], labels: Sequence[Labels], config: TrainConfig, folder: Path
) -> Trained:
    """Train in a folder for checkpoints."""
    attempts = AllOrNothing()
    network = new_network(config)
    sources = []
    for number, (entry, known) in enumerate(zip(entries, labels, strict=True)):
        work = partial(_label, entry, known, network.window, config, number)
        sources.append(attempts.attempt("label", entry.name, entry.path, work))

    def fit(network: Network, training_set: TrainingSet, sources: Sources, number: int) -> Scored:
        place = folder / str(number)
        place.mkdir()
        tested = fit_and_test(
            network, training_set, sources, config, place, attempts, number=number
        )
        trained = as_trained(network, training_set, sources, config, tested, attempts)
        return trained, None if tested is None else tested.scores

    cut = partial(cut_training_set, size=network.window, config=config, attempts=attempts)
    return train_in_rounds(network, sources, config, attempts, cut, fit)[0]


def _label(
    entry: Entry, known: Labels, size: int, config: TrainConfig, number: int
) -> LabelledMicrograph:
    """Combine a micrograph with its labels and list the sites of windows."""
    micrograph = entry.load()
    diameter = entry.particle_diameter(micrograph)
    preprocessed = Preprocessed(micrograph, diameter, config.preprocessing)
    if preprocessed.is_blank:
        raise MicrographError("every pixel has the same value")
    if isinstance(known, Picks):
        inside = within(Path(f"labels[{number}]"), known, micrograph.image.shape)
        known = label_by_picks(preprocessed, inside, Picks.empty())
    return with_sites(entry, preprocessed, known, size, config, number)


def _given(labels: Sequence[Labels], micrographs: int) -> bool:
    """Whether the labels are Picks, and not Candidates; a mixture is refused.

    Raises
    ------
    UsageError
    """
    if isinstance(labels, Labels) or len(labels) != micrographs:
        count = 1 if isinstance(labels, Labels) else len(labels)
        raise UsageError(
            f"labels has {count} sets of particles for {micrographs} micrographs; give one for each"
        )
    kinds = {type(one) for one in labels}
    if kinds not in ({Picks}, {Candidates}):
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise UsageError(f"labels must all be Picks, or all Candidates, got {names}")
    return kinds == {Picks}


def _common(labels: Sequence[Labels]) -> float | None:
    """Return the median diameter of the labels, original pixels; None if they have none."""
    every = [one if isinstance(one, Picks) else one.picks for one in labels]
    known = np.concatenate([picks.diameter for picks in every])
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else None


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Restore the caller's random state and environment, which Lightning and torch change."""
    before = dict(os.environ)
    with isolate_rng():
        try:
            yield
        finally:
            for name in os.environ.keys() - before.keys():
                del os.environ[name]
            os.environ.update(before)
