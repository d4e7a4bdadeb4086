"""What all trained rivals have in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from torch import nn

from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.rivals.training.examples import Example
from deepcryopicker.rivals.training.optimise import Progress
from deepcryopicker.types import Floats, Image

Found = tuple[Floats, Floats, Floats]
"""x, y and score of N candidates, (N,) float64 each: working pixels; in [0, 1], best first."""


class Rival(nn.Module, ABC):
    """A picker that learns from examples and finds particles in whole micrographs."""

    @abstractmethod
    def learn(
        self,
        config: LearnedConfig,
        train: Sequence[Example],
        validation: Sequence[Example],
        rng: np.random.Generator,
        track: Progress,
    ) -> None:
        """Train all its networks; on the device on which its weights are.

        Parameters
        ----------
        config : LearnedConfig
        train, validation : sequence of Example
        rng : numpy.random.Generator
            For what is drawn; torch's own generator has been seeded.
        track : callable
            Shows progress.
        """

    @abstractmethod
    def find(self, config: LearnedConfig, image: Image, diameter: float) -> Found:
        """Find the particles of one micrograph, working pixels; as `Example` describes it."""

    @property
    def device_of_weights(self) -> str:
        """Name of the device on which its weights are."""
        return str(next(self.parameters()).device)
