"""The particle diameter of a training, in pixels and in Angstrom, and another one that is given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SAME_DIAMETER = 0.01
"""Relative difference up to which two particle diameters count as equal."""


@dataclass(frozen=True)
class ParticleDiameter:
    """A particle diameter, in the units that are known.

    Attributes
    ----------
    pixels : float or None
        Original pixels.
    angstrom : float or None
    """

    pixels: float | None
    angstrom: float | None

    @classmethod
    def of(
        cls, pixels: float | None, angstrom: float | None, pixel_size: float | None
    ) -> "ParticleDiameter":
        """Compute the missing unit from the other one and Angstrom per pixel, if both are known."""
        if pixel_size is not None and pixels is not None and angstrom is None:
            return cls(pixels, pixels * pixel_size)
        if pixel_size is not None and angstrom is not None and pixels is None:
            return cls(angstrom / pixel_size, angstrom)
        return cls(pixels, angstrom)

    def ratio_to(self, other: "ParticleDiameter") -> float | None:
        """Return this diameter over another, in Angstrom or else in pixels; None if unknown."""
        for ours, theirs in ((self.angstrom, other.angstrom), (self.pixels, other.pixels)):
            if ours is not None and theirs is not None:
                return ours / theirs
        return None

    def __str__(self) -> str:
        pixels = None if self.pixels is None else f"{self.pixels:.4g} pixels"
        angstrom = None if self.angstrom is None else f"{self.angstrom:.4g} Angstrom"
        if pixels is not None and angstrom is not None:
            return f"{pixels} ({angstrom})"
        return pixels or angstrom or "an unknown diameter"


def common_angstrom(
    diameters: Sequence[float], pixel_sizes: Sequence[float | None]
) -> float | None:
    """Return the common diameter of training micrographs in Angstrom, or None.

    Parameters
    ----------
    diameters : sequence of float
        Original pixels of each micrograph.
    pixel_sizes : sequence of float or None
        Angstrom per pixel of each micrograph.

    Returns
    -------
    float or None
        To seven digits, as headers hold; None if a pixel size is unknown or diameters differ.
    """
    known = [size for size in pixel_sizes if size is not None]
    if len(known) < len(diameters):
        return None
    lengths = np.multiply(diameters, known)
    usual = float(np.median(lengths))
    return float(f"{usual:.7g}") if np.allclose(lengths, usual, rtol=SAME_DIAMETER) else None


def doubt_about(given: ParticleDiameter, trained: ParticleDiameter) -> str | None:
    """Return a warning if a given diameter differs from that of the training; else None."""
    ratio = given.ratio_to(trained)
    if ratio is None or abs(ratio - 1.0) <= SAME_DIAMETER:
        return None
    return (
        f"the given particle diameter, {given}, is used, but the weights were trained at "
        f"{trained}; to pick at that, leave dataset.diameter and dataset.diameter_angstrom out"
    )
