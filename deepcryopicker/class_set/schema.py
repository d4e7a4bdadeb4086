"""Configuration of the class sets (conf/class-set)."""

from dataclasses import dataclass, field

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.types import SHAPES

BACKGROUND = "background"
NEGATIVE = "negative"
CLASSES = (*SHAPES, BACKGROUND, NEGATIVE)


@dataclass
class ClassSetConfig:
    """Which classes the network learns, and how their samples are drawn (METHOD.md 7).

    Attributes
    ----------
    classes : list of str
        In the order of the network's outputs. Without ``negative`` the off-centre windows go to
        ``background``; without ``background`` there are no empty windows.
    samples_per_class : int
        Upper limit; shorter classes are filled up with rotated copies, then by repetition.
    rotations : bool
        Add copies rotated by 90, 180 and 270 degrees.
    off_centre_share : float
        Share of the background class that is off-centre windows where there is no ``negative``.
    off_centre : list of float
        Nearest and farthest shift of off-centre windows, in diameters.
    background_distance : float
        Least distance of an empty window to every candidate, in diameters.
    background_coverage : float
        Largest share of particle-like pixels in an empty window's centre.
    validation, test : float
        Shares of the micrographs.
    """

    classes: list[str] = field(default_factory=list)
    samples_per_class: int = 1500
    rotations: bool = True
    off_centre_share: float = 0.5
    off_centre: list[float] = field(default_factory=lambda: [0.35, 0.8])
    background_distance: float = 0.75
    background_coverage: float = 0.1
    validation: float = 0.16
    test: float = 0.2

    def __post_init__(self) -> None:
        for name in self.classes:
            if name not in CLASSES:
                raise UsageError(f"class_set.classes: {unknown('class', name, CLASSES)}")
        if not set(self.classes) & set(SHAPES):
            raise UsageError(f"class_set.classes needs one of {', '.join(SHAPES)}")
        if not {BACKGROUND, NEGATIVE} & set(self.classes):
            raise UsageError("class_set.classes needs background or negative to tell apart")
        if self.samples_per_class < 8:
            raise UsageError(
                f"class_set.samples_per_class must be at least 8, got {self.samples_per_class}"
            )
        for key in ("off_centre_share", "validation", "test", "background_coverage"):
            if not 0 <= getattr(self, key) <= 1:
                raise UsageError(f"class_set.{key} must lie in [0, 1], got {getattr(self, key):g}")
        if self.validation == 0:
            raise UsageError("class_set.validation must be > 0: the best epoch is chosen by it")
        if self.validation + self.test >= 1:
            raise UsageError("class_set.validation + class_set.test must be below 1")
        if len(self.off_centre) != 2 or not 0 < self.off_centre[0] < self.off_centre[1]:
            raise UsageError(
                f"class_set.off_centre must be [nearest, farthest], got {self.off_centre}"
            )
