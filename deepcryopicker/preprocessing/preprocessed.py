"""One micrograph as input of the network and of the labeler, computed on first access."""

from collections.abc import Callable, Iterator
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

_AT_WORKING_SCALE = ("rescaled", "flat", "standard", "_seen")


@dataclass(frozen=True)
class Preprocessed:
    """A micrograph and the stages of its preprocessing that labelers and networks use.

    Attributes
    ----------
    micrograph : Micrograph
        As read; without pixels where `again` is given.
    diameter : float
        Particle diameter, original pixels.
    config : PreprocessingConfig
    again : callable or None
        Reads the micrograph again.
    """

    micrograph: Micrograph
    diameter: float
    config: PreprocessingConfig
    again: Callable[[], Micrograph] | None = None

    def __post_init__(self) -> None:
        if self.again is not None and any(self.micrograph.image.strides):
            raise ValueError("a micrograph that has its pixels is not read again")

    def without_pixels(self, again: Callable[[], Micrograph]) -> Self:
        """Return a copy that keeps the stages computed so far, and not the pixels they are from.

        These take more memory than all stages at working scale. If another stage needs them, the
        micrograph is read again.
        """
        empty = np.broadcast_to(np.float32(np.nan), self.micrograph.image.shape)
        copy = replace(self, micrograph=replace(self.micrograph, image=empty), again=again)
        computed = {name: vars(self)[name] for name in _AT_WORKING_SCALE if name in vars(self)}
        vars(copy).update(computed, is_blank=self.is_blank)
        return copy

    @property
    def whole(self) -> Micrograph:
        """The micrograph with its pixels."""
        return self.again() if self.again else self.micrograph

    @property
    def working_diameter(self) -> float:
        """Particle diameter in pixels of `flat`."""
        return model_diameter(self.config, self.diameter)

    @cached_property
    def is_blank(self) -> bool:
        """Whether every pixel has the same value."""
        image = self.whole.image
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
        return stages(self.whole, self.diameter, self.config)
