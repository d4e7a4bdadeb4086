"""Training in several processes, on one node or several: what they need, and what each one gets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch.multiprocessing.spawn import ProcessRaisedException

from deepcryopicker.errors import UsageError
from deepcryopicker.model.network import Network
from deepcryopicker.trainer.schema import TrainerConfig

_ADDRESS = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK")


class OtherWindowsError(RuntimeError):
    """The nodes have training sets of different sizes, and would wait for each other for ever."""


class SameOnEveryNode(Callback):
    """Refuses to train on nodes whose training sets have different sizes.

    Parameters
    ----------
    batches : int
        Number of batches of an epoch here.
    """

    def __init__(self, batches: int) -> None:
        self._batches = batches

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compare with the number of the other nodes."""
        here = torch.tensor(self._batches, device=pl_module.device)
        every = trainer.strategy.all_gather(here).flatten().tolist()
        if len(set(every)) > 1:
            raise OtherWindowsError(f"batches on the nodes: {', '.join(map(str, every))}")


@contextmanager
def nodes_that_agree() -> Iterator[None]:
    """Reword the error of :class:`SameOnEveryNode`, which comes from another process.

    Raises
    ------
    UsageError
    """
    try:
        yield
    except ProcessRaisedException as error:
        if OtherWindowsError.__name__ not in str(error):
            raise
        reason = str(error).rstrip().splitlines()[-1].partition(": ")[2]
        raise UsageError(
            f"the nodes have other numbers of windows ({reason})\n"
            "give each the same command and the same micrographs"
        ) from error


def require_address(config: TrainerConfig) -> None:
    """Require that a node of several knows the first one, and which it is itself.

    Raises
    ------
    UsageError
    """
    if config.num_nodes == 1:
        return
    missing = [name for name in _ADDRESS if not os.environ.get(name)]
    if missing:
        raise UsageError(
            f"trainer.num_nodes={config.num_nodes} needs the environment variables "
            f"{', '.join(missing)} on every node\n"
            "MASTER_ADDR and MASTER_PORT are those of the first, NODE_RANK counts the nodes from 0"
        )
    rank = os.environ["NODE_RANK"]
    if not rank.isdecimal() or int(rank) >= config.num_nodes:
        raise UsageError(
            f"NODE_RANK must be a number from 0 to {config.num_nodes - 1}, got {rank}: "
            f"trainer.num_nodes={config.num_nodes}"
        )


def freeze_unused(network: Network) -> list[str]:
    """Exclude layers that do not contribute to the logits from training, in place.

    Processes that train together wait for the gradient of every parameter. Some backbones have
    layers behind the features that are used, which never get one.

    Returns
    -------
    list of str
        Names of their parameters.
    """
    was_training = network.training
    place = next(network.parameters()).device
    windows = torch.zeros(2, 1, network.window, network.window, device=place)
    network.eval()(windows).sum().backward()
    unused = [
        name
        for name, parameter in network.named_parameters()
        if parameter.requires_grad and parameter.grad is None
    ]
    for name, parameter in network.named_parameters():
        parameter.grad = None
        if name in unused:
            parameter.requires_grad = False
    network.train(was_training)
    return unused
