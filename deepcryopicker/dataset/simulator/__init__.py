"""Simulated micrographs with exact truth, for tests, examples and pictures that may be shown.

``phantoms`` holds the four particle species as point clouds, ``microscope`` the optics, ``junk``
what is not a particle, ``placement`` where particles lie, and ``scene`` puts them together.
"""

from deepcryopicker.dataset.simulator.phantoms import KINDS, Kind
from deepcryopicker.dataset.simulator.scene import DOSE, SimulatedMicrograph, simulate

__all__ = ["DOSE", "KINDS", "Kind", "SimulatedMicrograph", "simulate"]
