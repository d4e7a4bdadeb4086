"""Configuration of the preprocessing chain (conf/preprocessing)."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from deepcryopicker.errors import UsageError, unknown

PRECISIONS = ("single", "double")
SCALINGS = ("continuous", "grid")


@dataclass
class PreprocessingConfig:
    """An ordered chain of named steps at one scale.

    Attributes
    ----------
    working_diameter : float
        Pixels that a particle's diameter has after rescaling. Networks always work at this
        scale, so that window sizes mean the same for every dataset.
    scaling : str
        ``continuous``: particles have exactly `working_diameter` pixels; ``grid``: the scale is
        rounded down to a multiple of 0.125, as the paper does, and they have somewhat less.
    model_input : str
        Name of the step whose output the network sees; the labeler sees the last step's.
    steps : dict
        Step name to ``{operation: ..., parameter: value}``, applied in order. A step set to null
        is no part of the chain, so that a preset can drop a step of the preset it builds on.
    leave_out : str or None
        Name of a step to leave out: what an ablation varies. Without the step `model_input` the
        network sees the one before it.
    scale : float or None
        Scale at which the chain runs, output pixels per original pixel; null: that at which a
        particle has `working_diameter` pixels. What the network sees is resampled to the latter.
    precision : str
        ``single`` or ``double``: the type that the steps compute in.
    integer_rescaling : bool
        Round and clip after each pass of the rescaling where the file holds whole numbers, as
        MATLAB does for integer images.
    save_stages : bool
        Write every step's image to ``stages/<micrograph>/<step>.png`` (16 bit) where micrographs
        are labelled, and ``score_maps/<micrograph>.png`` where a network picks.
    """

    working_diameter: float = MISSING
    scaling: str = "continuous"
    model_input: str = MISSING
    steps: dict[str, Any] = field(default_factory=dict)
    leave_out: str | None = None
    scale: float | None = None
    precision: str = "single"
    integer_rescaling: bool = False
    save_stages: bool = False

    def __post_init__(self) -> None:
        if not 8 <= self.working_diameter <= 512:
            raise UsageError(
                "preprocessing.working_diameter must lie in [8, 512] pixels, "
                f"got {self.working_diameter:g}"
            )
        _check_choice("scaling", "scaling", self.scaling, SCALINGS)
        names = [name for name, step in self.steps.items() if step is not None]
        _check_choice("model_input", "step", self.model_input, names)
        if self.leave_out is not None:
            _check_choice("leave_out", "step", self.leave_out, names)
        if self.scale is not None and not 0.05 <= self.scale <= 4:
            raise UsageError(f"preprocessing.scale must lie in [0.05, 4], got {self.scale:g}")
        _check_choice("precision", "precision", self.precision, PRECISIONS)


def _check_choice(key: str, kind: str, given: str, choices: list[str] | tuple[str, ...]) -> None:
    if given not in choices:
        raise UsageError(f"preprocessing.{key}: {unknown(kind, given, choices)}")
