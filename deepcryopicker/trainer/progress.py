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
        self._bar = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.fields[loss]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("training", total=epochs, loss="")

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the bar."""
        self._bar.start()

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Move on by an epoch."""
        loss = float(trainer.callback_metrics["validation_detection_loss"])
        self._bar.update(self._task, advance=1, loss=f"validation loss {loss:.3f}")

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the bar and say how it went."""
        self._bar.stop()
        accuracy = float(trainer.callback_metrics["validation_accuracy"])
        console.print(
            f"training: {trainer.current_epoch} of {self._epochs} epochs, "
            f"validation accuracy {accuracy:.3f}"
        )
