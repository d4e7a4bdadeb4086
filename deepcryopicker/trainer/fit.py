"""Train a network with Lightning, keep the best epoch, and calibrate it."""

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.callbacks import Callback, EarlyStopping

from deepcryopicker.errors import NothingUsableError, UsageError
from deepcryopicker.io.console import console
from deepcryopicker.model.network import Network, multiplies_bfloat16
from deepcryopicker.trainer.checkpoints import (
    BEST,
    LAST,
    AtomicIO,
    Checkpoints,
    is_readable,
    remove_checkpoints,
    remove_halves,
)
from deepcryopicker.trainer.curves import Curves, OnEpoch, read_curves
from deepcryopicker.trainer.loaders import make_loader
from deepcryopicker.trainer.module import WindowClassifier
from deepcryopicker.trainer.predict import fit_temperature, predict
from deepcryopicker.trainer.processes import (
    SameOnEveryNode,
    freeze_unused,
    nodes_that_agree,
    require_address,
)
from deepcryopicker.trainer.schema import TrainerConfig
from deepcryopicker.trainer.training_progress import EpochProgress
from deepcryopicker.types import TrainingSet

CURVES = "metrics.csv"
_MONITOR = "validation_detection_loss"
_PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed"}
_NOISE = (
    "The '(train|val|test)_dataloader' does not have many workers",
    "The number of training batches",
    "Checkpoint directory .* exists and is not empty",
    ".*isinstance\\(treespec, LeafSpec\\)",
    "The `srun` command is available",
    "GPU available but not used",
)


def fit(
    network: Network,
    training_set: TrainingSet,
    config: TrainerConfig,
    folder: Path,
    seed: int,
    resume: bool = False,
    on_epoch: OnEpoch | None = None,
) -> None:
    """Train `network` in place, and fit its temperature to the validation windows.

    Parameters
    ----------
    network : Network
    training_set : TrainingSet
    config : TrainerConfig
    folder : Path
        For the curves, ``metrics.csv``, and for checkpoints during training.
    seed : int
        Equal seeds give equal weights.
    resume : bool
        Resume from the last checkpoint in `folder`, if there is one; the result equals that of an
        uninterrupted training. Otherwise checkpoints in `folder` are removed.
    on_epoch : callable, optional
        Called with the row of every epoch.

    Raises
    ------
    UsageError
        CUDA is requested but not available, there are fewer GPUs than devices, or a node does not
        know the first one or has another number of windows.
    NothingUsableError
        The loss was never finite.
    """
    device = device_of(config)
    require_address(config)
    last = folder / LAST
    resume = resume and config.num_nodes == 1  # only the first of several has a checkpoint
    if not (resume and is_readable(last)):
        remove_checkpoints(folder)
    remove_halves(folder)
    lightning.seed_everything(seed, workers=True, verbose=False)
    network.to(memory_format=torch.channels_last)  # a quarter faster on a CPU
    batches, validation = (
        make_loader(training_set, split, config, seed) for split in ("train", "validation")
    )
    steps = config.epochs * -(-len(batches) // config.processes)
    module = WindowClassifier(network, config, training_set.classes, steps, seed)
    # Rows of other processes are available only after training.
    alone = config.processes == 1
    if not alone:
        freeze_unused(network)
    callbacks: list[Callback] = [
        EpochProgress(config.epochs),
        Curves(folder / CURVES, on_epoch if alone else None),
        EarlyStopping(_MONITOR, patience=config.patience),
        Checkpoints(folder, _MONITOR),
    ]
    if config.num_nodes > 1:
        callbacks.insert(0, SameOnEveryNode(len(batches)))
    with _quiet(), nodes_that_agree():
        trainer = _make_trainer(config, callbacks)
        trainer.fit(module, batches, validation, ckpt_path=last if last.exists() else None)
    rows = read_curves(folder / CURVES)
    if on_epoch is not None and not alone:
        for row in rows:
            on_epoch(row)
    _take_best(module, rows, config, folder)
    network.to(memory_format=torch.contiguous_format).eval()  # as when it is read from a file
    network.to(device)
    set_temperature(network, training_set)


def set_temperature(network: Network, training_set: TrainingSet) -> None:
    """Fit the temperature of a network, in place, to the validation windows."""
    held_out = np.flatnonzero(training_set.split == "validation")
    logits = predict(network, training_set.windows, held_out)
    network.temperature.fill_(fit_temperature(logits, training_set.target[held_out]))


def _take_best(
    module: WindowClassifier, rows: list[dict[str, float]], config: TrainerConfig, folder: Path
) -> None:
    """Load the weights of the best epoch and print its validation accuracy."""
    best = min(rows, key=lambda row: (math.isnan(row[_MONITOR]), row[_MONITOR]))
    if not math.isfinite(best[_MONITOR]):
        raise NothingUsableError(
            "training diverged: the validation loss was never finite. Lower trainer.learning_rate"
        )
    state = torch.load(folder / BEST, weights_only=True, map_location="cpu")
    module.load_state_dict(state["state_dict"])
    console.print(
        f"training: {len(rows)} of {config.epochs} epochs, "
        f"validation accuracy {best['validation_accuracy']:.3f}"
    )


def uses_cuda(config: TrainerConfig) -> bool:
    """Return whether training will run on a GPU."""
    return config.device != "cpu" and torch.cuda.is_available()


def device_of(config: TrainerConfig) -> str:
    """Return the device of training, ``cuda`` or ``cpu``.

    Raises
    ------
    UsageError
        CUDA is requested but not available, or there are fewer GPUs than devices.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("trainer.device=cuda, but torch finds no GPU here; leave it out")
    if uses_cuda(config) and config.devices > torch.cuda.device_count():
        raise UsageError(
            f"trainer.devices={config.devices}, but there are {torch.cuda.device_count()} GPUs"
        )
    return "cuda" if uses_cuda(config) else "cpu"


def _make_trainer(config: TrainerConfig, callbacks: list[Callback]) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator="gpu" if uses_cuda(config) else "cpu",
        devices=config.devices,
        num_nodes=config.num_nodes,
        # Within a SLURM job Lightning would otherwise leave the start of processes to SLURM.
        plugins=[AtomicIO(), LightningEnvironment()],
        # Spawned processes only train; forked processes or a second call of the program would
        # also label and pick.
        strategy="auto" if config.processes == 1 else "ddp_spawn",
        sync_batchnorm=config.processes > 1 and uses_cuda(config),
        precision=precision_of(config),  # type: ignore[arg-type]
        max_epochs=config.epochs,
        logger=False,
        callbacks=callbacks,
        deterministic="warn",
        enable_checkpointing=False,  # Checkpoints does it
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def precision_of(config: TrainerConfig) -> str:
    """Return Lightning's name of the configured precision."""
    if config.precision in _PRECISIONS:
        return _PRECISIONS[config.precision]
    if uses_cuda(config):
        return "16-mixed"
    half = config.precision == "fastest" and multiplies_bfloat16()
    return _PRECISIONS["bfloat16" if half else "float32"]


def in_bfloat16(config: TrainerConfig) -> bool:
    """Whether training multiplies bfloat16."""
    return precision_of(config) == _PRECISIONS["bfloat16"]


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Lightning's advice on options that users of this program do not have."""
    loggers = [logging.getLogger(f"lightning.{name}") for name in ("pytorch", "fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in _NOISE:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
