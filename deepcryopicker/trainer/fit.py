"""Fit a network to a training set with Lightning and keep the best epoch."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import Logger
from torch.utils.data import DataLoader, TensorDataset

from deepcryopicker.errors import UsageError
from deepcryopicker.model.network import Network
from deepcryopicker.trainer.module import WindowClassifier
from deepcryopicker.trainer.schema import TrainerConfig
from deepcryopicker.types import TrainingSet

_MONITOR = "validation_detection_loss"


def fit(
    network: Network,
    training_set: TrainingSet,
    config: TrainerConfig,
    folder: Path,
    loggers: list[Logger],
    callbacks: list[Callback],
    seed: int,
) -> dict[str, float]:
    """Train `network` in place and test it on windows of other micrographs.

    Parameters
    ----------
    network : Network
    training_set : TrainingSet
    config : TrainerConfig
    folder : Path
        For the checkpoint of the best epoch.
    loggers, callbacks : list
        Lightning's, for curves and progress.
    seed : int

    Returns
    -------
    dict
        ``test_loss`` and ``test_accuracy`` of the best epoch, where there are test windows.

    Raises
    ------
    UsageError
        If CUDA is asked for where there is none.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("trainer.device=cuda, but torch finds no GPU here; leave it out")
    lightning.seed_everything(seed, workers=True, verbose=False)
    loaders = {
        split: _loader(training_set, split, config, seed)
        for split in ("train", "validation", "test")
    }
    module = WindowClassifier(
        network, config, training_set.classes, steps=config.epochs * len(loaders["train"])
    )
    # Picks are scored by the probability of any particle class. Which of them it is, is often
    # uncertain in labels found without supervision, and would dominate the plain loss.
    best = ModelCheckpoint(folder, "best", monitor=_MONITOR, enable_version_counter=False)
    patience = EarlyStopping(_MONITOR, patience=config.patience)
    with _quiet():
        trainer = lightning.Trainer(
            accelerator={"cuda": "gpu"}.get(config.device, config.device),
            devices=1,
            precision="16-mixed" if uses_cuda(config) else "32-true",
            max_epochs=config.epochs,
            logger=loggers,
            callbacks=[best, patience, *callbacks],
            deterministic="warn",
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=10,
        )
        trainer.fit(module, loaders["train"], loaders["validation"])
        state = torch.load(best.best_model_path, weights_only=True, map_location="cpu")
        module.load_state_dict(state["state_dict"])
        has_test = len(loaders["test"].dataset) > 0  # type: ignore[arg-type]
        tested = trainer.test(module, loaders["test"], verbose=False) if has_test else [{}]
    network.eval()
    return {key: float(value) for key, value in tested[0].items()}


def uses_cuda(config: TrainerConfig) -> bool:
    """Whether training will run on a GPU."""
    return config.device != "cpu" and torch.cuda.is_available()


def _loader(
    training_set: TrainingSet, split: str, config: TrainerConfig, seed: int
) -> DataLoader[tuple[torch.Tensor, ...]]:
    chosen = training_set.split == split
    dataset = TensorDataset(
        torch.from_numpy(training_set.windows[chosen])[:, None],
        torch.from_numpy(training_set.target[chosen]),
    )
    training = split == "train"
    # A last batch of one window would stop batch normalisation.
    ragged = len(dataset) % config.batch_size == 1 and len(dataset) > 1
    return DataLoader(
        dataset,
        batch_size=config.batch_size if training else 4 * config.batch_size,
        shuffle=training,
        drop_last=training and ragged,
        generator=torch.Generator().manual_seed(seed),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Lightning's advice: it names knobs that users of this program do not have."""
    loggers = [logging.getLogger(f"lightning.{name}") for name in ("pytorch", "fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in (
                "The 'train_dataloader' does not have many workers",
                "The 'val_dataloader' does not have many workers",
                "The 'test_dataloader' does not have many workers",
                "The number of training batches",
                "Checkpoint directory .* exists and is not empty",
                ".*isinstance\\(treespec, LeafSpec\\)",
                "The `srun` command is available",
                "GPU available but not used",
            ):
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
