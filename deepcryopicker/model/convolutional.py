"""Convolutions and fully connected layers, including the paper's network (Table 9)."""

import math

from torch import Tensor, nn

from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import ConvolutionalConfig

_ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}
_POOLINGS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}
# The gain of a layer compensates the slope of the activation after it: 1/4 for the sigmoid at 0.
_XAVIER_GAIN = {"relu": math.sqrt(2.0), "sigmoid": 4.0}


class Convolutional(Network):
    """Convolutions with pooling between them, then fully connected layers.

    The fully connected layers are implemented as convolutions, the first of the size of the
    trunk's output for a window, the others 1 x 1: the weights are the same, but the network also
    applies to larger images. With padding the outputs of a larger image are not those of its
    windows (``dense`` is false).
    """

    def __init__(self, config: ConvolutionalConfig, classes: int) -> None:
        super().__init__()
        self.window = config.window
        self.stride = math.prod(config.strides) * math.prod(s for s in config.pool_strides if s)
        self.dense = not any(config.paddings)
        self.trunk = nn.Sequential(*_trunk(config))
        self.head = nn.Sequential(*_head(config, classes))
        _initialise(self, config)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, C, h, w) of images (N, 1, H, W)."""
        return self.head(self.trunk(image))


def _trunk(config: ConvolutionalConfig) -> list[nn.Module]:
    layers: list[nn.Module] = []
    fan_in = 1
    for channels, kernel, stride, padding, pool, pool_stride in zip(
        config.channels,
        config.kernels,
        config.strides,
        config.paddings,
        config.pools,
        config.pool_strides,
        strict=True,
    ):
        layers += _convolution(config, fan_in, channels, kernel, stride, padding)
        if pool:
            layers.append(_POOLINGS[config.pooling](pool, pool_stride))
        fan_in = channels
    return layers


def _head(config: ConvolutionalConfig, classes: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    fan_in, kernel = config.channels[-1], config.side_left()
    for width in config.wide:
        layer = _convolution(config, fan_in, width, kernel)
        dropout: list[nn.Module] = [nn.Dropout(config.dropout)] if config.dropout else []
        layers += dropout + layer if config.dropout_place == "before" else layer + dropout
        fan_in, kernel = width, 1
    return [*layers, nn.Conv2d(fan_in, classes, kernel)]


def _convolution(
    config: ConvolutionalConfig,
    fan_in: int,
    fan_out: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
) -> list[nn.Module]:
    # Batch normalisation subtracts the mean, including any preceding bias.
    bias = not config.batch_norm
    return [
        nn.Conv2d(fan_in, fan_out, kernel, stride, padding, bias=bias),
        *([nn.BatchNorm2d(fan_out)] if config.batch_norm else []),
        _ACTIVATIONS[config.activation](),
    ]


def _initialise(network: Convolutional, config: ConvolutionalConfig) -> None:
    trunk = [layer for layer in network.trunk if isinstance(layer, nn.Conv2d)]
    head = [layer for layer in network.head if isinstance(layer, nn.Conv2d)]
    for layer in trunk:
        _draw(layer.weight, config)
    for layer in head:
        _draw(layer.weight.flatten(1), config)  # as a matrix: Xavier's fan-out has no kernel here
    for index, layer in enumerate([*trunk, *head]):
        if layer.bias is None:
            continue
        if config.initialisation == "uniform":
            nn.init.uniform_(layer.bias)
        elif config.activation == "sigmoid" and index > 0:
            # Sigmoids lie around 1/2. Without this correction the mean would dominate the
            # differences between windows and saturate the next sigmoids.
            layer.bias.data = -0.5 * layer.weight.data.flatten(1).sum(dim=1)
        else:
            nn.init.zeros_(layer.bias)


def _draw(weight: Tensor, config: ConvolutionalConfig) -> None:
    if config.initialisation == "kaiming":
        nn.init.kaiming_normal_(weight, nonlinearity="relu")
    elif config.initialisation == "xavier":
        nn.init.xavier_normal_(weight, _XAVIER_GAIN[config.activation])
    else:
        nn.init.uniform_(weight)
