"""Batches of windows."""

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler, TensorDataset

from deepcryopicker.trainer.schema import TrainerConfig
from deepcryopicker.types import TrainingSet

Batches = DataLoader[tuple[torch.Tensor, ...]]


class EpochShuffle(Sampler[int]):
    """Shuffles anew in every epoch, and always alike in the same one.

    Parameters
    ----------
    length : int
    seed : int
    repeats : int
        How often an epoch goes through all.
    """

    def __init__(self, length: int, seed: int, repeats: int = 1) -> None:
        self._length = length
        self._seed = seed
        self._repeats = repeats
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next; Lightning does, also when it resumes."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._repeats * self._length

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self._seed, self._epoch])
        for _ in range(self._repeats):
            yield from rng.permutation(self._length).tolist()


def make_loader(training_set: TrainingSet, split: str, config: TrainerConfig, seed: int) -> Batches:
    """Batch the windows of one split: (N, 1, S, S) windows, targets, heat-map targets.

    Only ``train`` is shuffled; the others come in larger batches.
    """
    chosen = training_set.split == split
    dataset = TensorDataset(
        torch.from_numpy(training_set.windows[chosen])[:, None],
        torch.from_numpy(training_set.target[chosen]),
        torch.from_numpy(training_set.heat[chosen]),
    )
    if split != "train":
        return DataLoader(dataset, batch_size=4 * config.batch_size)
    # A last batch of one window would stop batch normalisation.
    repeats = max(1, -(-config.epoch_windows // max(len(dataset), 1)))
    per_device = -(-repeats * len(dataset) // config.devices)
    ragged = per_device % config.batch_size == 1 and per_device > 1
    sampler = EpochShuffle(len(dataset), seed, repeats)
    return DataLoader(dataset, batch_size=config.batch_size, sampler=sampler, drop_last=ragged)
