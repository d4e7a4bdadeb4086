"""Projections of a structure at given orientations, by central slices of its Fourier transform."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch_fourier_slice import project_3d_to_2d

from deepcryopicker.dataset.structures.potential import Structure
from deepcryopicker.types import Image

PADDING = 2.0
"""Of the volume before its transform: slices are interpolated with an error of about 1 % of the
contrast, 4 % at most (docs/structures.md)."""
_SAMPLES = 2**22
"""Of the slices interpolated at once; about 1 GB."""


def project_structure(structure: Structure, rotation: Rotation) -> Image:
    """Integrate the potential along z after rotating the structure.

    Projection-slice theorem: the transform of a projection is the central slice of the transform
    of the volume perpendicular to the direction of projection (Bracewell 1956, Aust. J. Phys.
    9:198).

    Parameters
    ----------
    structure : Structure
    rotation : Rotation
        N orientations; each rotates the structure in the frame x, y, z of the micrograph: x with
        the columns, y with the rows. Along or against the beam makes no difference.

    Returns
    -------
    (N, H, W) float32
        Volt times Angstrom, pixels of ``structure.voxel``; the centre of mass of the structure is
        at pixel ``H // 2``, ``W // 2``.
    """
    volume = torch.from_numpy(structure.potential)
    # The library samples at R (x, y, z), which rotates the structure by the inverse of R.
    matrices = torch.from_numpy(rotation.inv().as_matrix().astype(np.float32)).reshape(-1, 3, 3)
    batch = max(1, _SAMPLES // int(PADDING * len(volume)) ** 2)
    slices = [
        project_3d_to_2d(volume, some, pad_factor=PADDING) for some in torch.split(matrices, batch)
    ]
    return torch.cat(slices).numpy() * np.float32(structure.voxel)
