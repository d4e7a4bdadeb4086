"""Projections of a structure in boxes, filtered by the transfer of given micrographs."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import fft, ndimage

from deepcryopicker.types import Floats, Image

BOX = 4
"""Side of a box in particle diameters, so that the fringes of a particle fit."""


@dataclass(frozen=True)
class Transfer:
    """What the microscope and the processing made of the projected potential.

    Attributes
    ----------
    frequency : (K,) float64
        Cycles per particle diameter, ascending.
    value : (K,) float64
        Factor of the Fourier transform; negative where particles are dark.
    enlargement : float
        Size of the particles in the micrographs over that in the given projections; 1 where the
        pixel size is known.
    """

    frequency: Floats
    value: Floats
    enlargement: float = 1.0

    def scaled(self, factor: float) -> Self:
        """Return the transfer with another contrast."""
        return replace(self, value=self.value * factor)

    def apply(self, images: Image, diameter: float) -> Image:
        """Filter images.

        Parameters
        ----------
        images : (..., H, W) float32
            Of the size that the particles have in the micrographs.
        diameter : float
            Particle diameter, pixels.

        Returns
        -------
        (..., H, W) float32
        """
        shape = images.shape[-2:]
        gain = np.interp(frequencies(shape, diameter), self.frequency, self.value)
        spectrum = fft.rfft2(images) * gain
        return np.asarray(fft.irfft2(spectrum, s=shape), np.float32)


def frequencies(shape: tuple[int, ...], diameter: float) -> Floats:
    """Return the frequency of each coefficient of ``rfft2``, cycles per particle diameter.

    Parameters
    ----------
    shape : (H, W)
    diameter : float
        Pixels.
    """
    vertical, horizontal = np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1])
    return np.hypot(vertical[:, None], horizontal[None]) * diameter


def boxed(views: Image, side: int) -> Image:
    """Crop or pad projections to a side, their middle pixel at ``side // 2``.

    Parameters
    ----------
    views : (N, D, D) float32
    side : int
        Pixels.
    """
    size = views.shape[-1]
    before = max(side // 2 - size // 2, 0)
    after = max(side - side // 2 - (size - size // 2), 0)
    padded = np.pad(views, ((0, 0), (before, after), (before, after)))
    start = padded.shape[-1] // 2 - side // 2 if before == 0 else 0
    return padded[:, start : start + side, start : start + side]


def enlarged(views: Image, factor: float) -> Image:
    """Enlarge projections about their middle pixel by linear interpolation; the box stays.

    Parameters
    ----------
    views : (N, D, D) float32
    factor : float
    """
    if factor == 1.0:
        return views
    middle = views.shape[-1] // 2
    matrix, offset = np.eye(2) / factor, middle - middle / factor
    return np.stack([ndimage.affine_transform(one, matrix, offset, order=1) for one in views])
