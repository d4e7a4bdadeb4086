"""Build and train the configured rival."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch

from deepcryopicker.io.console import track
from deepcryopicker.picker.scanning.prepare import choose_device
from deepcryopicker.rivals.learned.rival import Rival
from deepcryopicker.rivals.learned.schema import Eman2Config, LearnedConfig, PixerConfig
from deepcryopicker.rivals.training.examples import Example, split_examples
from deepcryopicker.rivals.training.optimise import Progress

_PROGRESS: Progress = partial(track, unit="step")


def build_rival(config: LearnedConfig) -> Rival:
    """Build the configured rival with random weights."""
    # Imported on demand, because torchvision takes a second to load.
    if isinstance(config, Eman2Config):
        from deepcryopicker.rivals.learned.eman2 import Eman2

        return Eman2()
    if isinstance(config, PixerConfig):
        from deepcryopicker.rivals.learned.pixer import Pixer

        return Pixer()
    from deepcryopicker.rivals.learned.fast_rcnn import FastRcnn

    return FastRcnn()


def fit(
    config: LearnedConfig, examples: Sequence[Example], seed: int, progress: Progress = _PROGRESS
) -> Rival:
    """Train the configured rival.

    Parameters
    ----------
    config : LearnedConfig
    examples : sequence of Example
        A fifth of them, at least one, is used for early stopping; see
        :func:`examples.split_examples`.
    seed : int
        The same seed gives the same weights on the same CPU.
    progress : callable
        Shows the progress of the training.

    Returns
    -------
    Rival
        In evaluation mode, on the CPU.

    Raises
    ------
    UsageError
        If the device is missing.
    NothingUsableError
        If there is no particle to train on, or training diverged.
    """
    device = choose_device(config.device)
    parts = split_examples(examples, seed)
    train, validation = ([one.hidden() for one in part] for part in parts)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        rival = build_rival(config).to(device)
        rival.learn(config, train, validation, np.random.default_rng(seed), progress)
    return rival.cpu().eval()
