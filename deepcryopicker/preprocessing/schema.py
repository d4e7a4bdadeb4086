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
        Particle diameter after rescaling, pixels. Networks always work at this scale, so that
        window sizes are comparable between datasets. With ``grid``, the largest side of a patch.
    scaling : str
        ``continuous``: particles have exactly `working_diameter` pixels; ``grid``: the scale is
        the largest multiple of 0.125 at which a patch around a particle has at most
        `working_diameter` pixels, as in the paper.
    patch : float or None
        Side of that patch, in diameters; 1 is the particle itself. Null: ``train`` measures it
        without labels, as the average box of what `labeler` finds, see ``labeler.masks.patches``.
    model_input : str
        Name of the step whose output is the network's input; the labeler uses the last step.
    steps : dict
        Step name to ``{operation: ..., parameter: value}``, applied in order. A step set to null
        is removed, so that a preset can drop a step of the preset on which it is based.
    skip : str or None
        Name of a step to skip, for ablations. If `model_input` is skipped, the step before it
        is the network's input.
    scale : float or None
        Scale at which the chain runs, output pixels per original pixel; null: the scale at which
        a particle has `working_diameter` pixels. The network's input is resampled to the latter.
    precision : str
        ``single`` or ``double``: floating-point type of the steps.
    integer_rescaling : bool
        Round and clip after each pass of the rescaling if the file holds integers, as MATLAB
        does for integer images.
    save_stages : bool
        Write the image of every step to ``stages/<micrograph>/<step>.png`` (16 bit) when
        micrographs are labelled, and ``score_maps/<micrograph>.png`` when a network picks.
    """

    working_diameter: float = MISSING
    scaling: str = "continuous"
    patch: float | None = 1.0
    model_input: str = MISSING
    steps: dict[str, Any] = field(default_factory=dict)
    skip: str | None = None
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
        if self.patch is not None and not 0.25 <= self.patch <= 8:
            raise UsageError(
                f"preprocessing.patch must lie in [0.25, 8] diameters, got {self.patch:g}; "
                "null measures it"
            )
        names = [name for name, step in self.steps.items() if step is not None]
        _check_choice("model_input", "step", self.model_input, names)
        if self.skip is not None:
            _check_choice("skip", "step", self.skip, names)
        if self.scale is not None and not 0.05 <= self.scale <= 4:
            raise UsageError(f"preprocessing.scale must lie in [0.05, 4], got {self.scale:g}")
        _check_choice("precision", "precision", self.precision, PRECISIONS)


def _check_choice(key: str, kind: str, given: str, choices: list[str] | tuple[str, ...]) -> None:
    if given not in choices:
        raise UsageError(f"preprocessing.{key}: {unknown(kind, given, choices)}")
