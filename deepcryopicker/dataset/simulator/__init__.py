"""Simulated micrographs with exact truth, for tests, examples and figures.

``phantoms`` holds the four particle species as point clouds, ``microscope`` the image formation,
``junk`` carbon, ice and crystals, ``placement`` the positions, and ``scene`` the whole simulation.
``variety`` makes micrographs of all kinds, with ``surroundings``, ``instruments`` and
``micrographs``.
"""

from deepcryopicker.dataset.simulator.phantoms import KINDS, Kind
from deepcryopicker.dataset.simulator.scene import DOSE, SimulatedMicrograph, simulate

__all__ = ["DOSE", "KINDS", "Kind", "SimulatedMicrograph", "simulate"]
