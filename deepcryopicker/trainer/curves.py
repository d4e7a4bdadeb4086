"""Training curves: one row per epoch, continued by a resumed training."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from deepcryopicker.io.files.tables import write_rows

EPOCH_AP = "validation_average_precision"
"""Average precision of particles against everything else, on the validation windows."""

COLUMNS = (
    "epoch",
    "learning_rate",
    "train_loss",
    "validation_loss",
    "validation_detection_loss",
    "validation_accuracy",
    EPOCH_AP,
)
OnEpoch = Callable[[Mapping[str, float]], None]


def read_curves(path: Path) -> list[dict[str, float]]:
    """Read the rows of a file of training curves."""
    with path.open(encoding="utf-8") as stream:
        return [{key: float(cell) for key, cell in row.items()} for row in csv.DictReader(stream)]


class Curves(Callback):
    """Writes a row after every epoch; the rows are part of the checkpoint.

    Parameters
    ----------
    path : Path
        CSV to write.
    on_epoch : callable, optional
        Called with each new row.
    """

    def __init__(self, path: Path, on_epoch: OnEpoch | None) -> None:
        self._path = path
        self._on_epoch = on_epoch
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the row of the epoch."""
        metrics = trainer.callback_metrics
        row = {
            "epoch": trainer.current_epoch,
            "learning_rate": trainer.optimizers[0].param_groups[0]["lr"],
            **{name: float(metrics[name]) for name in COLUMNS[2:]},
        }
        self.rows.append(row)
        if trainer.local_rank == 0:  # of every node
            write_rows(self._path, self.rows, COLUMNS)
            if self._on_epoch is not None:
                self._on_epoch(row)

    def state_dict(self) -> dict[str, Any]:
        """Return the rows, for the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the rows of the interrupted training."""
        self.rows = list(state_dict["rows"])
        if self._on_epoch is not None:
            for row in self.rows:
                self._on_epoch(row)
