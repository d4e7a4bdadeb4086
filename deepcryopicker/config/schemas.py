"""The configuration of the commands that read micrographs, assembled from the groups' schemas."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from deepcryopicker.config.sections import WatchingSection
from deepcryopicker.dataset.schema import CombinedConfig, FolderConfig
from deepcryopicker.dataset.shard import Shard
from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.labeler.schema import StructureConfig, TruthConfig
from deepcryopicker.picker.schema import LabelerPickerConfig, NetworkPickerConfig
from deepcryopicker.rivals.learned.schema import LearnedConfig

DESCRIBED = ("network", "speed")
"""Values of ``until`` that print a table and need no micrographs."""
TABLES = ("scales", *DESCRIBED)
"""Values of ``until`` that print a table."""
STOPS = (*TABLES, "samples", "weights", "picks")
OUTPUTS = ("csv", "relion", "box", "cbox", "topaz")


@dataclass
class RunConfig:
    """Settings of every command that processes micrographs.

    Attributes
    ----------
    seed : int
        The same configuration and seed on the same machine give the same picks.
    overlays : int
        Number of micrographs with an overlay picture, counted from the first.
    reference : dict
        Published numbers for the table of a sweep, without effect on the run: from a metric as
        named in ``sweep.csv`` to choices as typed and their numbers, such as
        ``patches.average_precision: {class-set=five: 0.98}``.
    redo : bool
        Run again what is finished in this folder: a job of a sweep, or, for ``pick``, every
        micrograph, picked with any configuration.
    """

    seed: int = 0
    overlays: int = 24
    redo: bool = False
    reference: dict[str, dict[str, float]] = field(default_factory=dict)
    # Any, because each group has several schemas; every schema itself is strict.
    dataset: Any = MISSING
    preprocessing: Any = MISSING
    logger: Any = MISSING

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if self.overlays < 0:
            raise UsageError(f"overlays must be >= 0, got {self.overlays}")


@dataclass
class PickingConfig(RunConfig):
    """Settings of every command that writes picks.

    Attributes
    ----------
    outputs : list of str
        Formats of the picks: ``csv`` (``picks/``, always written), ``relion`` (STAR for RELION and
        cryoSPARC), ``box`` (EMAN), ``cbox`` (crYOLO) and ``topaz`` (one table, ``topaz.txt``).
    """

    outputs: list[str] = field(default_factory=lambda: ["csv", "relion"])

    def __post_init__(self) -> None:
        super().__post_init__()
        check_outputs(self.outputs)


@dataclass
class TrainConfig(PickingConfig):
    """``python -m deepcryopicker.train``.

    Attributes
    ----------
    max_label_micrographs : int or None
        Maximum number of micrographs to learn from, spread evenly over the dataset. Null: 64 for
        labelers that find particles; with given labels as many as can add a window, which is
        ``class_set.samples_per_class``. Labelled micrographs beyond it are scored.
    until : str
        Last step: ``scales`` (print the scales that the paper's rule gives these micrographs),
        ``network`` (print the layers), ``speed`` (print the duration of scans), ``samples`` (the
        training set), ``weights`` (trained, and tested on windows) or ``picks``.
    rounds : int or None
        Number of trainings: from the second round on, labels are those on which labeler and
        network agree; if labels are given, false picks become contaminants. Null is two if labels
        are given, else one.
    start_from : str or None
        Run folder or weights file of an earlier training that is continued; ``general`` for the
        weights that come with the program.
    held_out : float or None
        Share of the micrographs with truth that are excluded from training and, alone, picked and
        scored; with fewer than three micrographs, spatial blocks. Null: all are picked, and if the
        labels are the truth, those held out by ``class_set.test`` are scored; separately trained
        pickers hold out the same share.
    calibrate_on_known : bool
        Also score the picks at the threshold found with the truth of the micrographs not held out,
        in the same way for every picker; needs `held_out`.
    held_out_member : str or None
        Member of a combined dataset that is excluded from training and, alone, picked and scored.
    adapt : bool
        Continue training the network, trained on the other members, on the one held out, with
        particles found there without labels.
    keep_better : bool
        Pick with the general weights where the training fails, or where its network stands out
        less from noise on these micrographs than they do; and learn nothing as background where
        they find a particle.
    baseline : picker or None
        Second picker, run and scored beside the network.
    """

    max_label_micrographs: int | None = None
    until: str = "picks"
    rounds: int | None = None
    start_from: str | None = None
    held_out: float | None = None
    calibrate_on_known: bool = False
    held_out_member: str | None = None
    adapt: bool = False
    keep_better: bool = False
    labeler: Any = MISSING
    class_set: Any = MISSING
    model: Any = MISSING
    trainer: Any = MISSING
    picker: Any = MISSING
    baseline: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_label_micrographs is not None and self.max_label_micrographs < 1:
            raise UsageError(
                f"max_label_micrographs must be at least 1, got {self.max_label_micrographs}"
            )
        if self.rounds is not None and not 1 <= self.rounds <= 10:
            raise UsageError(f"rounds must lie in [1, 10], got {self.rounds}")
        if self.held_out is not None and not 0 < self.held_out < 1:
            raise UsageError(f"held_out must lie between 0 and 1, got {self.held_out:g}")
        if self.calibrate_on_known and self.held_out is None:
            raise UsageError(
                "calibrate_on_known=true needs micrographs to calibrate on: set held_out=0.5"
            )
        if self.until not in STOPS:
            raise UsageError(f"until: {unknown('stop', self.until, STOPS)}")
        self._check_held_out_member()
        _require_truth(self.labeler, self.dataset)
        _refuse_labeler("picker", self.picker)
        _refuse_labeler("baseline", self.baseline)

    def _check_held_out_member(self) -> None:
        if self.held_out_member is None:
            if self.adapt:
                raise UsageError("adapt=true needs held_out_member=MEMBER, the dataset to adapt to")
            return
        if not isinstance(self.dataset, CombinedConfig):
            raise UsageError("held_out_member needs a dataset with members, such as dataset=paper")
        if self.held_out_member not in self.dataset.members:
            raise UsageError(
                f"held_out_member: {unknown('member', self.held_out_member, self.dataset.members)}"
            )
        if len(self.dataset.members) == 1 and self.dataset.simulated is None:
            raise UsageError(
                f"held_out_member={self.held_out_member} leaves no dataset to train on"
            )
        if self.held_out is not None:
            raise UsageError("held_out_member and held_out cannot be combined: remove one of them")
        if self.adapt and not isinstance(self.picker, NetworkPickerConfig):
            raise UsageError("adapt=true trains a network: use picker=dense or picker=sliding")


@dataclass
class LabelConfig(RunConfig):
    """``python -m deepcryopicker.label``."""

    labeler: Any = MISSING

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_truth(self.labeler, self.dataset)


@dataclass
class PickConfig(PickingConfig):
    """``python -m deepcryopicker.pick``; the labeler estimates the diameter if none is given.

    Attributes
    ----------
    shard : str or None
        ``1/4``, ..., ``4/4``: pick a quarter on each of four machines, with the same run folder;
        the last one to finish merges the parts.
    watch : bool
        Watch the folder ``dataset.micrographs`` and pick new files, until a file ``STOP`` appears
        in the run folder.
    watching : WatchingSection
    """

    shard: str | None = None
    watch: bool = False
    watching: WatchingSection = field(default_factory=WatchingSection)
    labeler: Any = MISSING
    picker: Any = MISSING

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_labeler("picker", self.picker)
        if self.shard is not None:
            Shard.parse(self.shard)
        if self.watch:
            _refuse_watching(self.dataset, self.picker)


def check_seed(seed: int) -> None:
    """Refuse a seed that random generators do not take."""
    if not 0 <= seed < 2**32:
        raise UsageError(f"seed must lie in [0, 2**32), got {seed}")


def check_outputs(outputs: list[str]) -> None:
    """Refuse unknown formats of picks."""
    for each in outputs:
        if each not in OUTPUTS:
            raise UsageError(f"outputs: {unknown('format', each, OUTPUTS)}")


def _require_truth(labeler: Any, dataset: Any) -> None:
    if not isinstance(labeler, TruthConfig) or not isinstance(dataset, FolderConfig):
        return
    if dataset.coordinates is None:
        raise UsageError("labeler=truth needs given coordinates: set dataset.coordinates=DIR")


def _refuse_watching(dataset: Any, picker: Any) -> None:
    """Refuse to watch anything but a folder, or with a picker that needs all micrographs first."""
    if not isinstance(dataset, FolderConfig):
        raise UsageError("watch=true needs a folder: dataset=folder dataset.micrographs=DIR")
    if dataset.coordinates is not None:
        raise UsageError("watch=true does not score picks: leave out dataset.coordinates")
    if not isinstance(picker, NetworkPickerConfig | LearnedConfig):
        raise UsageError(
            "watch=true needs a trained network, picker.weights=RUN: other pickers have to read "
            "all micrographs before they pick the first"
        )


def _refuse_labeler(key: str, picker: Any) -> None:
    """Refuse a labeler as a picker if it finds no particles in micrographs."""
    for kind, name, why in (
        (TruthConfig, "truth", "only returns the given coordinates"),
        (StructureConfig, "structure", "simulates micrographs to train on"),
    ):
        if isinstance(picker, LabelerPickerConfig) and isinstance(picker.labeler, kind):
            raise UsageError(
                f"{key}.labeler={name} cannot be used as a picker: it {why}; choose another one, "
                f"such as labeler@{key}.labeler=auto"
            )
