"""One micrograph as input of the network and of the labeler, computed on first access."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from deepcryopicker.preprocessing.chain import (
    RESCALED,
    active_steps,
    model_diameter,
    seen_by_network,
)
from deepcryopicker.preprocessing.operators.contrast import standardise
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.preprocessing.steps import stages, to_model_scale
from deepcryopicker.types import Micrograph


@dataclass(frozen=True)
class Preprocessed:
    """A micrograph and the stages of its preprocessing that labelers and networks use.

    Attributes
    ----------
    micrograph : Micrograph
        As read.
    diameter : float
        Particle diameter, original pixels.
    config : PreprocessingConfig
    """

    micrograph: Micrograph
    diameter: float
    config: PreprocessingConfig

    @property
    def working_diameter(self) -> float:
        """Particle diameter in pixels of `flat`."""
        return model_diameter(self.config, self.diameter)

    @cached_property
    def is_blank(self) -> bool:
        """Whether every pixel has the same value."""
        image = self.micrograph.image
        # A few pixels say of nearly every micrograph that it is not.
        return bool(np.ptp(image[::64, ::64]) == 0 and np.ptp(image) == 0)

    def at(self, factor: float) -> Self:
        """Return the micrograph preprocessed so that particles are `factor` times as large."""
        if factor == 1.0:
            return self
        working_diameter = self.config.working_diameter * factor
        return replace(self, config=replace(self.config, working_diameter=working_diameter))

    @cached_property
    def rescaled(self) -> Micrograph:
        """Micrograph before the first step, at the scale of the chain."""
        _, first = next(self._stages)
        return first

    @cached_property
    def flat(self) -> Micrograph:
        """Input of the network, at its scale."""
        return to_model_scale(self._seen, self.diameter, self.config)

    @cached_property
    def standard(self) -> Micrograph:
        """`flat` minus its median, in robust standard deviations: input of the detectors."""
        last = active_steps(self.config).get(seen_by_network(self.config), {})
        if last.get("operation") == "standardise" and self.flat.image is self._seen.image:
            return self.flat
        return replace(self.flat, image=standardise(self.flat.image))

    @cached_property
    def enhanced(self) -> Micrograph:
        """Last stage of the chain, at its scale: input of the clustering."""
        last = self._seen
        for _, last in self._stages:  # noqa: B007
            pass
        return last

    @cached_property
    def _seen(self) -> Micrograph:
        wanted = seen_by_network(self.config)
        first = self.rescaled
        if wanted == RESCALED:
            return first
        return next(stage for name, stage in self._stages if name == wanted)

    @cached_property
    def _stages(self) -> Iterator[tuple[str, Micrograph]]:
        """Iterator over the stages; it is resumed, so that no step runs twice."""
        return stages(self.micrograph, self.diameter, self.config)
