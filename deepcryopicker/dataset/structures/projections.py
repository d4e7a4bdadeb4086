"""Projections of a structure at given orientations, by central slices of its Fourier transform."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch_fourier_slice import project_3d_to_2d

from deepcryopicker.dataset.structures.potential import Structure
from deepcryopicker.types import Image

PADDING = 2.0
"""Of the volume before its transform: the error of interpolated slices falls below 1 %."""
_BATCH = 64


def project_structure(structure: Structure, rotation: Rotation) -> Image:
    """Integrate the potential along z after turning the structure.

    Projection-slice theorem: the transform of a projection is the central slice of the transform
    of the volume perpendicular to the direction of projection.

    Parameters
    ----------
    structure : Structure
    rotation : Rotation
        N orientations; each turns the structure in the frame x, y, z of the micrograph.

    Returns
    -------
    (N, H, W) float32
        Volt times Angstrom, pixels of ``structure.voxel``; the centre of mass of the structure is
        at pixel ``H // 2``, ``W // 2``.
    """
    volume = torch.from_numpy(structure.potential)
    # The library samples at R (x, y, z), which turns the structure by the inverse of R.
    matrices = torch.from_numpy(rotation.inv().as_matrix().astype(np.float32))
    slices = [
        project_3d_to_2d(volume, batch, pad_factor=PADDING)
        for batch in torch.split(matrices.reshape(-1, 3, 3), _BATCH)
    ]
    return torch.cat(slices).numpy() * np.float32(structure.voxel)
