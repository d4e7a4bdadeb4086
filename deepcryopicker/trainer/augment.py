"""Random changes of training windows that do not change their class."""

import torch
from torch import Tensor
from torch.nn import functional


def augment(windows: Tensor, jitter: float, shift: int) -> Tensor:
    """Rotate, flip and shift each window at random, and vary its contrast and brightness.

    Parameters
    ----------
    windows : (N, 1, S, S) Tensor
    jitter : float
        Standard deviation of the factor around 1 and of the offset around 0.
    shift : int
        Maximum shift along each axis, pixels; the edge is mirrored.

    Returns
    -------
    (N, 1, S, S) Tensor
    """
    count = len(windows)
    quarter_turns = torch.randint(0, 4, (count,), device=windows.device)
    flips = torch.randint(0, 2, (count,), device=windows.device).bool()
    turned = torch.stack(
        [
            torch.rot90(window, int(turn), (1, 2))
            for window, turn in zip(windows, quarter_turns, strict=True)
        ]
    )
    turned[flips] = turned[flips].flip(3)
    if shift:
        turned = _shifted(turned, shift)
    factor = 1.0 + jitter * torch.randn(count, 1, 1, 1, device=windows.device)
    offset = jitter * torch.randn(count, 1, 1, 1, device=windows.device)
    return turned * factor + offset


def _shifted(windows: Tensor, largest: int) -> Tensor:
    size = windows.shape[-1]
    padded = functional.pad(windows, (largest,) * 4, mode="reflect")
    corners = torch.randint(0, 2 * largest + 1, (len(windows), 2)).tolist()
    return torch.stack(
        [
            window[:, top : top + size, left : left + size]
            for window, (top, left) in zip(padded, corners, strict=True)
        ]
    )
