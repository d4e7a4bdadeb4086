"""Configuration of the trained rivals (conf/picker)."""

from dataclasses import dataclass

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.picker.schema import ThresholdConfig
from deepcryopicker.types import DEVICES


@dataclass
class LearnedConfig(ThresholdConfig):
    """Settings of all rivals that are trained on given particles.

    Attributes
    ----------
    floor : float
        Candidates with lower scores, before calibration, are not written.
    distance : float
        Minimum distance between two picks, in diameters.
    steps : int
        Maximum number of training steps per network (early stopping).
    weights : str or None
        Run folder or weights file for ``pick``.
    device : str
        ``auto`` (CUDA where present), ``cpu`` or ``cuda``.
    """

    floor: float = 0.005
    distance: float = 0.5
    steps: int = 400
    weights: str | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
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
    """After EMAN2's convolutional picker: a pick must pass both of two networks.

    Its boxes have 64 pixels, 1.6 particle diameters at ``preprocessing.working_diameter=40``.
    """

    steps: int = 300


@dataclass
class PixerConfig(LearnedConfig):
    """After PIXER: a segmentation network proposes, a classification network confirms.

    Intended for ``preprocessing.working_diameter=24``, the default.
    """


@dataclass
class FastRcnnConfig(LearnedConfig):
    """After FastParticlePicker: Fast R-CNN on the boxes of a sliding window.

    Intended for ``preprocessing.working_diameter=32``.
    """
