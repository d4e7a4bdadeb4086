"""What a configured chain comes to: the steps that run, their scale, and what the network sees."""

from typing import Any

from deepcryopicker.preprocessing.scaling import grid_factor
from deepcryopicker.preprocessing.schema import PreprocessingConfig

RESCALED = "rescaled"
"""Name of the micrograph before the first step."""


def active_steps(config: PreprocessingConfig) -> dict[str, dict[str, Any]]:
    """Return the steps that run, in order."""
    return {
        name: step
        for name, step in config.steps.items()
        if step is not None and name != config.leave_out
    }


def seen_by_network(config: PreprocessingConfig) -> str:
    """Return the name of the step whose output the network sees.

    That is ``model_input``; where it is the step left out, the one before it, or `RESCALED`.
    """
    if config.model_input != config.leave_out:
        return config.model_input
    names = [RESCALED, *(name for name, step in config.steps.items() if step is not None)]
    return names[names.index(config.model_input) - 1]


def chain_scale(config: PreprocessingConfig, diameter: float) -> float:
    """Return the scale at which the chain runs for particles of `diameter` original pixels."""
    return model_scale(config, diameter) if config.scale is None else config.scale


def chain_diameter(config: PreprocessingConfig, diameter: float) -> float:
    """Return the pixels that particles of `diameter` original pixels have in the chain."""
    return model_diameter(config, diameter) if config.scale is None else diameter * config.scale


def model_scale(config: PreprocessingConfig, diameter: float) -> float:
    """Return the scale of what the network sees of particles of `diameter` original pixels."""
    if config.scaling == "grid":
        return grid_factor(diameter, config.working_diameter)
    return config.working_diameter / diameter


def model_diameter(config: PreprocessingConfig, diameter: float) -> float:
    """Return the pixels that particles of `diameter` original pixels have for the network.

    That is the configured working diameter, or up to a step of the grid less.
    """
    if config.scaling == "grid":
        return diameter * model_scale(config, diameter)
    return config.working_diameter
