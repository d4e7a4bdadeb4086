"""Configuration of the class sets (conf/class-set)."""

from dataclasses import dataclass, field

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.types import BACKGROUND, NEGATIVE, PARTICLE, SHAPES

CLASSES = (*SHAPES, PARTICLE, BACKGROUND, NEGATIVE)
SPLIT_BY = ("micrograph", "copy")
ROTATIONS = ("fill", "all", "none")
_SHARES = (
    "off_centre_share",
    "between_share",
    "contaminant_share",
    "augmented",
)


@dataclass
class ClassSetConfig:
    """Classes of the network, and the sampling of their windows (METHOD.md 7).

    Attributes
    ----------
    classes : list of str
        In the order of the network's outputs. ``particle`` stands for all three shapes. Without
        ``negative`` off-centre windows belong to ``background``; without ``background`` there are
        no empty windows.
    samples_per_class : int
        Maximum over all splits; a class with too few positions is filled up with rotated copies,
        then by repetition.
    background_windows : float
        Windows of the background class per window of another class. Most of a micrograph is
        background: more of it keeps a network from false picks on what it has rarely seen.
    balanced : bool
        Whether all classes of particles have equally many windows. Otherwise they are as frequent
        as their positions, ``samples_per_class`` each on average.
    rotations : str
        Copies rotated by 90, 180 and 270 degrees: ``fill`` adds them if there are too few
        positions, ``all`` uses each position in all four orientations (the paper: 375 positions
        give 1500 windows), ``none`` adds none.
    off_centre_share : float
        Share of the background class that is off-centre windows where there is no ``negative``.
    off_centre : list of float
        Minimum and maximum shift of off-centre windows, in diameters.
    between_share : float
        Share of the off-centre windows that places midway between touching particles take the
        place of, where there are such; each is taken in four turns at the most.
    contaminant_share : float
        Share of the other off-centre windows that contaminants take the place of, where the
        labeler found some; each is taken in four turns at the most.
    edge : float or None
        Minimum distance of a particle's centre from the edge of the micrograph, in diameters. Half
        a diameter excludes particles cut by the edge. Null: 0 where labels are given, else 0.5.
    augmented : float
        Fraction of the training windows cut from another version of the micrograph, as in the
        paper's data augmentation: a random step of the chain, smoothed at random.
    test : float
        Fraction of the micrographs for testing: 0.2 in the paper's methods, 0.3 in its text.
    validation : float
        Fraction of the others for the choice of the best epoch and the temperature. With 1500
        samples and 0.2 for both, a class has 960, 240 and 300.
    split_by : str
        ``micrograph``, or ``copy``: rotated copies at random, as the paper seems to have done.
        The latter leaks test data and serves to measure this effect.
    """

    classes: list[str] = field(default_factory=list)
    samples_per_class: int = 1500
    background_windows: float = 1.0
    balanced: bool = True
    rotations: str = "fill"
    off_centre_share: float = 0.5
    off_centre: list[float] = field(default_factory=lambda: [0.35, 0.8])
    between_share: float = 0.0
    contaminant_share: float = 0.5
    edge: float | None = None
    augmented: float = 0.0
    test: float = 0.2
    validation: float = 0.2
    split_by: str = "micrograph"

    def __post_init__(self) -> None:
        self._check_classes()
        if self.samples_per_class < 8:
            raise UsageError(
                f"class_set.samples_per_class must be at least 8, got {self.samples_per_class}"
            )
        if not 0 < self.background_windows < float("inf"):
            raise UsageError(
                f"class_set.background_windows must be > 0, got {self.background_windows:g}"
            )
        for key in _SHARES:
            if not 0 <= getattr(self, key) <= 1:
                raise UsageError(f"class_set.{key} must lie in [0, 1], got {getattr(self, key):g}")
        if self.edge is not None and not 0 <= self.edge <= 0.5:
            raise UsageError(f"class_set.edge must lie in [0, 0.5], got {self.edge:g}")
        if not 0 <= self.test < 1:
            raise UsageError(f"class_set.test must lie in [0, 1), got {self.test:g}")
        if not 0 < self.validation < 1:
            raise UsageError(
                f"class_set.validation must lie in (0, 1), got {self.validation:g}: "
                "it is needed to choose the best epoch"
            )
        if len(self.off_centre) != 2 or not 0 < self.off_centre[0] < self.off_centre[1]:
            raise UsageError(
                f"class_set.off_centre must be [nearest, farthest], got {self.off_centre}"
            )
        for key, choices in (("rotations", ROTATIONS), ("split_by", SPLIT_BY)):
            if getattr(self, key) not in choices:
                raise UsageError(f"class_set.{key}: {unknown(key, getattr(self, key), choices)}")

    def _check_classes(self) -> None:
        for name in self.classes:
            if name not in CLASSES:
                raise UsageError(f"class_set.classes: {unknown('class', name, CLASSES)}")
        if not set(self.classes) & {*SHAPES, PARTICLE}:
            raise UsageError(f"class_set.classes needs one of {', '.join((*SHAPES, PARTICLE))}")
        if PARTICLE in self.classes and set(self.classes) & set(SHAPES):
            raise UsageError(
                f"class_set.classes: {PARTICLE} stands for all of {', '.join(SHAPES)}; "
                "give one or the other"
            )
        if not {BACKGROUND, NEGATIVE} & set(self.classes):
            raise UsageError("class_set.classes needs background or negative beside particles")
