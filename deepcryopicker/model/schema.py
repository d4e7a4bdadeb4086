"""Configuration of the networks (conf/model)."""

from dataclasses import dataclass, field

from deepcryopicker.errors import UsageError, unknown

ACTIVATIONS = ("relu", "sigmoid")
POOLINGS = ("average", "max")
INITIALISATIONS = ("kaiming", "uniform", "xavier")
DROPOUT_PLACES = ("after", "before")

# Far above any reasonable network, yet within the memory of a laptop: a model card from another
# source must not be able to request more.
_LARGEST_WINDOW = 1024
_MOST_LAYERS = 16
_MOST_CHANNELS = 4096
_LARGEST_WIDTH = 16384
_LARGEST_COMPACT_WIDTH = 1024
_LARGEST_DILATION = 16


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
        if len(self.widths) != 6 or not _within(self.widths, 1, _LARGEST_COMPACT_WIDTH):
            raise UsageError(
                f"model.widths must be six numbers from 1 to {_LARGEST_COMPACT_WIDTH}, "
                f"got {self.widths}"
            )
        _check_dropout(self.dropout)


@dataclass
class ContextConfig:
    """The compact network beside a coarse branch that sees several particle diameters.

    Attributes
    ----------
    widths : list of int
        Channels of the six convolutions of the fine branch.
    coarse_widths, dilations : list of int
        Channels and dilations of the convolutions of the coarse branch, on a quarter of the scale;
        the sum of the dilations decides the field of view.
    dropout : float
    """

    widths: list[int] = field(default_factory=lambda: [16, 24, 32, 36, 36, 40])
    coarse_widths: list[int] = field(default_factory=lambda: [12, 16, 16, 16, 24, 24])
    dilations: list[int] = field(default_factory=lambda: [1, 1, 2, 4, 8, 4])
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if len(self.widths) != 6:
            raise UsageError(f"model.widths must be six numbers, got {self.widths}")
        if not 1 <= len(self.dilations) < _MOST_LAYERS:
            raise UsageError(
                f"model.dilations must be 1 to {_MOST_LAYERS - 1} numbers, got {self.dilations}"
            )
        if len(self.coarse_widths) != len(self.dilations):
            raise UsageError(
                "model.coarse_widths must have an entry for each of the "
                f"{len(self.dilations)} model.dilations, got {self.coarse_widths}"
            )
        for key, most in (
            ("widths", _LARGEST_COMPACT_WIDTH),
            ("coarse_widths", _LARGEST_COMPACT_WIDTH),
            ("dilations", _LARGEST_DILATION),
        ):
            if not _within(getattr(self, key), 1, most):
                raise UsageError(f"model.{key} must lie in [1, {most}], got {getattr(self, key)}")
        _check_dropout(self.dropout)


