"""Progress of training: epochs done, time left, and the last losses."""

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deepcryopicker.progress import console


class EpochProgress(Callback):
    """A bar over epochs on a terminal, one line at the end elsewhere.

    Parameters
    ----------
    epochs : int
        At the most.
    """

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        # A bar cannot be sent to another process, so it is made where training starts.
        self._bar: Progress | None = None

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
        done = trainer.current_epoch
        if done and trainer.is_global_zero:
            console.print(f"training goes on after epoch {done} of {self._epochs}")
        self._bar.add_task("training", total=self._epochs, completed=done, loss="")
        self._bar.start()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Move on by an epoch."""
        loss = float(trainer.callback_metrics["validation_detection_loss"])
        if self._bar is not None:
            task = self._bar.task_ids[0]
            self._bar.update(task, advance=1, loss=f"validation loss {loss:.3f}")

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the bar and say how it went."""
        if self._bar is not None:
            self._bar.stop()
        accuracy = trainer.callback_metrics.get("validation_accuracy")
        if accuracy is not None and trainer.is_global_zero:
            console.print(
                f"training: {trainer.current_epoch} of {self._epochs} epochs, "
                f"validation accuracy {float(accuracy):.3f}"
            )
