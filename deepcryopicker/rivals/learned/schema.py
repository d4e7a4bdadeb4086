"""Configuration of the trained rivals (conf/picker)."""

from dataclasses import dataclass

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.picker.schema import check_threshold
from deepcryopicker.types import DEVICES


@dataclass
class LearnedConfig:
    """What the rivals that are trained on given particles have in common.

    Attributes
    ----------
    threshold : float
        Score from which a candidate counts as picked; all candidates are written.
    floor : float
        Candidates with lower scores, before calibration, are not written.
    distance : float
        Least distance between two picks, in diameters.
    steps : int
        Most steps of each of its networks' training, which ends earlier where it no longer gains.
    weights : str or None
        Run folder or weights file for ``pick``.
    device : str
        ``auto`` (CUDA where present), ``cpu`` or ``cuda``.
    """

    threshold: float = 0.5
    floor: float = 0.005
    distance: float = 0.5
    steps: int = 400
    weights: str | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        check_threshold(self.threshold)
        if not 0 <= self.floor <= 1:
            raise UsageError(f"picker.floor must lie in [0, 1], got {self.floor:g}")
        if not self.distance > 0:
            raise UsageError(f"picker.distance must be > 0 diameters, got {self.distance:g}")
        if self.steps < 1:
            raise UsageError(f"picker.steps must be at least 1, got {self.steps}")
        if self.device not in DEVICES:
            raise UsageError(f"picker.device: {unknown('device', self.device, DEVICES)}")


@dataclass
class Eman2Config(LearnedConfig):
    """After EMAN2's convolutional picker: two networks, a pick must pass both.

    It sees boxes of 64 pixels: ``preprocessing.working_diameter=40`` lets one span 1.6 particles.
    """

    steps: int = 300


@dataclass
class PixerConfig(LearnedConfig):
    """After PIXER: a segmentation network proposes, a classification network confirms.

    Made for ``preprocessing.working_diameter=24``, the default.
    """


@dataclass
class FastRcnnConfig(LearnedConfig):
    """After FastParticlePicker: Fast R-CNN on the boxes of a sliding window.

    Made for ``preprocessing.working_diameter=32``.
    """
