"""Configuration of experiment tracking (conf/logger)."""

from dataclasses import dataclass, field

from deepcryopicker.errors import UsageError

_NOT_IN_A_PROJECT = "/\\#?%:"


@dataclass
class WandbConfig:
    """Weights & Biases, a mirror of what the run folder holds.

    Attributes
    ----------
    enabled : bool
    offline : bool
        Write to the run folder only; no account and no network is needed, and ``wandb sync``
        sends it later.
    project : str
        1 to 128 characters.
    """

    enabled: bool = True
    offline: bool = True
    project: str = "deepcryopicker"

    def __post_init__(self) -> None:
        if not 1 <= len(self.project) <= 128 or set(self.project) & set(_NOT_IN_A_PROJECT):
            raise UsageError(
                f"logger.wandb.project must be 1 to 128 characters, none of {_NOT_IN_A_PROJECT}, "
                f"got '{self.project}'"
            )


@dataclass
class LoggerConfig:
    """Training curves always go to ``training/metrics.csv``; W&B is optional."""

    wandb: WandbConfig = field(default_factory=WandbConfig)
