"""Kinds of arrays, and the words for classes of particles and windows."""

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Strings = npt.NDArray[np.str_]
Labels = npt.NDArray[np.int32]
"""Components of a mask, (H, W): 0 is background, each component has its own positive number."""

SHAPES = ("top", "side", "irregular")
"""Particle classes in the paper's order; RELION's class numbers are their positions, from 1."""

PARTICLE = "particle"
"""Class of any shape, for networks that do not distinguish shapes."""

BACKGROUND = "background"
NEGATIVE = "negative"
"""Classes of windows without a particle, or without one at the centre."""

DEVICES = ("auto", "cpu", "cuda")
"""Where a network runs; ``auto`` is CUDA if available."""
