"""The Lightning module: loss, augmentation and schedule of the window classifier."""

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional

from deepcryopicker.model.network import Network
from deepcryopicker.trainer.schema import TrainerConfig
from deepcryopicker.types import SHAPES


class WindowClassifier(lightning.LightningModule):
    """Trains a network on single windows with cross-entropy.

    Parameters
    ----------
    network : Network
    config : TrainerConfig
    classes : tuple of str
        Class names by output index.
    steps : int
        Optimiser steps of a full training, for the schedule.
    """

    def __init__(
        self, network: Network, config: TrainerConfig, classes: tuple[str, ...], steps: int
    ) -> None:
        super().__init__()
        self.network = network
        self.config = config
        self.steps = steps
        self.particles = [index for index, name in enumerate(classes) if name in SHAPES]

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
        particle = torch.softmax(logits, dim=1)[:, self.particles].sum(dim=1).clamp(0.0, 1.0)
        is_particle = torch.isin(target, torch.tensor(self.particles, device=target.device))
        detection = functional.binary_cross_entropy(particle, is_particle.float())
        self.log(f"{split}_loss", functional.cross_entropy(logits, target))
        self.log(f"{split}_detection_loss", detection)
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
