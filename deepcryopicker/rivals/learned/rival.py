"""Interface of all trained rivals."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from torch import nn

from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.rivals.training.examples import Example
from deepcryopicker.rivals.training.optimise import Progress
from deepcryopicker.types import Floats, Image

Found = tuple[Floats, Floats, Floats]
"""x, y (working pixels) and score (in [0, 1]) of N candidates, (N,) float64 each, best first."""


class Rival(nn.Module, ABC):
    """A picker that is trained on examples and finds particles in whole micrographs."""

    @abstractmethod
    def learn(
        self,
        config: LearnedConfig,
        train: Sequence[Example],
        validation: Sequence[Example],
        rng: np.random.Generator,
        track: Progress,
    ) -> None:
        """Train all networks, on the device of the weights.

        Parameters
        ----------
        config : LearnedConfig
        train, validation : sequence of Example
        rng : numpy.random.Generator
            For random windows; torch's own generator has been seeded.
        track : callable
            Shows progress.
        """

    @abstractmethod
    def find(self, config: LearnedConfig, image: Image, diameter: float) -> Found:
        """Find the particles of one micrograph.

        Parameters
        ----------
        config : LearnedConfig
        image : (H, W) float32
            Working pixels, normalised as in `Example`.
        diameter : float
            Particle diameter, working pixels.

        Returns
        -------
        (N,) x, (N,) y, (N,) score
            Working pixels.
        """

    @property
    def device_of_weights(self) -> str:
        """Name of the device of the weights."""
        return str(next(self.parameters()).device)
