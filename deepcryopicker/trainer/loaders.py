"""Batches of windows."""

from collections.abc import Callable, Iterator

import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler, Subset, TensorDataset

from deepcryopicker.trainer.schema import TrainerConfig
from deepcryopicker.types import TrainingSet

Batches = DataLoader[tuple[torch.Tensor, ...]]
Redraw = Callable[[int], TrainingSet]
"""From the number of an epoch, from 0, to its training set."""


class EpochShuffle(Sampler[int]):
    """Shuffles differently in every epoch, reproducibly for a seed and epoch.

    Parameters
    ----------
    length : int
        Number of windows.
    seed : int
    repeats : int
        Number of passes over all windows per epoch.
    """

    def __init__(self, length: int, seed: int, repeats: int = 1) -> None:
        self._length = length
        self._seed = seed
        self._repeats = repeats
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the next epoch; called by Lightning, also when it resumes."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._repeats * self._length

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self._seed, self._epoch])
        for _ in range(self._repeats):
            yield from rng.permutation(self._length).tolist()


def make_loader(training_set: TrainingSet, split: str, config: TrainerConfig, seed: int) -> Batches:
    """Return batches of the windows of one split.

    Parameters
    ----------
    training_set : TrainingSet
    split : str
        Only ``train`` is shuffled; the others have larger batches.
    config : TrainerConfig
    seed : int
        Of the order of ``train``.

    Returns
    -------
    DataLoader
        Yields windows (B, 1, S, S) float32, targets (B,) int64 and heat-map targets (B, C)
        float32.
    """
    whole = TensorDataset(  # in the memory of the training set, which may be a file
        torch.from_numpy(training_set.windows)[:, None],
        torch.from_numpy(training_set.target),
        torch.from_numpy(training_set.heat),
    )
    dataset = Subset(whole, np.flatnonzero(training_set.split == split).tolist())
    if split != "train":
        return DataLoader(dataset, batch_size=4 * config.batch_size)
    # Batch normalisation fails on a last batch of one window.
    repeats = max(1, -(-config.epoch_windows // max(len(dataset), 1)))
    per_device = -(-repeats * len(dataset) // config.processes)
    ragged = per_device % config.batch_size == 1 and per_device > 1
    sampler = EpochShuffle(len(dataset), seed, repeats)
    return DataLoader(dataset, batch_size=config.batch_size, sampler=sampler, drop_last=ragged)


class TrainingBatches(lightning.LightningDataModule):
    """Batches of training and validation; the former may be of other windows in every epoch.

    Parameters
    ----------
    training_set : TrainingSet
    config : TrainerConfig
    seed : int
    redraw : callable or None
        Returns the training set of an epoch; None trains on `training_set` in all of them.
    """

    def __init__(
        self, training_set: TrainingSet, config: TrainerConfig, seed: int, redraw: Redraw | None
    ) -> None:
        super().__init__()
        self._training_set = training_set
        self._config = config
        self._seed = seed
        self._redraw = redraw
        self._epoch = 0
        self._train = self._batches(0)

    def count(self) -> int:
        """Return the number of batches of an epoch."""
        return len(self._train)

    def train_dataloader(self) -> Batches:
        """Return the batches of the current epoch."""
        assert self.trainer is not None  # which calls this
        epoch = self.trainer.current_epoch
        if self._redraw is not None and epoch != self._epoch:
            self._epoch, self._train = epoch, self._batches(epoch)
        return self._train

    def val_dataloader(self) -> Batches:
        """Return the batches of validation."""
        return make_loader(self._training_set, "validation", self._config, self._seed)

    def _batches(self, epoch: int) -> Batches:
        drawn = self._training_set if self._redraw is None else self._redraw(epoch)
        return make_loader(drawn, "train", self._config, self._seed)
