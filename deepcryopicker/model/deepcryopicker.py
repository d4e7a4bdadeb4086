"""The paper's 13-layer network (Table 9), made fully convolutional."""

from torch import Tensor, nn

from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import DeepCryoPickerConfig

# Layers 3, 5, 7, 8 and 9: (channels, kernel, stride, padding), and whether pooling follows.
_CONVOLUTIONS = (
    (96, 11, 4, 0, True),
    (256, 5, 1, 2, True),
    (384, 3, 1, 1, False),
    (384, 3, 1, 1, False),
    (256, 3, 1, 1, True),
)
_WIDE = 4096  # width of the fully connected layers; METHOD.md 8 says why


class DeepCryoPicker(Network):
    """Five convolutions, three poolings, three fully connected layers; 227 x 227 input.

    Without batch normalisation it has 58,274,500 parameters at 4 classes. The fully connected
    layers are written as convolutions (6 x 6, then 1 x 1): the same weights, but they slide over
    a larger image with a stride of 32 pixels. ReLU, max pooling and Kaiming initialisation stand
    in for the paper's sigmoid and uniform weights, which do not train (METHOD.md 11, rows 2-4).
    """

    window = 227
    stride = 32

    def __init__(self, config: DeepCryoPickerConfig, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        fan_in = 1
        for channels, kernel, stride, padding, pooled in _CONVOLUTIONS:
            layers.append(nn.Conv2d(fan_in, channels, kernel, stride, padding))
            if config.batch_norm:
                layers.append(nn.BatchNorm2d(channels))
            layers.append(nn.ReLU(inplace=True))
            if pooled:
                layers.append(nn.MaxPool2d(3, 2))
            fan_in = channels
        self.trunk = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Conv2d(fan_in, _WIDE, 6),
            nn.ReLU(inplace=True),
            nn.Dropout(config.dropout),
            nn.Conv2d(_WIDE, _WIDE, 1),
            nn.ReLU(inplace=True),
            nn.Dropout(config.dropout),
            nn.Conv2d(_WIDE, classes, 1),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, C, h, w) of images (N, 1, H, W)."""
        return self.head(self.trunk(image))
