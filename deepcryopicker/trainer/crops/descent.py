"""The steps that both trainings on crops take."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from deepcryopicker.io.console import track

_WARM_UP, _LARGEST_STEP = 0.1, 1.0


def descend(
    network: nn.Module,
    next_loss: Callable[[], Tensor],
    steps: int,
    learning_rate: float,
    weight_decay: float,
    description: str,
) -> None:
    """Train a network, in place, with AdamW, a one-cycle schedule and clipped gradients.

    Parameters
    ----------
    network : torch.nn.Module
    next_loss : callable
        Returns the loss of the next batch, a scalar.
    steps : int
    learning_rate : float
        Peak of the schedule.
    weight_decay : float
        Decoupled from the loss.
    description : str
        Of the progress bar.
    """
    parameters = list(network.parameters())
    optimiser = AdamW(parameters, learning_rate, weight_decay=weight_decay)
    schedule = OneCycleLR(optimiser, learning_rate, total_steps=steps, pct_start=_WARM_UP)
    for _ in track(range(steps), description, "step"):
        loss = next_loss()
        optimiser.zero_grad()
        loss.backward()
        clip_grad_norm_(parameters, _LARGEST_STEP)
        optimiser.step()
        schedule.step()
