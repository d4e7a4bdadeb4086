"""Configuration of the pickers (conf/picker)."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.types import DEVICES

MAPS = ("joint", "per_class")
PADDINGS = ("mean", "none", "reflect")
PRECISIONS = ("auto", "bfloat16", "float16", "float32")
SUPPRESSIONS = ("distance", "iou", "none")


@dataclass
class MapConfig:
    """From a map of class probabilities to picks, however it was scanned.

    Attributes
    ----------
    threshold : float
        Score from which a candidate counts as picked; all candidates are written.
    floor : float
        Candidates with lower scores are not written.
    smoothing : float
        Sigma of the Gaussian over the score map, in diameters.
    maps : str
        Where maxima are looked for: ``joint``, in the probability of any particle, and the most
        probable class there is the pick's; ``per_class``, in each class's own (paper).
    largest_area : float or None
        Areas of close scores above this many particle areas are lowered: they are ice or carbon.
        A particle has some 0.05, and 0.2 at the most; null leaves all as they are.
    suppression : str
        Which of two picks are one: by ``distance`` of their centres; by overlap of their boxes,
        ``iou`` (paper); ``none``. Within each class first where there is a map for each.
    distance : float
        Least distance between two picks, in diameters.
    iou : float
        Largest intersection of two picks' boxes, as a share of their union; a box is a diameter
        wide.
    most : int or None
        At most so many candidates a micrograph are written, the best ones; null is all of them.
    scale_factor : float
        Scale at which the network looks for particles over the one at which it was trained.
    """

    threshold: float = 0.5
    floor: float = 0.0001
    smoothing: float = 0.04
    maps: str = "joint"
    largest_area: float | None = 0.2
    suppression: str = "distance"
    distance: float = 0.5
    iou: float = 0.3
    most: int | None = None
    scale_factor: float = 1.0

    def __post_init__(self) -> None:
        check_threshold(self.threshold)
        for key in ("floor", "iou"):
            if not 0 <= getattr(self, key) <= 1:
                raise UsageError(f"picker.{key} must lie in [0, 1], got {getattr(self, key):g}")
        for key in ("smoothing", "distance"):
            if getattr(self, key) < 0:
                raise UsageError(f"picker.{key} must be >= 0, got {getattr(self, key):g}")
        if self.largest_area is not None and self.largest_area <= 0:
            raise UsageError(
                f"picker.largest_area must be > 0, got {self.largest_area:g}; null switches it off"
            )
        if self.maps not in MAPS:
            raise UsageError(f"picker.maps: {unknown('kind', self.maps, MAPS)}")
        if self.suppression not in SUPPRESSIONS:
            raise UsageError(
                f"picker.suppression: {unknown('kind', self.suppression, SUPPRESSIONS)}"
            )
        if self.most is not None and self.most < 1:
            raise UsageError(f"picker.most must be at least 1, got {self.most}; null is all")
        if not 0.25 <= self.scale_factor <= 4:
            raise UsageError(
                f"picker.scale_factor must lie in [0.25, 4], got {self.scale_factor:g}"
            )


@dataclass
class NetworkPickerConfig(MapConfig):
    """What all pickers with a network have in common: a scan gives a map.

    Attributes
    ----------
    weights : str or None
        Run folder or weights file for ``pick``; null is ``general``, the weights that come with
        the program. ``train`` picks with what it has just trained.
    padding : str
        What windows show beyond the edges of the micrograph: its ``mean``, as those that the
        network was trained on, so that particles there are found; with ``reflect`` its mirror
        image, where a particle and its twin look like one; ``none``: no window reaches beyond, as
        in the paper.
    precision : str
        ``auto`` (16-bit floats on a GPU and on CPUs with instructions for bfloat16, else 32),
        ``float32``, ``bfloat16`` or ``float16``.
    device : str
        ``auto`` (CUDA where present), ``cpu`` or ``cuda``.
    """

    weights: str | None = None
    padding: str = "mean"
    precision: str = "auto"
    device: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, choices in (
            ("padding", PADDINGS),
            ("precision", PRECISIONS),
            ("device", DEVICES),
        ):
            value = getattr(self, key)
            if value not in choices:
                raise UsageError(f"picker.{key}: {unknown(key, value, choices)}")


@dataclass
class DenseConfig(NetworkPickerConfig):
    """Lay the network over the whole micrograph at once.

    Attributes
    ----------
    stride : int or None
        Working pixels between scores: a divisor or a multiple of the network's own; null is its
        own.
    tile : int or None
        Side of the tiles that the network is laid over at once, working pixels: bounds memory.
        Tiles halve where memory runs out. Null is 1024, or 12 windows where that is more.
    """

    stride: int | None = None
    tile: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride is not None and self.stride < 1:
            raise UsageError(f"picker.stride must be at least 1 pixel, got {self.stride}")
        if self.tile is not None and self.tile < 256:
            raise UsageError(f"picker.tile must be at least 256 pixels, got {self.tile}")


@dataclass
class SlidingConfig(NetworkPickerConfig):
    """Classify one window after the other: the paper's scan, the reference for the dense one.

    Attributes
    ----------
    step : int or None
        Working pixels between windows; null is the stride at which a dense scan would give them.
    batch : int
        Windows that are classified at once, 1 in the paper. Halves where memory runs out.
    """

    step: int | None = None
    batch: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step is not None and self.step < 1:
            raise UsageError(f"picker.step must be at least 1, got {self.step}")
        if self.batch < 1:
            raise UsageError(f"picker.batch must be at least 1, got {self.batch}")


@dataclass
class LabelerPickerConfig:
    """A labeler alone, without any network: learned from the micrographs that it picks.

    Attributes
    ----------
    threshold : float
    labeler : labeler configuration
    """

    threshold: float = 0.5
    # One of several schemas, each of them strict.
    labeler: Any = MISSING

    def __post_init__(self) -> None:
        check_threshold(self.threshold)


def check_threshold(threshold: float) -> None:
    """Refuse thresholds that are no probability."""
    if not 0 <= threshold <= 1:
        raise UsageError(f"picker.threshold must lie in [0, 1], got {threshold:g}")
