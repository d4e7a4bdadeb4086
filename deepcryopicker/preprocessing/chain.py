"""Properties of a configured chain: its steps, its scale, and the input of the network."""

from typing import Any

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.files.checks import MAX_PIXELS
from deepcryopicker.preprocessing.scaling import grid_factor
from deepcryopicker.preprocessing.schema import PreprocessingConfig

RESCALED = "rescaled"
"""Name of the rescaled micrograph, before the first step."""

SMALLEST_DIAMETER = 2.0
"""Smallest particle diameter at which anything is found, original pixels."""


def active_steps(config: PreprocessingConfig) -> dict[str, dict[str, Any]]:
    """Return the steps that run, in order."""
    return {
        name: step
        for name, step in config.steps.items()
        if step is not None and name != config.skip
    }


def seen_by_network(config: PreprocessingConfig) -> str:
    """Return the name of the step whose output is the input of the network.

    That is ``model_input``; if that is skipped, the step before it, or `RESCALED`.
    """
    if config.model_input != config.skip:
        return config.model_input
    names = [RESCALED, *(name for name, step in config.steps.items() if step is not None)]
    return names[names.index(config.model_input) - 1]


def chain_scale(config: PreprocessingConfig, diameter: float) -> float:
    """Return the scale at which the chain runs for particles of `diameter` original pixels."""
    return model_scale(config, diameter) if config.scale is None else config.scale


def check_diameter(config: PreprocessingConfig, diameter: float, shape: tuple[int, int]) -> None:
    """Refuse particles so small that the enlarged micrograph is blurred or exceeds the memory.

    Parameters
    ----------
    config : PreprocessingConfig
    diameter : float
        Particle diameter, original pixels.
    shape : (int, int)
        H and W of the micrograph, pixels.

    Raises
    ------
    MicrographError
        The diameter is below `SMALLEST_DIAMETER`, or the image at the scale of the chain has more
        than `MAX_PIXELS`.
    """
    scale = chain_scale(config, diameter)
    if diameter < SMALLEST_DIAMETER:
        raise MicrographError(
            f"particles of {diameter:.3g} pixels: fewer than {SMALLEST_DIAMETER:g} show nothing; "
            "check the unit of the diameter and the pixel size"
        )
    if scale > 1 and shape[0] * shape[1] * scale**2 > MAX_PIXELS:
        raise MicrographError(
            f"particles of {diameter:.3g} pixels: the image enlarged {scale:.3g} times has more "
            f"than {MAX_PIXELS} pixels; check the unit of the diameter and the pixel size"
        )


def chain_diameter(config: PreprocessingConfig, diameter: float) -> float:
    """Return the diameter in the chain, pixels, of particles of `diameter` original pixels."""
    return model_diameter(config, diameter) if config.scale is None else diameter * config.scale


def model_scale(config: PreprocessingConfig, diameter: float) -> float:
    """Return the scale of the network's input for particles of `diameter` original pixels.

    Raises
    ------
    UsageError
        The scale depends on a patch that has not been measured.
    """
    if config.scaling == "grid":
        if config.patch is None:
            raise UsageError(
                "preprocessing.patch=null is measured by train; here give a number of diameters, "
                "such as preprocessing.patch=1.5"
            )
        return grid_factor(config.patch * diameter, config.working_diameter)
    return config.working_diameter / diameter


def model_diameter(config: PreprocessingConfig, diameter: float) -> float:
    """Return the diameter at the network's scale of particles of `diameter` original pixels.

    That is the configured working diameter or, with ``grid`` scaling, what its step gives.
    """
    if config.scaling == "grid":
        return diameter * model_scale(config, diameter)
    return config.working_diameter
