"""Simulate a micrograph of particles, ice, carbon and contamination."""

from dataclasses import dataclass

import numpy as np
from scipy import fft, ndimage
from scipy.spatial.transform import Rotation

from deepcryopicker.dataset.simulator import junk, microscope
from deepcryopicker.dataset.simulator.phantoms import BLUR, Kind, project
from deepcryopicker.dataset.simulator.placement import place
from deepcryopicker.types import Floats, Image, Strings

DOSE = 20.0
"""Usual dose, electrons per square Angstrom, at which the phases of the species are tuned."""
DEFOCUS = (1.0, 2.5)
"""Minimum and maximum defocus, micrometre."""
ICE_NOISE = 0.25
"""Standard deviation of the phase of ice for pixels of one Angstrom, radian. Inversely
proportional to the pixel size, because molecules average out."""
CARBON_NOISE = 1.0
"""Additional phase noise of the carbon film, relative to that of the ice."""
CRYSTAL_PHASE = 0.5
"""Phase at the centre of an ice crystal, radian."""
ICE_LOSS, CARBON_LOSS, CRYSTAL_LOSS = 0.2, 0.15, 0.1
"""Thickness of ice, carbon film and crystal in inelastic mean free paths."""


@dataclass(frozen=True)
class SimulatedMicrograph:
    """A simulated micrograph with exact truth.

    Attributes
    ----------
    image : (H, W) float32
        Electrons per pixel. Particles are dark.
    x, y : (N,) float64
        Centres of mass of all particles, column and row, pixels, 0 at the centre of the top-left
        pixel. All lie inside the image.
    label : (N,) str
        ``top``, ``side`` or ``irregular``.
    diameter : (N,) float64
        Pixels.
    pixel_size : float
        Angstrom per pixel.
    """

    image: Image
    x: Floats
    y: Floats
    label: Strings
    diameter: Floats
    pixel_size: float


def simulate(kind: Kind, shape: tuple[int, int], dose: float, seed: int) -> SimulatedMicrograph:
    """Simulate one micrograph; equal arguments give identical bytes.

    Parameters
    ----------
    kind : Kind
        Species of the particles, one of ``KINDS``.
    shape : (int, int)
        Height and width, pixels.
    dose : float
        Electrons per square Angstrom; `DOSE` is usual.
    seed : int
        Of all that differs between micrographs; the structure of the species does not.
    """
    rng = np.random.default_rng(seed)
    diameter = kind.diameter / kind.pixel_size
    carbon = junk.draw_carbon(shape, rng)
    crystals = junk.draw_crystals(shape, diameter, rng)
    x, y = place(shape, diameter, rng.uniform(*kind.coverage), carbon, crystals, rng)
    rotation, label = kind.pose(len(x), rng)
    # The padding prevents wrap-around of the Fourier transforms from one edge to the other.
    pad = int(np.ceil(diameter))
    grid = tuple(fft.next_fast_len(side + 2 * pad, real=True) for side in shape)
    phase = particle_phase(kind, grid, np.column_stack([x, y]) + pad, rotation, rng)
    intensity = _intensity(phase, kind.pixel_size, carbon.moved(pad), crystals.moved(pad), rng)
    expected = intensity[pad : pad + shape[0], pad : pad + shape[1]] * dose * kind.pixel_size**2
    image = microscope.count_electrons(expected, rng)
    return SimulatedMicrograph(image, x, y, label, np.full(len(x), diameter), kind.pixel_size)


def particle_phase(
    kind: Kind,
    shape: tuple[int, int],
    centres: Floats,
    rotation: Rotation,
    rng: np.random.Generator,
) -> Floats:
    """Project all particles onto the grid.

    Parameters
    ----------
    kind : Kind
        Species of the particles.
    shape : (int, int)
        Height and width of the grid.
    centres : (N, 2) float64
        Columns x and y, pixels of the grid.
    rotation : Rotation
        N orientations.
    rng : numpy.random.Generator
        Varies the strength of the particles by a tenth, as damage and ice do.

    Returns
    -------
    (H, W) float64
        Phase shift, radian; its mean over the disc of a particle is about ``kind.phase``.
    """
    cloud = kind.cloud() / kind.pixel_size
    # The first two rows of each matrix give x and y; z is the direction of projection.
    turned = np.einsum("nij,pj->npi", rotation.as_matrix()[:, :2], cloud) + centres[:, None]
    disc = np.pi / 4 * (kind.diameter / kind.pixel_size) ** 2
    strength = kind.phase * disc / len(cloud) * rng.normal(1, 0.1, len(centres))
    mass = project(turned.reshape(-1, 2), np.repeat(strength, len(cloud)), shape)
    blurred: Floats = ndimage.gaussian_filter(mass, BLUR / kind.pixel_size)
    return blurred


def _intensity(
    phase: Floats,
    pixel_size: float,
    carbon: junk.Carbon,
    crystals: junk.Crystals,
    rng: np.random.Generator,
) -> Image:
    """Return the expected fraction of the incident electrons in each pixel of the grid."""
    ice = junk.ice_thickness(phase.shape, rng)
    film = junk.film(carbon, phase.shape, rng)
    frost = junk.crystal_map(crystals, phase.shape, rng)
    graininess = ICE_NOISE / pixel_size * (np.sqrt(ice) + CARBON_NOISE * film)
    phase = phase + CRYSTAL_PHASE * frost + graininess * rng.standard_normal(phase.shape)
    transfer = microscope.transfer_function(
        phase.shape,
        pixel_size,
        defocus=rng.uniform(*DEFOCUS),
        astigmatism=rng.uniform(0, 0.05),
        angle=rng.uniform(0, 180),
    )
    # Inelastically scattered electrons are lost: thick regions are dark at any defocus.
    passed = np.exp(-ICE_LOSS * ice - CARBON_LOSS * film - CRYSTAL_LOSS * frost)
    return passed * (1 + microscope.phase_contrast(phase.astype(np.float32), transfer))
