"""Materials in the beam: phase shift, granularity and lost electrons of a layer of a thickness.

A layer of thickness ``t`` shifts the phase by ``sigma V t`` on average, where ``V`` is the mean
inner potential and ``sigma`` the interaction parameter. It is made of ``n`` atoms or molecules per
volume, so that ``n t p**2`` of them lie in a pixel of side ``p``; were their places independent,
the phase would vary by ``sigma (V / n) sqrt(n t) / p`` (Poisson). Neighbours keep a distance, which
reduces the variance by the structure factor ``S`` at low spatial frequency.
"""

from dataclasses import dataclass

import numpy as np

from deepcryopicker.dataset.simulator.surroundings.canvas import Canvas, Layer
from deepcryopicker.dataset.structures.potential import ICE_POTENTIAL, interaction
from deepcryopicker.types import Image


@dataclass(frozen=True)
class Material:
    """An amorphous material.

    Attributes
    ----------
    potential : float
        Mean inner potential, volt.
    density : float
        Atoms or molecules per cubic Angstrom.
    structure : (float, float)
        Range of the structure factor at low spatial frequency.
    mean_free_path : float
        Of electrons that stay in the image, at 300 kV, Angstrom.
    """

    potential: float
    density: float
    structure: tuple[float, float]
    mean_free_path: float


ICE = Material(ICE_POTENTIAL, 0.0311, (0.06, 0.25), 3100.0)
"""Vitreous ice. Its structure factor is that of water, ``n k T`` times the compressibility, or
0.06; what is dissolved, the surfaces and the motion in the beam add to it. Mean free path: 260 to
400 nm in published measurements at 300 kV with an energy filter."""
CARBON = Material(9.09, 0.1, (0.4, 1.2), 1600.0)
"""Amorphous carbon of 2 g per cubic centimetre; potential: Wanner et al. 2006,
Ultramicroscopy 106:341."""
CONTAMINANT = Material(5.5, 0.035, (0.06, 0.5), 2600.0)
"""Ice of other forms, ethane and hydrocarbons."""
GOLD = Material(25.0, 0.059, (0.02, 0.1), 250.0)
STAIN = Material(16.0, 0.008, (0.01, 0.15), 700.0)
"""Dried uranyl salt."""


def mean_free_path(material: Material, kilovolts: float) -> float:
    """Return the mean free path at a voltage, Angstrom: proportional to the squared velocity."""
    rest = 511.0  # kilovolt
    squared = 1 - (rest / (rest + kilovolts)) ** 2
    at_300 = 1 - (rest / (rest + 300.0)) ** 2
    return material.mean_free_path * squared / at_300


def layer_of(
    material: Material, thickness: Image, canvas: Canvas, rng: np.random.Generator
) -> Layer:
    """Return a layer of a material; it occupies nothing.

    Parameters
    ----------
    material : Material
    thickness : (H, W) float32
        Angstrom.
    canvas : Canvas
    rng : numpy.random.Generator
    """
    sigma = interaction(canvas.kilovolts)
    structure = np.exp(rng.uniform(*np.log(material.structure)))
    atom = material.potential / material.density
    spread = sigma * atom * np.sqrt(structure * material.density) / canvas.pixel
    grain = rng.standard_normal(canvas.shape, np.float32)
    thick = np.maximum(thickness, 0).astype(np.float32)
    phase = np.float32(sigma * material.potential) * thick
    phase += np.float32(spread) * np.sqrt(thick) * grain
    loss = thick / np.float32(mean_free_path(material, canvas.kilovolts))
    return Layer(phase, loss, np.zeros(canvas.shape, bool))
