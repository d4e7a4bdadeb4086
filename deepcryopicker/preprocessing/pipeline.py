"""The preprocessing chain: rescale to the working scale, then named steps in order."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from deepcryopicker.errors import MicrographError, UsageError, unknown
from deepcryopicker.preprocessing import contrast, restore
from deepcryopicker.preprocessing.borders import fill_margins, find_margins
from deepcryopicker.preprocessing.resize import rescale
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Image, Margins, Micrograph

OPERATIONS: dict[str, Callable[..., Image]] = {
    "clahe": contrast.clahe,
    "equalise": contrast.equalise,
    "flatten": restore.flatten,
    "gaussian": restore.gaussian,
    "guided": restore.guided,
    "normalise": contrast.normalise,
    "opening": restore.opening,
    "standardise": contrast.standardise,
    "stretch": contrast.stretch,
    "wiener": restore.wiener,
}

_SMALLEST_SIDE = 2.0  # particle diameters: below this no window fits


def preprocess(
    micrograph: Micrograph, diameter: float, config: PreprocessingConfig, until: str | None = None
) -> Micrograph:
    """Run the chain and return its last image, or that of the step `until`.

    Parameters
    ----------
    micrograph : Micrograph
        As read.
    diameter : float
        Particle diameter, original pixels.
    config : PreprocessingConfig
    until : str, optional
        Name of the step to stop after.

    Raises
    ------
    MicrographError
        If the micrograph is constant or smaller than two particle diameters.
    """
    result = micrograph
    for name, result in stages(micrograph, diameter, config):  # noqa: B007
        if name == until:
            break
    return result


def stages(
    micrograph: Micrograph, diameter: float, config: PreprocessingConfig
) -> Iterator[tuple[str, Micrograph]]:
    """Yield the name and the image of every step, the rescaled micrograph first.

    Raises
    ------
    MicrographError
        If the micrograph is constant or smaller than two particle diameters.
    """
    if min(micrograph.image.shape) < _SMALLEST_SIDE * diameter:
        height, width = micrograph.image.shape
        raise MicrographError(
            f"image of {width}x{height} pixels is smaller than two particle diameters "
            f"({diameter:g} pixels each)"
        )
    if np.ptp(micrograph.image) == 0:
        raise MicrographError("every pixel has the same value")
    current = to_working_scale(micrograph, config.working_diameter / diameter)
    yield "rescaled", current
    for name, step in _active(config).items():
        image = apply_step(current.image, name, step, config.working_diameter)
        current = replace(current, image=image)
        yield name, current


def to_working_scale(micrograph: Micrograph, scale: float) -> Micrograph:
    """Neutralise the invalid border and resample by `scale`."""
    margins = find_margins(micrograph.image)
    image = rescale(fill_margins(micrograph.image, margins), scale)
    scaled = Margins(*(round(width * scale) for width in margins))
    return replace(micrograph, image=image, scale=scale, margins=scaled)


def apply_step(image: Image, name: str, step: dict[str, Any], working_diameter: float) -> Image:
    """Apply one configured step; parameters named ``*_diameters`` are in particle diameters.

    Raises
    ------
    UsageError
        If the operation or a parameter is unknown.
    """
    parameters = {key: value for key, value in step.items() if key != "operation"}
    operation = OPERATIONS.get(str(step.get("operation")))
    key = f"preprocessing.steps.{name}"
    if operation is None:
        raise UsageError(f"{key}: {unknown('operation', str(step.get('operation')), OPERATIONS)}")
    for given in [parameter for parameter in parameters if parameter.endswith("_diameters")]:
        pixels = float(parameters.pop(given)) * working_diameter
        parameters[given.removesuffix("_diameters")] = pixels
    accepted = [p for p in inspect.signature(operation).parameters if p != "image"]
    for given in parameters:
        if given not in accepted:
            raise UsageError(f"{key}: {unknown('parameter', given, accepted)}")
    return operation(image, **parameters)


def _active(config: PreprocessingConfig) -> dict[str, dict[str, Any]]:
    return {name: step for name, step in config.steps.items() if step is not None}
