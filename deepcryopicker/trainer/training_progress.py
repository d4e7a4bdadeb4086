"""Progress of training: epochs done, time remaining, and the last loss."""

import time

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deepcryopicker.io.console import SECONDS_BETWEEN_LINES, console


class EpochProgress(Callback):
    """A bar over epochs on a terminal, a line every few seconds elsewhere.

    Parameters
    ----------
    epochs : int
        Maximum number.
    """

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        # A bar cannot be sent to another process and is created when training starts.
        self._bar: Progress | None = None
        self._start = self._last = 0.0
        self._first = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the bar."""
        self._bar = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.fields[loss]}"),
            console=console,
            disable=not (console.is_terminal and trainer.is_global_zero),
        )
        self._start = self._last = time.monotonic()
        done = self._first = trainer.current_epoch
        if done and trainer.is_global_zero:
            console.print(f"training continues after epoch {done} of {self._epochs}")
        self._bar.add_task("training", total=self._epochs, completed=done, loss="")
        self._bar.start()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Advance by an epoch."""
        loss = float(trainer.callback_metrics["validation_detection_loss"])
        if self._bar is not None:
            task = self._bar.task_ids[0]
            self._bar.update(task, advance=1, loss=f"validation loss {loss:.3f}")
        now, done = time.monotonic(), trainer.current_epoch + 1
        due = now - self._last >= SECONDS_BETWEEN_LINES
        if due and trainer.is_global_zero and not console.is_terminal and done < self._epochs:
            left = (now - self._start) / (done - self._first) * (self._epochs - done)
            console.print(
                f"training: epoch {done}/{self._epochs}, validation loss {loss:.3f}, "
                f"about {left:.0f} s left"
            )
            self._last = now

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.stop()
