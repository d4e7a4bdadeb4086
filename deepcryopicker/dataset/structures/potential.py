"""Electrostatic potential of a particle in vitreous ice, and the phase shift that it causes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import constants, fft, ndimage

from deepcryopicker.errors import UsageError
from deepcryopicker.types import Floats, Image, Mask

FORM_FACTOR_TO_POTENTIAL = constants.h**2 / (2 * constants.pi * constants.m_e * constants.e) * 1e20
"""Volt times square Angstrom, 47.88: the potential is this times the Fourier transform of the
electron form factor in Angstrom (Kirkland 2010, Advanced Computing in Electron Microscopy)."""

ICE_POTENTIAL = 4.53
"""Mean inner potential of vitreous ice, volt: `FORM_FACTOR_TO_POTENTIAL` times the form factors of
a molecule of water at zero angle (O 1.98, H 0.53 Angstrom, International Tables C, table 4.3.2.2)
times 0.0311 molecules per cubic Angstrom (0.93 g per cubic centimetre)."""

VOLUME_PER_DALTON = 1.21
"""Cubic Angstrom: partial specific volume of protein, 0.73 cubic centimetres per gram."""

POTENTIAL_PER_DALTON = 9.8
"""Volt times cubic Angstrom: integral of the potential of protein per dalton, from its mean
composition (C 4.94, H 7.76, N 1.36, O 1.48, S 0.04 in a residue of 111 dalton) and the form
factors at zero angle (C 2.51, H 0.53, N 2.21, O 1.98, S 5.16 Angstrom)."""

EXCESS_PER_DALTON = POTENTIAL_PER_DALTON - ICE_POTENTIAL * VOLUME_PER_DALTON
"""Volt times cubic Angstrom: the same above the ice that the protein displaces."""

MAX_SIDE = 384
"""Voxels; the transform of a cube of this side takes 2 GB with the padding of the projections."""
_DIRECTIONS = 600
_VIEWS, _ANGLES = 100, 18


@dataclass(frozen=True)
class Structure:
    """The structure of a particle.

    Attributes
    ----------
    potential : (D, H, W) float32
        Potential above that of vitreous ice, volt; cubic with an even side, axes z, y, x, the
        centre of mass at voxel ``D // 2`` of each axis.
    voxel : float
        Angstrom.
    mass : float
        Dalton.
    diameter : float
        Largest distance between two points of the particle, Angstrom.
    """

    potential: Image
    voxel: float
    mass: float
    diameter: float


def interaction(kilovolts: float) -> float:
    """Return the interaction parameter of electrons, radian per volt and Angstrom.

    ``sigma = 2 pi m e lambda / h**2`` with the relativistic mass and wavelength (Kirkland 2010,
    chapter 5); 6.53e-4 at 300 kV and 7.29e-4 at 200 kV.

    Parameters
    ----------
    kilovolts : float
        Acceleration voltage.
    """
    energy = kilovolts * 1e3 * constants.e
    rest = constants.m_e * constants.c**2
    wavelength = constants.h * constants.c / np.sqrt(energy * (2 * rest + energy))
    mass = constants.m_e * (1 + energy / rest)
    sigma = 2 * np.pi * mass * constants.e * wavelength / constants.h**2
    return float(sigma * 1e-10)


def phase_shift(projected: Floats | Image, kilovolts: float) -> Floats | Image:
    """Return the phase shift, radian, of a projected potential, volt times Angstrom.

    Phase object (Kirkland 2010, chapter 5): ``phi(x, y) = sigma * integral of V(x, y, z) dz``.
    """
    return projected * interaction(kilovolts)


def extent(points: Floats) -> float:
    """Return about the largest distance between two of the points.

    The largest width over evenly spread directions: at most 1 % less than the exact value.

    Parameters
    ----------
    points : (N, 3) float64
    """
    return max(float(np.ptp(points @ one)) for one in _directions(_DIRECTIONS))


def extent_in_view(points: Floats) -> float:
    """Return the longest width of the points in a projection, the mean over all directions of view.

    Parameters
    ----------
    points : (N, 3) float64
    """
    return float(np.mean([_longest_across(points, view) for view in _directions(_VIEWS)]))


def surface_voxels(particle: Mask) -> Floats:
    """Return the outermost voxels of a particle, (N, 3) float64, voxels, axes z, y, x.

    Parameters
    ----------
    particle : (D, H, W) bool
    """
    return np.argwhere(particle & ~ndimage.binary_erosion(particle)).astype(np.float64)


def _longest_across(points: Floats, view: Floats) -> float:
    """Return the longest width perpendicular to a direction."""
    first = np.cross(view, np.eye(3)[np.abs(view).argmin()])
    first /= np.linalg.norm(first)
    plane = points @ np.stack([first, np.cross(view, first)], axis=1)
    angles = np.arange(_ANGLES) * np.pi / _ANGLES
    return float(np.ptp(plane @ np.stack([np.cos(angles), np.sin(angles)]), axis=0).max())


def _directions(count: int) -> Floats:
    """Return evenly spread directions on a half sphere, (count, 3) float64 (Fibonacci lattice)."""
    step = np.arange(count) + 0.5
    height, angle = step / count, np.pi * (1 + np.sqrt(5)) * step
    across = np.sqrt(1 - height**2)
    return np.stack([across * np.cos(angle), across * np.sin(angle), height], axis=1)


def cube_side(path: Path, radius: float, voxel: float) -> int:
    """Return the side of a cube, voxels, that holds a particle however it is turned.

    Parameters
    ----------
    path : Path
        Named in the error.
    radius : float
        Largest distance from the centre of mass, Angstrom.
    voxel : float
        Angstrom.

    Raises
    ------
    UsageError
        More than `MAX_SIDE` voxels.
    """
    needed = 2 * int(np.ceil(radius / voxel)) + 2
    if needed > MAX_SIDE:
        raise UsageError(
            f"{path}: {2 * radius:.0f} Angstrom across are {needed} pixels of {voxel:g} Angstrom; "
            f"the limit is {MAX_SIDE}\nuse micrographs binned to "
            f"{2 * radius / (MAX_SIDE - 4):.2g} Angstrom per pixel or more"
        )
    return 2 * int(fft.next_fast_len(-(-needed // 2), real=True))  # fast with its padding, too
