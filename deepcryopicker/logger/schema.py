"""Configuration of experiment tracking (conf/logger)."""

from dataclasses import dataclass, field


@dataclass
class WandbConfig:
    """Weights & Biases, a mirror of what the run folder holds.

    Attributes
    ----------
    enabled : bool
    offline : bool
        Write to the run folder only; no account and no network is needed.
    project : str
    """

    enabled: bool = True
    offline: bool = True
    project: str = "deepcryopicker"


@dataclass
class LoggerConfig:
    """Training curves always go to ``training/metrics.csv``; W&B is optional."""

    wandb: WandbConfig = field(default_factory=WandbConfig)
