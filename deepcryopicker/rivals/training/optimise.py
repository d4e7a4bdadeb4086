"""Train a network by steps, and keep what validates best."""

from collections.abc import Callable, Collection, Iterator
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from deepcryopicker.errors import NothingUsableError

Progress = Callable[[Collection[int], str], Iterator[int]]
"""Yields the items and shows how far they are; :func:`deepcryopicker.io.console.track` is one."""

_CHECKS = 20  # how often the validation loss is measured in a long training
_LEAST_STEPS = 10  # from one check to the next
_PATIENCE = 6  # checks without a better one


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
        Draws a batch and returns the network's loss on it.
    validation_loss : callable
        Returns the loss on what is kept for validation, the same at every call.
    optimizer : Optimizer
    steps : int
        At the most: it stops early if the validation loss no longer falls.
    track : callable
    description : str
        Of the progress.
    schedule : LRScheduler, optional
        Goes on with every step.

    Raises
    ------
    NothingUsableError
        If the validation loss was never finite.
    """
    every = max(_LEAST_STEPS, steps // _CHECKS)
    best, state, waited = float("inf"), None, 0
    for step in track(range(steps), description):
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
