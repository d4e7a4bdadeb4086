"""Which features of a window its edges do not change: those that a scan can reproduce."""

from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor, nn

_PROBE = 256  # pixels: the widest field of view that is recognised
_AROUND = 16  # pixels of other content beyond a window: what they change, more would
_EQUAL = 3e-6  # relative to the largest feature


class View(NamedTuple):
    """How a network sees windows.

    Attributes
    ----------
    first, features : int
        First feature of a window that is used, and how many, along each axis.
    window : int
        Side, pixels.
    dense : bool
        Whether the features are the same in a larger image.
    """

    first: int
    features: int
    window: int
    dense: bool


@torch.no_grad()
def view_of_windows(
    features: nn.Module, stride: int, window: int | None, least: int
) -> View | None:
    """Find the features of a window that are the same where it is part of a larger image.

    Convolutions that pad see zeros beyond a window, and what lies there in a larger image; global
    pooling sees everything. Both are found by comparison, with random weights.

    Parameters
    ----------
    features : module
        From images (1, 1, H, W) to a list of one tensor (1, C, h, w).
    stride : int
        Pixels between neighbouring features.
    window : int or None
        Side of the windows, pixels; None for the smallest one of at least `least` that has such
        features, or else for `least`.
    least : int

    Returns
    -------
    View or None
        None if windows of that size cannot be used.
    """
    features = _randomised(features)
    unchanged = _unchanged(features, stride, _PROBE) if window is None else None
    if unchanged is not None:
        # What a smaller window lacks in the middle it has fewer of.
        spare = min(len(unchanged) - 1, max(_PROBE - least, 0) // stride)
        window = _PROBE - spare * stride
    side = window or least
    more = max(side - _PROBE, 0) // stride  # a larger window only has more of them
    found = _unchanged(features, stride, side - more * stride)
    if found is not None:
        return View(found.start, len(found) + more, side, True)
    whole = _features_along(features, side)
    if whole is None:
        return None
    first = whole // 4  # averaging the middle alone finds centres better
    return View(first, whole - 2 * first, side, False)


def _features_along(features: nn.Module, side: int) -> int | None:
    """Return the number of features along each axis of a window; None if there are none."""
    try:  # sizes only
        shape = features.to("meta")(torch.zeros(1, 1, side, side, device="meta"))[0].shape
    except (AssertionError, RuntimeError, ValueError):
        return None
    return shape[-1] if shape[-1] == shape[-2] > 0 else None


def _unchanged(features: nn.Module, stride: int, window: int) -> range | None:
    """Return which rows of features of a window are the same in a larger image, or None."""
    around = stride * -(-_AROUND // stride)
    generator = torch.Generator().manual_seed(0)
    image = 3.0 * torch.randn(1, 1, *(2 * [window + 2 * around]), generator=generator) + 2.0
    inner = slice(around, around + window)
    image[..., inner, inner] = torch.randn(1, 1, window, window, generator=generator)
    try:
        whole, part = features(image)[0], features(image[..., inner, inner])[0]
    except (AssertionError, RuntimeError, ValueError):
        return None
    start, side = around // stride, part.shape[-1]
    middle = whole[..., start : start + side, start : start + side]
    if middle.shape != part.shape or part.ndim != 4 or not side:
        return None
    same = (_apart(middle, part) <= _EQUAL * part.abs().max()).numpy()
    rows = [number for number in range(side) if same[number, number]]
    if not rows or not same[rows[0] : rows[-1] + 1, rows[0] : rows[-1] + 1].all():
        return None
    return range(rows[0], rows[-1] + 1)


def _apart(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).abs().amax(dim=1)[0]


def _randomised(features: nn.Module) -> nn.Module:
    """Return a copy in which every layer counts: many begin with weights of zero."""
    copy = deepcopy(features).eval()
    generator = torch.Generator().manual_seed(0)
    for layer in copy.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            layer.running_mean.normal_(0.0, 0.1, generator=generator)
            layer.running_var.uniform_(0.5, 1.5, generator=generator)
    for weights in copy.parameters():
        if weights.numel() == max(weights.shape, default=1):
            weights.uniform_(0.5, 1.5, generator=generator)
        else:
            weights.normal_(0.0, (weights.shape[0] / weights.numel()) ** 0.5, generator=generator)
    return copy
