"""Electrostatic potential of a particle in vitreous ice, and the phase shift that it causes."""

from dataclasses import dataclass

import numpy as np
from scipy import constants

from deepcryopicker.types import Floats, Image

FORM_FACTOR_TO_POTENTIAL = constants.h**2 / (2 * constants.pi * constants.m_e * constants.e) * 1e20
"""Volt times square Angstrom: the potential is this times the Fourier transform of the electron
form factor in Angstrom (Kirkland 2010, Advanced Computing in Electron Microscopy, eq. C.2)."""

ICE_POTENTIAL = 4.5301
"""Mean inner potential of vitreous ice, volt (Vulovic et al. 2013, J. Struct. Biol. 183:19,
section 2.2, of amorphous ice of 0.93 g per cubic centimetre)."""

VOLUME_PER_DALTON = 1.21
"""Cubic Angstrom: partial specific volume of protein, 0.73 cubic centimetres per gram."""

POTENTIAL_PER_DALTON = 9.8
"""Volt times cubic Angstrom: integral of the potential of protein per dalton, from its mean
composition (C 4.94, H 7.76, N 1.36, O 1.48, S 0.04 in a residue of 111 dalton) and the form
factors at zero angle (C 2.51, H 0.53, N 2.21, O 1.98, S 5.16 Angstrom)."""

EXCESS_PER_DALTON = POTENTIAL_PER_DALTON - ICE_POTENTIAL * VOLUME_PER_DALTON
"""Volt times cubic Angstrom: the same above the ice that the protein displaces."""


@dataclass(frozen=True)
class Structure:
    """The structure of a particle.

    Attributes
    ----------
    potential : (D, H, W) float32
        Potential above that of vitreous ice, volt; cubic, axes z, y, x, with the centre of mass at
        voxel ``D // 2`` of each axis.
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
    eq. 5.6); 6.53e-4 at 300 kV and 7.29e-4 at 200 kV.

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

    Weak-phase approximation: ``phi(x, y) = sigma * integral of V(x, y, z) dz``.
    """
    return projected * interaction(kilovolts)


def extent(points: Floats, directions: int = 200) -> float:
    """Return about the largest distance between two of the points.

    The largest width over evenly spread directions: at most 1 % less than the exact value.

    Parameters
    ----------
    points : (N, 3) float64
    directions : int
        Number of directions on a half sphere.
    """
    step = np.arange(directions) + 0.5
    height, turn = step / directions, np.pi * (1 + np.sqrt(5)) * step
    across = np.sqrt(1 - height**2)
    axes = np.stack([across * np.cos(turn), across * np.sin(turn), height])
    return float(np.ptp(points @ axes, axis=0).max())
