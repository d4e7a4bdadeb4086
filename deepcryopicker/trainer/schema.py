"""Configuration of training (conf/trainer)."""

from dataclasses import dataclass

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.types import DEVICES


@dataclass
class TrainerConfig:
    """How a network is fitted.

    Attributes
    ----------
    epochs : int
        At the most; training stops early when the detection loss on the validation windows has
        not fallen for `patience` epochs.
    patience : int
    batch_size : int
    learning_rate : float
        Peak of the one-cycle schedule of AdamW.
    weight_decay : float
    label_smoothing : float
        0-1; labels found without supervision are not certain.
    jitter : float
        Standard deviation of the random contrast and brightness of each training window.
    device : str
        ``auto`` (CUDA where present), ``cpu`` or ``cuda``.
    """

    epochs: int = 12
    patience: int = 6
    batch_size: int = 64
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.05
    jitter: float = 0.1
    device: str = "auto"

    def __post_init__(self) -> None:
        for key in ("epochs", "patience", "batch_size"):
            if getattr(self, key) < 1:
                raise UsageError(f"trainer.{key} must be at least 1, got {getattr(self, key)}")
        if self.learning_rate <= 0:
            raise UsageError(f"trainer.learning_rate must be > 0, got {self.learning_rate:g}")
        for key in ("weight_decay", "jitter"):
            if getattr(self, key) < 0:
                raise UsageError(f"trainer.{key} must be >= 0, got {getattr(self, key):g}")
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(
                f"trainer.label_smoothing must lie in [0, 1), got {self.label_smoothing:g}"
            )
        if self.device not in DEVICES:
            raise UsageError(f"trainer.device: {unknown('device', self.device, DEVICES)}")
