"""Convolutional backbones of timm behind the common interface."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import timm
import torch
import torch._dynamo
from torch import Tensor, nn

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.model.field_of_view import View, view_of_windows
from deepcryopicker.model.network import Network, require_size
from deepcryopicker.model.schema import TimmConfig

_DENSE_WINDOW = 43  # pixels, at least: as that of the compact network, 1.8 particle diameters


class TimmBackbone(Network):
    """A timm feature extractor, averaged over the middle of the window, and a linear classifier.

    Only features that the edges of the window do not change are averaged: then a scan equals its
    windows. A backbone that sees the whole image, or more than the window, has none; all features
    of a window are averaged, and windows are scanned one by one (``dense`` is false).
    """

    def __init__(self, config: TimmConfig, classes: int) -> None:
        super().__init__()
        _check_name(config.backbone)
        index = _feature_level(config)
        self.features = _extractor(config.backbone, out_indices=(index,))
        self.stride = config.stride
        view = _view(config.backbone, index, config.stride, config.window)
        self.first, self.window, self.dense = view.first, view.window, view.dense
        self.side = view.features
        self.pool = nn.AvgPool2d(self.side, stride=1)
        self.head = nn.Conv2d(self.features.feature_info.channels()[0], classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, C, h, w) of images (N, 1, H, W)."""
        rows, columns = ((size - self.window) // self.stride for size in image.shape[-2:])
        # Some backbones pad less or more where the stride does not divide the size.
        whole = image[
            ..., : rows * self.stride + self.window, : columns * self.stride + self.window
        ]
        first, side, features = self.first, self.side, self.features(whole)[0]
        middle = features[..., first : first + rows + side, first : first + columns + side]
        return self.head(self.pool(middle))


def pretrained_state(config: TimmConfig) -> Mapping[str, Tensor]:
    """Return the weights of a backbone that timm publishes, or of a local file of them.

    Raises
    ------
    UsageError
        There are none, or they cannot be read or downloaded.
    """
    name = config.backbone
    source = {"file": config.checkpoint} if config.checkpoint else None
    try:
        features = _extractor(
            name,
            out_indices=(_feature_level(config),),
            pretrained=True,
            pretrained_cfg_overlay=source,
        )
    except Exception as error:  # of the network, the hub, or a file that is not a checkpoint
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        where = config.checkpoint or f"the published weights of {name}"
        raise UsageError(
            f"model.{'checkpoint' if source else 'pretrained'}: {where} cannot be loaded: {reason}"
            f"\nleave it out, or give a .safetensors file of {name} as model.checkpoint"
        ) from error
    return features.state_dict()


@cache
def _view(name: str, index: int, stride: int, window: int | None) -> View:
    """Find window and features of a backbone; see :func:`view_of_windows`."""
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        features = _extractor(name, out_indices=(index,))
        view = view_of_windows(features, stride, window, _DENSE_WINDOW)
    if view is None:
        raise UsageError(
            f"model.backbone: {name} does not take windows of {window or _DENSE_WINDOW} pixels; "
            "use a larger model.window or a convolutional backbone, such as resnet18"
        )
    return view


def _extractor(name: str, **settings: Any) -> Any:
    """Build the feature extractor of a backbone for one input channel, without unused layers."""
    settings = {"pretrained": False, **settings}
    features: Any = timm.create_model(name, features_only=True, in_chans=1, **settings)
    last = features.feature_info[features.feature_info.out_indices[-1]]["module"]
    if isinstance(getattr(features, "blocks", None), nn.Sequential) and "blocks." in last:
        features.blocks = features.blocks[: int(last.split(".")[1]) + 1]
    return features


def _feature_level(config: TimmConfig) -> int:
    """Return the level of features at the configured stride."""
    with torch.device("meta"):
        try:
            whole = _extractor(config.backbone)  # timm builds all layers before it takes some away
            strides = list(whole.feature_info.reduction())
        except (RuntimeError, AttributeError, TypeError, AssertionError) as error:
            raise UsageError(
                f"model.backbone: {config.backbone} has no levels of features; use a "
                "convolutional backbone, such as resnet18"
            ) from error
    require_size(whole)
    if config.stride not in strides:
        raise UsageError(
            f"model.stride: {config.backbone} has features every "
            f"{', '.join(map(str, strides))} pixels, not {config.stride}"
        )
    return strides.index(config.stride)


def _check_name(name: str) -> None:
    """Require a model of timm; a tag after a dot must be one of its published weights."""
    architecture, _, tag = name.partition(".")
    if architecture not in timm.list_models():
        raise UsageError(
            f"model.backbone: {unknown('timm model', architecture, _relatives(architecture))}"
        )
    tagged = timm.list_models(f"{architecture}.*", pretrained=True) if tag else []
    if tag and name not in tagged:
        raise UsageError(f"model.backbone: {unknown('timm model', name, tagged)}")


def _relatives(name: str) -> list[str]:
    """Return timm models with the same first letters: the whole list has over a thousand names."""
    return timm.list_models(f"{name[:4]}*")[:12] or timm.list_models("resnet*")[:12]
