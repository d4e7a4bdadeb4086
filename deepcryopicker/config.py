"""The configuration of every command, assembled from the groups' schemas."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from deepcryopicker.dataset.schema import CombinedConfig, FolderConfig
from deepcryopicker.dataset.shard import Shard
from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.labeler.schema import (
    TruthConfig,
)
from deepcryopicker.picker.learned.schema import (
    LearnedConfig,
)
from deepcryopicker.picker.schema import (
    LabelerPickerConfig,
    NetworkPickerConfig,
)

STOPS = ("scales", "network", "speed", "samples", "weights", "picks")
MISSING_PICKS = ("skip", "missed")


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
        Run folder or weights file of an earlier training that this one goes on from.
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
class WatchingSection:
    """How a folder is followed.

    Attributes
    ----------
    every : float
        Seconds between two looks. A file is picked once it is as large as its header promises
        and did not change from one look to the next.
    idle : float or None
        Stop after so many seconds in which nothing new came; null waits for the stop file.
    patience : float
        Seconds after which a file that is not whole and does not change has failed.
    refresh : float
        Seconds after which ``summary.csv`` and RELION's lists are written anew, at most so often.
    """

    every: float = 5.0
    idle: float | None = None
    patience: float = 300.0
    refresh: float = 300.0

    def __post_init__(self) -> None:
        for key in ("every", "idle", "patience", "refresh"):
            value = getattr(self, key)
            if value is not None and value <= 0:
                raise UsageError(f"watching.{key} must be > 0 seconds, got {value:g}")


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
class EvaluateSection:
    """What to compare.

    Attributes
    ----------
    picks : str
        Folder with ``<stem>.csv``, ``.star``, ``.box`` or ``.cbox`` of any picker, or one file
        with the picks of many micrographs: a ``particles.star`` or Topaz's table.
    truth : str
        The same with the true particles; in a folder ``<stem>.uncertain.csv`` lists places that
        count neither way.
    radius : float or None
        Farthest a hit may lie from its particle, original pixels; null is half the median
        diameter in the truth.
    threshold : float
        Score from which a candidate counts as picked. Any number, because other programs' scores
        are not probabilities (Topaz's are log-odds); one below all scores takes every
        candidate.
    against : str or None
        Picks of a second picker, to be compared with the first.
    against_threshold : float or None
        Its threshold; null is the first one's.
    missing : str
        What truth without picks means: ``skip`` leaves the micrograph out, ``missed`` counts its
        particles as missed, because the picker found none there.
    """

    picks: str = MISSING
    truth: str = MISSING
    radius: float | None = None
    threshold: float = 0.5
    against: str | None = None
    against_threshold: float | None = None
    missing: str = "skip"

    def __post_init__(self) -> None:
        if self.radius is not None and self.radius <= 0:
            raise UsageError(f"evaluate.radius must be > 0 pixels, got {self.radius:g}")
        if self.missing not in MISSING_PICKS:
            raise UsageError(f"evaluate.missing: {unknown('choice', self.missing, MISSING_PICKS)}")
        if self.against is None and self.against_threshold is not None:
            raise UsageError("evaluate.against_threshold needs evaluate.against=DIR")


@dataclass
class EvaluateConfig:
    """``python -m deepcryopicker.evaluate``."""

    evaluate: EvaluateSection = field(default_factory=EvaluateSection)


@dataclass
class ReportSection:
    """What to show.

    Attributes
    ----------
    runs : list of str
        Folders of runs and of sweeps, of which every job is taken.
    title : str
    picture_megabytes : float
        The micrographs together are made to fit into so much of the file; with 0 none is shown.
    figures : bool
        Whether to draw the paper's figures from these runs, into ``figures/`` and into the page.
    """

    runs: list[str] = MISSING
    title: str = "Particle picking report"
    picture_megabytes: float = 8.0
    figures: bool = True

    def __post_init__(self) -> None:
        if not self.runs:
            raise UsageError("report.runs is empty: name run folders, report.runs=[DIR,DIR]")
        if not 0 <= self.picture_megabytes <= 1000:
            raise UsageError(
                f"report.picture_megabytes must lie in [0, 1000], got {self.picture_megabytes:g}"
            )


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
