"""The configuration of every command, assembled from the groups' schemas."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from deepcryopicker.config.sections import EvaluateSection, ReportSection, WatchingSection
from deepcryopicker.dataset.schema import CombinedConfig, FolderConfig
from deepcryopicker.dataset.shard import Shard
from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.picker.schema import LabelerPickerConfig, NetworkPickerConfig
from deepcryopicker.rivals.learned.schema import LearnedConfig

STOPS = ("scales", "network", "speed", "samples", "weights", "picks")


@dataclass
class RunConfig:
    """What every command that works on micrographs has.

    Attributes
    ----------
    seed : int
        Same configuration and seed on the same machine give the same picks.
    overlays : int
        How many micrographs get an overlay picture; the first ones are taken.
    reference : dict
        Published numbers, for the table of a sweep: a metric as ``sweep.csv`` names it, and under
        it the choices that they are of as they are typed, such as
        ``patches.average_precision: {class-set=five: 0.98}``. They do not change the run.
    """

    seed: int = 0
    overlays: int = 24
    reference: dict[str, dict[str, float]] = field(default_factory=dict)
    # The groups are duck-typed here because each has several schemas; each schema is strict.
    dataset: Any = MISSING
    preprocessing: Any = MISSING

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"seed must lie in [0, 2**32), got {self.seed}")
        if self.overlays < 0:
            raise UsageError(f"overlays must be >= 0, got {self.overlays}")


@dataclass
class TrainConfig(RunConfig):
    """``python -m deepcryopicker.train``.

    Attributes
    ----------
    micrographs_to_label : int
        The labeler sees at most so many micrographs, spread evenly over the dataset.
    until : str
        Where to stop: ``scales`` (show the paper's), ``network`` (show its layers), ``speed``
        (show how long its scans take), ``samples`` (the training set), ``weights`` (trained, and
        tested on windows) or ``picks``.
    rounds : int or None
        How often is trained: from the second round on, labels are what labeler and network agree
        on; where labels are given, false picks become contaminants. Null is twice where they are
        given, else once.
    start_from : str or None
        Run folder or weights file of an earlier training that this one goes on from; ``general``
        for the weights that come with the program.
    held_out : float or None
        Share of the micrographs with truth that nothing learns from, and that alone are picked
        and scored; of a dataset with fewer than three, spatial blocks. Null: all are picked, and
        where the labels are the truth those are scored that ``class_set.test`` keeps apart;
        pickers that are trained by themselves hold out so many.
    left_out : str or None
        Member of a combined dataset that nothing learns from, and that alone is picked and scored.
    adapt : bool
        Let the network, trained on the other members, go on learning from the one left out, with
        particles found there without labels.
    baseline : picker or None
        Picked and scored beside the network.
    """

    micrographs_to_label: int = 64
    until: str = "picks"
    rounds: int | None = None
    start_from: str | None = None
    held_out: float | None = None
    left_out: str | None = None
    adapt: bool = False
    labeler: Any = MISSING
    class_set: Any = MISSING
    model: Any = MISSING
    trainer: Any = MISSING
    picker: Any = MISSING
    baseline: Any = None
    logger: Any = MISSING

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.micrographs_to_label < 1:
            raise UsageError(
                f"micrographs_to_label must be at least 1, got {self.micrographs_to_label}"
            )
        if self.rounds is not None and not 1 <= self.rounds <= 10:
            raise UsageError(f"rounds must lie in [1, 10], got {self.rounds}")
        if self.held_out is not None and not 0 < self.held_out < 1:
            raise UsageError(f"held_out must lie between 0 and 1, got {self.held_out:g}")
        if self.until not in STOPS:
            raise UsageError(f"until: {unknown('stop', self.until, STOPS)}")
        self._check_left_out()
        _require_truth(self.labeler, self.dataset)
        _refuse_truth("picker", self.picker)
        _refuse_truth("baseline", self.baseline)

    def _check_left_out(self) -> None:
        if self.left_out is None:
            if self.adapt:
                raise UsageError("adapt=true needs left_out=MEMBER: what is adapted to")
            return
        if not isinstance(self.dataset, CombinedConfig):
            raise UsageError("left_out needs a dataset with members, such as dataset=paper")
        if self.left_out not in self.dataset.members:
            raise UsageError(f"left_out: {unknown('member', self.left_out, self.dataset.members)}")
        if len(self.dataset.members) == 1 and self.dataset.simulated is None:
            raise UsageError(f"left_out={self.left_out}: nothing is left to learn from")
        if self.held_out is not None:
            raise UsageError("left_out and held_out exclude each other: leave one of them out")
        if self.adapt and not isinstance(self.picker, NetworkPickerConfig):
            raise UsageError("adapt=true goes on training a network: use picker=dense or sliding")


@dataclass
class LabelConfig(RunConfig):
    """``python -m deepcryopicker.label``."""

    labeler: Any = MISSING

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_truth(self.labeler, self.dataset)


@dataclass
class PickConfig(RunConfig):
    """``python -m deepcryopicker.pick``; the labeler estimates the diameter if none is given.

    Attributes
    ----------
    redo : bool
        Pick all again, also what an earlier run in this folder has finished, with whatever
        configuration.
    shard : str or None
        ``1/4``, ..., ``4/4``: pick a quarter, on each of four machines. The same run folder is
        given to all; the last to end puts the parts together.
    watch : bool
        Follow the folder ``dataset.micrographs`` and pick what arrives, until there is a file
        ``STOP`` in the run folder.
    watching : WatchingSection
    """

    redo: bool = False
    shard: str | None = None
    watch: bool = False
    watching: WatchingSection = field(default_factory=WatchingSection)
    labeler: Any = MISSING
    picker: Any = MISSING

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_truth("picker", self.picker)
        if self.shard is not None:
            Shard.parse(self.shard)
        if self.watch:
            _refuse_watching(self.dataset, self.picker)


@dataclass
class EvaluateConfig:
    """``python -m deepcryopicker.evaluate``."""

    evaluate: EvaluateSection = field(default_factory=EvaluateSection)


@dataclass
class ReportConfig:
    """``python -m deepcryopicker.report``."""

    report: ReportSection = field(default_factory=ReportSection)


def _require_truth(labeler: Any, dataset: Any) -> None:
    if not isinstance(labeler, TruthConfig) or not isinstance(dataset, FolderConfig):
        return
    if dataset.coordinates is None:
        raise UsageError("labeler=truth needs picks: set dataset.coordinates to their folder")


def _refuse_watching(dataset: Any, picker: Any) -> None:
    """Refuse to follow what is no folder, and to pick by what has to see all micrographs first."""
    if not isinstance(dataset, FolderConfig):
        raise UsageError("watch=true follows a folder: dataset=folder dataset.micrographs=DIR")
    if dataset.coordinates is not None:
        raise UsageError("watch=true scores nothing: leave out dataset.coordinates")
    if not isinstance(picker, NetworkPickerConfig | LearnedConfig):
        raise UsageError(
            "watch=true needs a trained network, picker.weights=RUN: what picks without one has "
            "to see all micrographs before the first is picked"
        )


def _refuse_truth(key: str, picker: Any) -> None:
    if isinstance(picker, LabelerPickerConfig) and isinstance(picker.labeler, TruthConfig):
        raise UsageError(
            f"{key}.labeler: truth picks nothing new; choose another labeler, such as "
            f"labeler@{key}.labeler=auto"
        )
