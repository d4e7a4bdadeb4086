"""Lightning loggers from the configuration: CSV always, W&B as a mirror."""

from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger

from deepcryopicker.logger.schema import LoggerConfig

CURVES = Path("training") / "metrics.csv"


def build_loggers(
    config: LoggerConfig, folder: Path, name: str, group: str | None, settings: dict[str, Any]
) -> list[Logger]:
    """Build the loggers of one run.

    Parameters
    ----------
    config : LoggerConfig
    folder : Path
        The run folder; curves go to ``training/metrics.csv`` in it.
    name : str
        Name of the W&B run.
    group : str or None
        Name of the sweep it belongs to.
    settings : dict
        The run's whole configuration.
    """
    loggers: list[Logger] = [CSVLogger(folder, name=CURVES.parent.name, version="")]
    if config.wandb.enabled:
        import wandb
        from lightning.pytorch.loggers import WandbLogger

        experiment = wandb.init(
            project=config.wandb.project,
            name=name,
            group=group,
            dir=folder,
            mode="offline" if config.wandb.offline else "online",
            config=settings,
            settings=wandb.Settings(silent=True),  # the terminal is for results
            reinit="finish_previous",
        )
        loggers.append(WandbLogger(experiment=experiment))
    return loggers


def log_summary(loggers: list[Logger], scores: dict[str, float]) -> None:
    """Send the final scores to every logger but the CSV file, which holds curves."""
    for logger in loggers:
        if not isinstance(logger, CSVLogger):
            logger.log_metrics(scores)


def close_loggers(loggers: list[Logger]) -> None:
    """Finish the W&B run; otherwise the next job of a sweep would write into it."""
    if any(not isinstance(logger, CSVLogger) for logger in loggers):
        import wandb

        wandb.finish()
