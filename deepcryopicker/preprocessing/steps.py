"""The preprocessing chain: rescale to the working scale, then named steps in order."""

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from deepcryopicker.errors import MicrographError, UsageError, unknown
from deepcryopicker.io.files.checks import one_line
from deepcryopicker.plugins.announced import functions
from deepcryopicker.preprocessing.chain import (
    RESCALED,
    active_steps,
    chain_diameter,
    chain_scale,
    check_diameter,
    model_scale,
)
from deepcryopicker.preprocessing.operators import clahe, contrast, restore
from deepcryopicker.preprocessing.operators.borders import find_margins
from deepcryopicker.preprocessing.operators.defects import mend_lines, mend_pixels
from deepcryopicker.preprocessing.operators.resize import rescale
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Image, Margins, Micrograph

OPERATIONS: dict[str, Callable[..., Image]] = {
    "clahe": clahe.clahe,
    "closing": restore.closing,
    "complement": contrast.complement,
    "equalise": contrast.equalise,
    "flatten": restore.flatten,
    "gaussian": restore.gaussian,
    "guided": restore.guided,
    "normalise": contrast.normalise,
    "normalise_by_maximum": contrast.normalise_by_maximum,
    "opening": restore.opening,
    "standardise": contrast.standardise,
    "stretch": contrast.stretch,
    "wiener": restore.wiener,
    "window": contrast.window,
}

_SMALLEST_SIDE = 2.0  # particle diameters; no window fits into a smaller image
_DTYPES = {"single": np.float32, "double": np.float64}


def preprocess(
    micrograph: Micrograph, diameter: float, config: PreprocessingConfig, until: str | None = None
) -> Micrograph:
    """Run the chain and return the image of its last step, or of the step `until`.

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
        The micrograph is smaller than two particle diameters.
    """
    result = micrograph
    for name, result in stages(micrograph, diameter, config):  # noqa: B007
        if name == until:
            break
    return result


def to_model_scale(stage: Micrograph, diameter: float, config: PreprocessingConfig) -> Micrograph:
    """Resample one of the :func:`stages` to the scale of the network, float32.

    Parameters
    ----------
    stage : Micrograph
        At any scale.
    diameter : float
        Particle diameter, original pixels.
    config : PreprocessingConfig
    """
    scale = model_scale(config, diameter)
    single = replace(stage, image=stage.image.astype(np.float32, copy=False))
    if math.isclose(scale, stage.scale):
        return single
    return _at_scale(single, rescale(single.image, scale / stage.scale), scale)


def stages(
    micrograph: Micrograph, diameter: float, config: PreprocessingConfig
) -> Iterator[tuple[str, Micrograph]]:
    """Yield the name and the image of every step, the rescaled micrograph first.

    Parameters
    ----------
    micrograph : Micrograph
        As read.
    diameter : float
        Particle diameter, original pixels.
    config : PreprocessingConfig

    Yields
    ------
    str, Micrograph
        Images are float32, or float64 if ``config.precision`` is ``double``, at the scale
        ``chain_scale``.

    Raises
    ------
    MicrographError
        The micrograph is smaller than two particle diameters, or these are very small.
    """
    if min(micrograph.image.shape) < _SMALLEST_SIDE * diameter:
        height, width = micrograph.image.shape
        raise MicrographError(
            f"image of {width}x{height} pixels is smaller than two particle diameters "
            f"({diameter:g} pixels each)"
        )
    check_diameter(config, diameter, micrograph.image.shape)
    image = micrograph.image.astype(_DTYPES[config.precision], copy=False)
    current = to_working_scale(
        replace(micrograph, image=image), chain_scale(config, diameter), config.integer_rescaling
    )
    yield RESCALED, current
    for name, step in active_steps(config).items():
        image = apply_step(current.image, name, step, chain_diameter(config, diameter))
        current = replace(current, image=image)
        yield name, current


def to_working_scale(micrograph: Micrograph, scale: float, integers: bool = False) -> Micrograph:
    """Replace invalid borders and defects, and resample a micrograph.

    Parameters
    ----------
    micrograph : Micrograph
        As read.
    scale : float
        Working pixels per original pixel.
    integers : bool
        Keep whole grey values whole, see :func:`resize.rescale`.
    """
    image = mend_pixels(micrograph.image)
    margins = find_margins(image)
    mended, factor = mend_lines(image, margins), scale / micrograph.scale
    resampled = rescale(mended, factor, integers, margins)
    return _at_scale(replace(micrograph, margins=margins), resampled, scale)


def _at_scale(micrograph: Micrograph, image: Image, scale: float) -> Micrograph:
    """Replace the image of a micrograph by one at another scale; margins follow."""
    factor = scale / micrograph.scale
    margins = Margins(*(round(width * factor) for width in micrograph.margins))
    return replace(micrograph, image=image, scale=scale, margins=margins)


def apply_step(image: Image, name: str, step: dict[str, Any], diameter: float) -> Image:
    """Apply one configured step.

    Parameters
    ----------
    image : (H, W) float
    name : str
        Name of the step, for messages.
    step : dict
        ``{operation: ..., parameter: value}``; parameters named ``*_diameters`` are in particle
        diameters.
    diameter : float
        Particle diameter, pixels of `image`.

    Raises
    ------
    UsageError
        The operation or a parameter is unknown, or the operation rejects a value.
    """
    if not isinstance(step, dict):
        raise UsageError(f"preprocessing.steps.{name} must be {{operation: ...}}, got {step}")
    parameters = {key: value for key, value in step.items() if key != "operation"}
    operations = {**OPERATIONS, **functions("operation")}
    operation = operations.get(str(step.get("operation")))
    key = f"preprocessing.steps.{name}"
    if operation is None:
        raise UsageError(f"{key}: {unknown('operation', str(step.get('operation')), operations)}")
    for given in [parameter for parameter in parameters if parameter.endswith("_diameters")]:
        pixels = float(parameters.pop(given)) * diameter
        parameters[given.removesuffix("_diameters")] = pixels
    accepted = [p for p in inspect.signature(operation).parameters if p != "image"]
    for given in parameters:
        if given not in accepted:
            raise UsageError(f"{key}: {unknown('parameter', given, accepted)}")
    try:
        return operation(image, **parameters)
    except (TypeError, ValueError, ArithmeticError, cv2.error) as error:
        raise UsageError(f"{key}: {one_line(error)}") from error
