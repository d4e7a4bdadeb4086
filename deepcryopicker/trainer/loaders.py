"""Batches of windows."""

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler, Subset, TensorDataset

from deepcryopicker.trainer.schema import TrainerConfig
from deepcryopicker.types import TrainingSet

Batches = DataLoader[tuple[torch.Tensor, ...]]


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
