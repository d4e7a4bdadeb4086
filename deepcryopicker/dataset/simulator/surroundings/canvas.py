"""The grid on which a specimen is drawn, and its layers."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from scipy import ndimage

from deepcryopicker.dataset.structures.potential import EXCESS_PER_DALTON, interaction
from deepcryopicker.types import Floats, Image, Mask


@dataclass(frozen=True)
class Canvas:
    """Grid and scale of a specimen.

    Attributes
    ----------
    shape : (int, int)
        Height and width, pixels.
    pixel : float
        Angstrom.
    diameter : float
        Of the particles, pixels.
    kilovolts : float
        Acceleration voltage.
    """

    shape: tuple[int, int]
    pixel: float
    diameter: float
    kilovolts: float

    def indices(self) -> tuple[Floats, Floats]:
        """Return rows (H, 1) and columns (1, W), pixels."""
        rows, columns = np.ogrid[: self.shape[0], : self.shape[1]]
        return rows.astype(np.float64), columns.astype(np.float64)

    def phase_of(self, mass: float) -> float:
        """Return the phase shift, radian, of protein of a mass, Dalton, in one pixel."""
        return interaction(self.kilovolts) * EXCESS_PER_DALTON * mass / self.pixel**2


@dataclass(frozen=True)
class Layer:
    """One layer of the specimen, in projection.

    Attributes
    ----------
    phase : (H, W) float32
        Phase shift of the electron wave, radian.
    loss : (H, W) float32
        Thickness in mean free paths of electrons that leave the image: inelastic scattering, and
        elastic scattering beyond the aperture.
    occupied : (H, W) bool
        Where the centre of a particle cannot lie.
    """

    phase: Image
    loss: Image
    occupied: Mask

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Self:
        """Return a layer of vacuum."""
        return cls(np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, bool))

    def with_layer(self, other: "Layer") -> "Layer":
        """Return both layers in one."""
        return Layer(
            self.phase + other.phase, self.loss + other.loss, self.occupied | other.occupied
        )

    def within(self, share: Image) -> "Layer":
        """Return the layer where `share` (H, W) is 1, without it where it is 0."""
        return Layer(self.phase * share, self.loss * share, self.occupied & (share > 0.5))


def smooth_noise(shape: tuple[int, int], scale: float, rng: np.random.Generator) -> Image:
    """Draw a Gaussian random field of mean 0 and variance 1.

    Parameters
    ----------
    shape : (int, int)
    scale : float
        Standard deviation of the Gaussian that white noise is filtered by, pixels.
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) float32
    """
    step = max(1, int(scale / 2))  # a smooth field is drawn on a coarser grid
    coarse = tuple(side // step + 8 for side in shape)
    field = rng.standard_normal(coarse, np.float32)
    field = ndimage.gaussian_filter(field, scale / step, mode="wrap")
    # The variance of filtered white noise, so that a field of few grains keeps its own mean.
    field *= np.float32(np.sqrt(4 * np.pi) * max(scale / step, 1 / np.sqrt(4 * np.pi)))
    if step > 1:
        size = (coarse[1] * step, coarse[0] * step)
        field = cv2.resize(field, size, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(field[: shape[0], : shape[1]], np.float32)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniformly distributed."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
