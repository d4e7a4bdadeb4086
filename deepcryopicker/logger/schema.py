"""Configuration of experiment tracking (conf/logger)."""

from dataclasses import dataclass, field

from deepcryopicker.errors import UsageError

_NOT_IN_A_PROJECT = "/\\#?%:"


@dataclass
class WandbConfig:
    """Weights & Biases, as a copy of the results in the run folder.

    Attributes
    ----------
    enabled : bool
    offline : bool
        Write to the run folder only, without account or network; ``wandb sync`` uploads it later.
    project : str
        1 to 128 characters.
    """

    enabled: bool = True
    offline: bool = True
    project: str = "deepcryopicker"

    def __post_init__(self) -> None:
        if not 1 <= len(self.project) <= 128 or set(self.project) & set(_NOT_IN_A_PROJECT):
            raise UsageError(
                f"logger.wandb.project must be 1 to 128 characters without {_NOT_IN_A_PROJECT}, "
                f"got '{self.project}'"
            )


@dataclass
class LoggerConfig:
    """Training curves always go to ``training/metrics.csv``; W&B is optional."""

    wandb: WandbConfig = field(default_factory=WandbConfig)
