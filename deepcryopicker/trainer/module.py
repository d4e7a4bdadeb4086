"""The Lightning module: loss, augmentation and schedule of the window classifier."""

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional

from deepcryopicker.model.network import Network
from deepcryopicker.trainer.schema import TrainerConfig


class WindowClassifier(lightning.LightningModule):
    """Trains a network on single windows with cross-entropy.

    Parameters
    ----------
    network : Network
    config : TrainerConfig
    steps : int
        Optimiser steps of a full training, for the schedule.
    """

    def __init__(self, network: Network, config: TrainerConfig, steps: int) -> None:
        super().__init__()
        self.network = network
        self.config = config
        self.steps = steps

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Return the loss of one augmented batch."""
        windows, target = batch
        logits = self.network(augment(windows, self.config.jitter))[..., 0, 0]
        loss = functional.cross_entropy(logits, target, label_smoothing=self.config.label_smoothing)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        """Log loss and accuracy on windows of other micrographs."""
        self._evaluate(batch, "validation")

    def test_step(self, batch: list[Tensor], batch_idx: int) -> None:
        """Log loss and accuracy on the windows kept for the end."""
        self._evaluate(batch, "test")

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW with a one-cycle schedule."""
        optimizer = torch.optim.AdamW(
            self.parameters(),
            lr=self.config.learning_rate,
            weight_decay=self.config.weight_decay,
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.config.learning_rate, total_steps=self.steps
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _evaluate(self, batch: list[Tensor], split: str) -> None:
        windows, target = batch
        logits = self.network(windows)[..., 0, 0]
        accuracy = (logits.argmax(dim=1) == target).float().mean()
        self.log(f"{split}_loss", functional.cross_entropy(logits, target))
        self.log(f"{split}_accuracy", accuracy)


def augment(windows: Tensor, jitter: float) -> Tensor:
    """Turn and flip each window at random and vary its contrast and brightness.

    Parameters
    ----------
    windows : (N, 1, S, S) Tensor
    jitter : float
        Standard deviation of the factor around 1 and of the offset around 0.
    """
    count = len(windows)
    turns = torch.randint(0, 4, (count,), device=windows.device)
    flips = torch.randint(0, 2, (count,), device=windows.device).bool()
    turned = torch.stack(
        [
            torch.rot90(window, int(turn), (1, 2))
            for window, turn in zip(windows, turns, strict=True)
        ]
    )
    turned[flips] = turned[flips].flip(3)
    factor = 1.0 + jitter * torch.randn(count, 1, 1, 1, device=windows.device)
    offset = jitter * torch.randn(count, 1, 1, 1, device=windows.device)
    return turned * factor + offset
