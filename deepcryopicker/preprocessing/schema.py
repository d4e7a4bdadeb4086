"""Configuration of the preprocessing chain (conf/preprocessing)."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from deepcryopicker.errors import UsageError, unknown


@dataclass
class PreprocessingConfig:
    """An ordered chain of named steps at the working scale.

    Attributes
    ----------
    working_diameter : float
        Pixels that a particle's diameter has after rescaling. Everything downstream works at
        this scale, so that window sizes mean the same for every dataset.
    model_input : str
        Name of the step whose output the network sees; the labeler sees the last step's.
    steps : dict
        Step name to ``{operation: ..., parameter: value}``, applied in order. A step set to null
        is left out, so that an ablation is ``preprocessing.steps.wiener=null``.
    save_stages : bool
        Write every step's image to ``stages/<micrograph>/<step>.png`` (16 bit).
    """

    working_diameter: float = MISSING
    model_input: str = MISSING
    steps: dict[str, Any] = field(default_factory=dict)
    save_stages: bool = False

    def __post_init__(self) -> None:
        if not 8 <= self.working_diameter <= 512:
            raise UsageError(
                "preprocessing.working_diameter must lie in [8, 512] pixels, "
                f"got {self.working_diameter:g}"
            )
        names = [name for name, step in self.steps.items() if step is not None]
        if self.model_input not in names:
            raise UsageError(
                f"preprocessing.model_input: {unknown('step', self.model_input, names)}"
            )
