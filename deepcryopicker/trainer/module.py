"""The Lightning module: loss, optimiser and schedule of the window classifier."""

from typing import Any

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR
from torchmetrics.functional.classification import binary_average_precision

from deepcryopicker.model.network import Network
from deepcryopicker.trainer.augment import augment
from deepcryopicker.trainer.curves import EPOCH_AP
from deepcryopicker.trainer.losses import choose_loss, detection_loss
from deepcryopicker.trainer.schema import TrainerConfig
from deepcryopicker.types import particle_classes

_MOMENTUM = 0.9  # of stochastic gradient descent


class WindowClassifier(lightning.LightningModule):
    """Trains a network on single windows.

    Parameters
    ----------
    network : Network
    config : TrainerConfig
    classes : tuple of str
        Class names by output index.
    steps : int
        Optimiser steps of a complete training, for the schedule.
    seed : int
        Each epoch has its own seed, so that a resumed training equals an uninterrupted one.
    """

    def __init__(
        self,
        network: Network,
        config: TrainerConfig,
        classes: tuple[str, ...],
        steps: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.network = network
        self.config = config
        self.steps = steps
        self.seed = seed
        self.loss = choose_loss(config, classes)
        self.particles = particle_classes(classes)
        self._validated: list[tuple[Tensor, Tensor]] = []

    def on_train_batch_start(self, batch: list[Tensor], batch_idx: int) -> None:
        """Seed augmentation and dropout of an epoch, after its loader has been shuffled."""
        if batch_idx == 0:
            torch.manual_seed(1_000_003 * self.seed + 1009 * self.current_epoch + self.global_rank)

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Return the loss of one augmented batch."""
        windows, target, heat = batch
        logits = self._logits(augment(windows.float(), self.config.jitter, self.config.shift))
        loss = self.loss(logits, target, heat)
        self.log("train_loss", loss, on_step=False, on_epoch=True, sync_dist=True)
        return loss

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        """Log losses and accuracy on windows of other micrographs."""
        windows, target, _ = batch
        logits = self._logits(windows.float())
        particles = torch.tensor(self.particles, device=target.device)
        scores = {
            "validation_loss": functional.cross_entropy(logits, target),
            "validation_detection_loss": detection_loss(logits, target, particles),
            "validation_accuracy": (logits.argmax(dim=1) == target).float().mean(),
        }
        self.log_dict(scores, sync_dist=True)
        chance = torch.softmax(logits, dim=1)[:, particles].sum(dim=1)
        self._validated.append((chance, torch.isin(target, particles)))

    def on_validation_epoch_end(self) -> None:
        """Log the average precision of particles on all of them."""
        chance, particle = (torch.cat(each) for each in zip(*self._validated, strict=True))
        self._validated.clear()
        none = torch.tensor(torch.nan, device=chance.device)
        found = binary_average_precision(chance, particle.long()) if particle.any() else none
        self.log(EPOCH_AP, found.float(), sync_dist=True)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build the configured optimiser and schedule."""
        optimizer = build_optimizer(list(self.parameters()), self.config)
        schedule = _build_schedule(optimizer, self.config, self.steps)
        if schedule is None:
            return optimizer
        settings: dict[str, Any] = {"scheduler": schedule, "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": settings}  # type: ignore[return-value]

    def _logits(self, windows: Tensor) -> Tensor:
        return self.network(windows)[..., 0, 0].float()


def build_optimizer(parameters: list[torch.nn.Parameter], config: TrainerConfig) -> Optimizer:
    """Build the optimiser: AdamW, or the paper's stochastic gradient descent (Eq. 11)."""
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimizer == "sgd":
        return SGD(parameters, rate, momentum=_MOMENTUM, weight_decay=decay)
    return AdamW(parameters, rate, weight_decay=decay)


def _build_schedule(optimizer: Optimizer, config: TrainerConfig, steps: int) -> LRScheduler | None:
    if config.schedule == "one_cycle":
        return OneCycleLR(optimizer, config.learning_rate, total_steps=steps)
    if config.schedule == "cosine":
        return CosineAnnealingLR(optimizer, steps)
    return None
