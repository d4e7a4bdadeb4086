"""Configuration of the pickers (conf/picker)."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.types import DEVICES


@dataclass
class DenseConfig:
    """Lay the network over the whole micrograph at once, then clean and suppress.

    Attributes
    ----------
    weights : str or None
        Run folder or weights file for ``pick``; ``train`` picks with what it has just trained.
    threshold : float
        Score from which a candidate counts as picked; all candidates are written.
    floor : float
        Candidates with lower scores are not written.
    smoothing : float
        Sigma of the Gaussian over the score map, in diameters.
    largest_area : float
        Score-map areas above this many particle areas per peak are ice or carbon. A saturated
        area has some 0.62 at the default `distance`, a particle's own area 0.2 or less.
    distance : float
        Least distance between two picks, in diameters.
    tile : int
        Side of the tiles that the network is laid over at once, working pixels: bounds memory.
    device : str
        ``auto`` (CUDA where present), ``cpu`` or ``cuda``.
    """

    weights: str | None = None
    threshold: float = 0.5
    floor: float = 0.02
    smoothing: float = 0.08
    largest_area: float = 4.0
    distance: float = 0.7
    tile: int = 1024
    device: str = "auto"

    def __post_init__(self) -> None:
        check_threshold(self.threshold)
        if not 0 <= self.floor <= 1:
            raise UsageError(f"picker.floor must lie in [0, 1], got {self.floor:g}")
        for key in ("smoothing", "distance", "largest_area"):
            if getattr(self, key) < 0:
                raise UsageError(f"picker.{key} must be >= 0, got {getattr(self, key):g}")
        if self.tile < 256:
            raise UsageError(f"picker.tile must be at least 256 pixels, got {self.tile}")
        if self.device not in DEVICES:
            raise UsageError(f"picker.device: {unknown('device', self.device, DEVICES)}")


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
