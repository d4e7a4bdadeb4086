"""Configuration of the networks (conf/model)."""

from dataclasses import dataclass, field

from deepcryopicker.errors import UsageError


@dataclass
class CompactConfig:
    """Small fully convolutional network without padding: trains in a minute on two cores.

    Attributes
    ----------
    widths : list of int
        Channels of its six convolutions.
    dropout : float
    """

    widths: list[int] = field(default_factory=lambda: [16, 24, 32, 48, 48, 64])
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if len(self.widths) != 6 or min(self.widths) < 1:
            raise UsageError(f"model.widths must be six positive numbers, got {self.widths}")
        _check_dropout(self.dropout)


@dataclass
class DeepCryoPickerConfig:
    """The paper's network (Table 9), 227 x 227 windows.

    Attributes
    ----------
    batch_norm : bool
        Normalise after every convolution; the paper has none.
    dropout : float
        In the two wide fully connected layers.
    """

    batch_norm: bool = True
    dropout: float = 0.5

    def __post_init__(self) -> None:
        _check_dropout(self.dropout)


@dataclass
class TimmConfig:
    """Any convolutional backbone of timm, by name, with one input channel.

    Attributes
    ----------
    backbone : str
        As in ``timm.list_models()``.
    level : int
        Feature level used: level k has an output stride of some ``2 ** (k + 1)`` pixels.
    window : int
        Side of the windows, pixels.
    """

    backbone: str = "resnet18"
    level: int = 2
    window: int = 43

    def __post_init__(self) -> None:
        if self.window < 8:
            raise UsageError(f"model.window must be at least 8 pixels, got {self.window}")
        if self.level < 0:
            raise UsageError(f"model.level must not be negative, got {self.level}")


def _check_dropout(dropout: float) -> None:
    if not 0 <= dropout < 1:
        raise UsageError(f"model.dropout must lie in [0, 1), got {dropout:g}")