@dataclass
class ConvolutionalConfig:
    """Convolutions with pooling between them, then fully connected layers.

    The defaults are the paper's network (Table 9). All lists except `wide` have one entry per
    convolution.

    Attributes
    ----------
    window : int
        Side of the windows, pixels.
    channels, kernels, strides, paddings : list of int
        Of the convolutions; kernels and paddings in pixels of the input of the layer.
    pools, pool_strides : list of int
        Side and stride of the pooling after each convolution; both 0 for none.
    wide : list of int
        Widths of the fully connected layers before the output; may be empty.
    activation : str
        ``relu`` or ``sigmoid``, after every layer except the output.
    pooling : str
        ``max`` or ``average``.
    initialisation : str
        ``kaiming``, ``xavier`` or ``uniform``: weights and biases from [0, 1], as in the paper.
    batch_norm : bool
        Normalise before each activation; the paper does not.
    dropout : float
        At each of the `wide` layers.
    dropout_place : str
        ``before`` or ``after`` them.
    """

    window: int = 227
    channels: list[int] = field(default_factory=lambda: [96, 256, 384, 384, 256])
    kernels: list[int] = field(default_factory=lambda: [11, 5, 3, 3, 3])
    strides: list[int] = field(default_factory=lambda: [4, 1, 1, 1, 1])
    paddings: list[int] = field(default_factory=lambda: [0, 2, 1, 1, 1])
    pools: list[int] = field(default_factory=lambda: [3, 3, 0, 0, 3])
    pool_strides: list[int] = field(default_factory=lambda: [2, 2, 0, 0, 2])
    wide: list[int] = field(default_factory=lambda: [4096, 4096])
    activation: str = "relu"
    pooling: str = "max"
    initialisation: str = "kaiming"
    batch_norm: bool = True
    dropout: float = 0.5
    dropout_place: str = "after"

    def __post_init__(self) -> None:
        self._check_lists()
        for key, choices in (
            ("activation", ACTIVATIONS),
            ("pooling", POOLINGS),
            ("initialisation", INITIALISATIONS),
            ("dropout_place", DROPOUT_PLACES),
        ):
            value = getattr(self, key)
            if value not in choices:
                what = key.replace("_", " ")
                raise UsageError(f"model.{key}: {unknown(what, value, choices)}")
        _check_dropout(self.dropout)
        _check_window(self.window)
        self.side_left()

    def side_left(self) -> int:
        """Return the side of the output of convolutions and poolings for a window, pixels.

        Raises
        ------
        UsageError
            A layer is larger than its input.
        """
        layers = self._layers()
        side = self.window
        for name, kernel, stride, padding in layers:
            if side + 2 * padding < kernel:
                raise UsageError(
                    f"model.window={self.window} is too small: {side} pixels are left for {name} "
                    f"of {kernel}\nuse a window of at least {_smallest_window(layers)}, or "
                    "smaller model.kernels, strides, pools or pool_strides"
                )
            side = (side + 2 * padding - kernel) // stride + 1
        return side

    def _layers(self) -> list[tuple[str, int, int, int]]:
        """Return name, kernel, stride and padding of each convolution and pooling."""
        layers = []
        for number, (kernel, stride, padding, pool, pool_stride) in enumerate(
            zip(
                self.kernels,
                self.strides,
                self.paddings,
                self.pools,
                self.pool_strides,
                strict=True,
            ),
            start=1,
        ):
            layers.append((f"convolution {number}", kernel, stride, padding))
            if pool:
                layers.append((f"pooling {number}", pool, pool_stride, 0))
        return layers

    def _check_lists(self) -> None:
        count = len(self.channels)
        if not 1 <= count + len(self.wide) < _MOST_LAYERS or count == 0:
            raise UsageError(
                f"model.channels and model.wide must name 1 to {_MOST_LAYERS - 1} layers, at least "
                f"one of them a convolution; got {count} and {len(self.wide)}"
            )
        for key, least, most in (
            ("channels", 1, _MOST_CHANNELS),
            ("kernels", 1, _LARGEST_WINDOW),
            ("strides", 1, _LARGEST_WINDOW),
            ("paddings", 0, _LARGEST_WINDOW),
            ("pools", 0, _LARGEST_WINDOW),
            ("pool_strides", 0, _LARGEST_WINDOW),
            ("wide", 1, _LARGEST_WIDTH),
        ):
            values = getattr(self, key)
            if key != "wide" and len(values) != count:
                raise UsageError(
                    f"model.{key} must have an entry for each of the {count} model.channels, "
                    f"got {values}"
                )
            if not _within(values, least, most):
                raise UsageError(f"model.{key} must lie in [{least}, {most}], got {values}")
        for padding, kernel in zip(self.paddings, self.kernels, strict=True):
            if 2 * padding >= kernel:
                raise UsageError(
                    "model.paddings must be less than half of their model.kernels, "
                    f"got {padding} for {kernel}"
                )
        for pool, stride in zip(self.pools, self.pool_strides, strict=True):
            if (pool == 0) != (stride == 0):
                raise UsageError(
                    "model.pool_strides must be 0 where model.pools is, and only there, "
                    f"got {self.pool_strides} for {self.pools}"
                )


@dataclass
class TimmConfig:
    """Any convolutional backbone of timm, by name, with one input channel.

    Attributes
    ----------
    backbone : str
        As in ``timm.list_models()``, also with the tag of published weights: ``resnet18.a1_in1k``.
    stride : int
        Pixels between neighbouring features; which there are depends on the backbone.
    window : int or None
        Side of the windows, pixels; None for the smallest one whose middle the edges do not change,
        at least 43. Smaller windows are scanned one by one.
    pretrained : bool
        Begin with the weights that timm publishes, which are downloaded.
    checkpoint : str or None
        A ``.safetensors`` file of weights of this backbone to begin with.
    """

    backbone: str = "resnet18"
    stride: int = 4
    window: int | None = None
    pretrained: bool = False
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        if self.window is not None:
            _check_window(self.window)
        if self.stride < 1:
            raise UsageError(f"model.stride must be at least 1 pixel, got {self.stride}")
        if self.checkpoint is not None and not self.checkpoint.endswith(".safetensors"):
            raise UsageError(
                f"model.checkpoint={self.checkpoint}: other files than .safetensors may run code "
                "when they are read; convert it with safetensors"
            )


def _smallest_window(layers: list[tuple[str, int, int, int]]) -> int:
    """Return the window for which the output of the layers is one pixel."""
    side = 1
    for _, kernel, stride, padding in reversed(layers):
        side = (side - 1) * stride + kernel - 2 * padding
    return side


def _within(values: list[int], least: int, most: int) -> bool:
    return all(least <= value <= most for value in values)


def _check_window(window: int) -> None:
    if not 8 <= window <= _LARGEST_WINDOW:
        raise UsageError(f"model.window must lie in [8, {_LARGEST_WINDOW}] pixels, got {window}")


def _check_dropout(dropout: float) -> None:
    if not 0 <= dropout < 1:
        raise UsageError(f"model.dropout must lie in [0, 1), got {dropout:g}")
