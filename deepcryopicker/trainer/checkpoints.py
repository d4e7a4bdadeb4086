"""Checkpoints: the best epoch, and the last one, from which training can resume."""

import math
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback

from deepcryopicker.io.files.atomic import replacing

BEST, LAST = "best.ckpt", "last.ckpt"


class Checkpoints(Callback):
    """Writes both checkpoints after an epoch.

    Lightning's ModelCheckpoint stores absolute paths, but a run folder may be moved before its
    training resumes. This must be the last of the callbacks, so that the checkpoint contains the
    state of the others.

    Parameters
    ----------
    folder : Path
    monitor : str
        Metric whose minimum is the best.
    """

    def __init__(self, folder: Path, monitor: str) -> None:
        self._folder = folder
        self._monitor = monitor
        self._least = math.inf

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the checkpoint, and the weights if they are the best."""
        value = float(trainer.callback_metrics[self._monitor])
        if value < self._least:
            self._least = value
            trainer.save_checkpoint(self._folder / BEST, weights_only=True)
        trainer.save_checkpoint(self._folder / LAST)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Give the weights of the best epoch, which the first process has written, to all nodes."""
        if trainer.num_nodes == 1:
            return
        best = self._folder / BEST
        content = best.read_bytes() if trainer.is_global_zero and best.is_file() else b""
        content = trainer.strategy.broadcast(content)
        if content and trainer.local_rank == 0 and not trainer.is_global_zero:
            with replacing(best) as temporary:
                temporary.write_bytes(content)

    def state_dict(self) -> dict[str, Any]:
        """Return the best value so far, for the checkpoint."""
        return {"least": self._least}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best value of the interrupted training."""
        self._least = state_dict["least"]


class AtomicIO(TorchCheckpointIO):
    """Writes checkpoints atomically: a killed training leaves the previous one."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write to a temporary file, then rename it.

        Parameters
        ----------
        checkpoint : dict
        path : Path or str
        storage_options : optional
            Ignored.
        """
        with replacing(Path(path)) as temporary:
            torch.save(checkpoint, temporary)


def is_readable(path: Path) -> bool:
    """Return whether there is a readable checkpoint."""
    if not path.exists():
        return False
    try:
        torch.load(path, weights_only=True, mmap=True, map_location="cpu")
    except Exception:  # torch raises various errors on damaged files
        return False
    return True


def remove_checkpoints(folder: Path) -> None:
    """Delete the checkpoints of a finished training."""
    for name in (BEST, LAST):
        (folder / name).unlink(missing_ok=True)
    remove_halves(folder)


def remove_halves(folder: Path) -> None:
    """Delete the partial checkpoint of a killed training, up to half a gigabyte."""
    for path in folder.glob(".*.tmp-*.ckpt"):
        path.unlink()
