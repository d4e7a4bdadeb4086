"""Train a network for a number of steps and keep the weights with the lowest validation loss."""

from collections.abc import Callable, Collection, Iterator
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from deepcryopicker.errors import NothingUsableError

Progress = Callable[[Collection[int], str], Iterator[int]]
"""Yields items and shows the progress, such as :func:`deepcryopicker.io.console.track`."""

_CHECKS = 20  # number of validations in a long training
_LEAST_STEPS = 10  # between two validations
_PATIENCE = 6  # validations without improvement


def minimise(
    network: nn.Module,
    loss: Callable[[], Tensor],
    validation_loss: Callable[[], Tensor],
    optimizer: Optimizer,
    steps: int,
    track: Progress,
    description: str,
    schedule: LRScheduler | None = None,
) -> None:
    """Train `network` in place and leave it in evaluation mode with its best weights.

    Parameters
    ----------
    network : nn.Module
    loss : callable
        Draws a batch and returns the loss of the network on it.
    validation_loss : callable
        Returns the loss on the fixed validation windows.
    optimizer : Optimizer
    steps : int
        Maximum number; training stops early if the validation loss no longer decreases.
    track : callable
        Shows the progress.
    description : str
        Text of progress and errors, such as "training the network".
    schedule : LRScheduler, optional
        Advanced after every step.

    Raises
    ------
    NothingUsableError
        If the validation loss was never finite.
    """
    every = max(_LEAST_STEPS, steps // _CHECKS)
    best, state, waited = float("inf"), None, 0
    for step in track(range(steps), f"{description} in"):
        network.train()
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        if (step + 1) % every and step + 1 < steps:
            continue
        found = _measure(network, validation_loss)
        if found < best:
            best, state, waited = found, deepcopy(network.state_dict()), 0
        else:
            waited += 1
        if waited > _PATIENCE:
            break
    if state is None:
        raise NothingUsableError(f"{description} diverged: the validation loss was never finite")
    network.load_state_dict(state)
    network.eval()


@torch.no_grad()
def _measure(network: nn.Module, validation_loss: Callable[[], Tensor]) -> float:
    network.eval()
    return float(validation_loss())
