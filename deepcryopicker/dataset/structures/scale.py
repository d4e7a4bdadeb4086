"""The scale of micrographs in which a known structure is looked for."""

from dataclasses import dataclass

from deepcryopicker.dataset.structures.potential import (
    Structure,
    extent,
    extent_in_view,
    surface_voxels,
)
from deepcryopicker.errors import UsageError

CONTRADICTION = 4 / 3
"""Ratio of a given diameter and that of the structure from which on they contradict each other."""
_INSIDE = 0.2
"""Fraction of the largest potential from which on a voxel belongs to the particle."""


@dataclass(frozen=True)
class Scale:
    """The scale of micrographs.

    Attributes
    ----------
    pixel_size : float
        Angstrom per pixel.
    diameter : float
        Of the largest particle, pixels.
    doubt : str or None
        What contradicts what, and what to type; one line.
    """

    pixel_size: float
    diameter: float
    doubt: str | None = None


def seen_diameter(structure: Structure) -> float:
    """Return the diameter of a structure as users give that of a particle, Angstrom.

    The longest width of a projection, averaged over all directions of view: the circle that
    encloses a typical view. The longest extent of an elongated particle is seen only where its
    axis lies in the plane: a rod of length L is pi / 4 L long on average, a ball always as long as
    it is.

    Parameters
    ----------
    structure : Structure
    """
    points = surface_voxels(structure.potential > _INSIDE * structure.potential.max())
    # The ratio does not depend on where the surface is put.
    return structure.diameter * (extent_in_view(points) + 1) / (extent(points) + 1)


def scale_of(
    diameters: list[float], pixel_size: float | None = None, diameter: float | None = None
) -> Scale:
    """Decide the scale of micrographs from what is known about them and the particles.

    A known pixel size counts: the diameter is then the given one, or that of the structure. Without
    a pixel size, the given diameter is that of the largest structure.

    Parameters
    ----------
    diameters : list of float
        Of each structure, Angstrom, see :func:`seen_diameter`.
    pixel_size : float, optional
        Angstrom per pixel, from the header or ``dataset.pixel_size``.
    diameter : float, optional
        Pixels, ``dataset.diameter``.

    Raises
    ------
    UsageError
        Neither is known.
    """
    largest = max(diameters)
    if pixel_size is None and diameter is None:
        raise UsageError(
            "dataset.structure: the micrographs have no pixel size\n"
            "give dataset.pixel_size=ANGSTROM, or the diameter of the particle, "
            "dataset.diameter=PIXELS"
        )
    if pixel_size is None:
        return Scale(largest / float(diameter or 1), float(diameter or 1))
    expected = largest / pixel_size
    if diameter is None:
        return Scale(pixel_size, expected)
    ratio = diameter / expected
    if 1 / CONTRADICTION <= ratio <= CONTRADICTION:
        return Scale(pixel_size, diameter)
    return Scale(
        pixel_size,
        diameter,
        f"dataset.structure is {largest:.0f} Angstrom wide, {expected:.0f} pixels of "
        f"{pixel_size:g} Angstrom, but dataset.diameter is {diameter:g} pixels; is "
        "dataset.pixel_size right, or are the micrographs binned?",
    )
