"""Configuration of training (conf/trainer)."""

from dataclasses import dataclass

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.types import DEVICES

_CHOICES = {
    "optimizer": ("adamw", "sgd"),
    "schedule": ("one_cycle", "cosine", "constant"),
    "loss": ("cross_entropy", "positive_unlabelled", "heat_map"),
    "precision": ("auto", "fastest", "float32", "bfloat16"),
    "device": DEVICES,
}


@dataclass
class TrainerConfig:
    """Training of a network.

    Attributes
    ----------
    epochs : int
        Maximum number; training stops early if the detection loss on the validation windows has
        not decreased for `patience` epochs. 0 to train on crops alone (`crop_steps`).
    patience : int
    epoch_windows : int
        Minimum number of windows per epoch; a smaller training set is repeated. A network needs a
        few hundred steps, however few particles there are.
    batch_size : int
    optimizer : str
        ``adamw``, or ``sgd`` with momentum (Eq. 11).
    learning_rate : float
        Peak of the schedule.
    schedule : str
        ``one_cycle``, ``cosine`` or ``constant``.
    weight_decay : float
        With ``sgd`` twice the epsilon of Eq. 10, loss + epsilon ||W||^2; with ``adamw``
        decoupled from the loss.
    loss : str
        ``cross_entropy`` (Eq. 10), ``positive_unlabelled``, or ``heat_map``: the cross-entropy to
        a target that falls off around particles.
    label_smoothing : float
        0-1; accounts for errors in labels found without supervision.
    jitter : float
        Standard deviation of the random contrast and brightness of each training window.
    shift : int
        Maximum random shift of a training window along each axis, pixels.
    crop_steps : int or None
        Steps of a further training, after the last round, on crops of the micrographs, of which
        every position has a label; 0 for none. Networks of which the edges of a window change
        what they find are refused. Null is twice the steps on windows where labels are given and
        the network is suited, and 0 elsewhere.
    sharpness : float
        Crops are blurred or sharpened at random, by up to this share of what a Gaussian blur
        changes; 0 for none.
    precision : str
        ``auto`` (16-bit floats on a GPU, 32-bit elsewhere), ``fastest`` (16-bit on a CPU too, if
        it has instructions for them), ``float32`` or ``bfloat16``.
    device : str
        ``auto`` (CUDA if available), ``cpu`` or ``cuda``.
    devices : int
        Number of training processes on a node, one per GPU.
    num_nodes : int
        Number of machines that train one network together. The same command runs on each, in a run
        folder of its own, with the environment variables ``MASTER_ADDR``, ``MASTER_PORT`` and
        ``NODE_RANK`` (0, 1, ...); an interrupted training starts anew.
    """

    epochs: int = 12
    patience: int = 6
    epoch_windows: int = 1
    batch_size: int = 64
    optimizer: str = "adamw"
    learning_rate: float = 4e-3
    schedule: str = "one_cycle"
    weight_decay: float = 1e-2
    loss: str = "cross_entropy"
    label_smoothing: float = 0.05
    jitter: float = 0.1
    shift: int = 0
    crop_steps: int | None = None
    sharpness: float = 0.0
    precision: str = "auto"
    device: str = "auto"
    devices: int = 1
    num_nodes: int = 1

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise UsageError(f"trainer.batch_size must be at least 2, got {self.batch_size}")
        if self.epochs < 0:
            raise UsageError(f"trainer.epochs must be at least 0, got {self.epochs}")
        if not (self.epochs or self.crop_steps):
            raise UsageError("trainer.epochs=0 trains on crops alone: set trainer.crop_steps=12000")
        for key in ("patience", "devices", "num_nodes", "epoch_windows"):
            if getattr(self, key) < 1:
                raise UsageError(f"trainer.{key} must be at least 1, got {getattr(self, key)}")
        if not 0 < self.learning_rate < float("inf"):
            raise UsageError(f"trainer.learning_rate must be > 0, got {self.learning_rate:g}")
        for key in ("weight_decay", "jitter", "shift", "crop_steps", "sharpness"):
            if not 0 <= (getattr(self, key) or 0) < float("inf"):
                raise UsageError(f"trainer.{key} must be >= 0, got {getattr(self, key):g}")
        for key in ("label_smoothing",):
            if not 0 <= getattr(self, key) < 1:
                raise UsageError(f"trainer.{key} must lie in [0, 1), got {getattr(self, key):g}")
        for key, choices in _CHOICES.items():
            if getattr(self, key) not in choices:
                raise UsageError(f"trainer.{key}: {unknown(key, getattr(self, key), choices)}")

    @property
    def processes(self) -> int:
        """Number of training processes on all nodes."""
        return self.devices * self.num_nodes
