"""Density maps, MRC: a particle in arbitrary units becomes its potential above that of ice."""

from pathlib import Path

import mrcfile
import numpy as np
from scipy import fft, ndimage

from deepcryopicker.dataset.structures.potential import (
    EXCESS_PER_DALTON,
    VOLUME_PER_DALTON,
    Structure,
    extent,
)
from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.checks import file_size, one_line
from deepcryopicker.types import Image, Mask

SUFFIXES = frozenset({".mrc", ".map", ".ccp4", ".mrc.gz", ".map.gz"})
MAX_VOXELS = 1024**3
_SOLVENT = 0.02
"""Fraction of the largest density below which a voxel is solvent, whatever the histogram."""


def read_density_map(
    path: Path, voxel: float, mass: float | None = None, length: float | None = None
) -> Structure:
    """Read a map, and scale it to the potential of a particle of its mass.

    The surface of the particle is at the level that separates two classes of voxels (Otsu 1979).
    Unless given, its mass is that of protein of the volume within: 0.7 to 1.25 of the mass of the
    ten maps of 30 kDa to 3 MDa that were tried. All density connected to it at half the level is
    kept; noise and other pieces become solvent.

    Parameters
    ----------
    path : Path
        A cubic or rectangular map with positive density; axes z, y, x.
    voxel : float
        Angstrom, of the result; finer maps are averaged.
    mass : float, optional
        Dalton.
    length : float, optional
        Largest extent of the particle, Angstrom, for a map whose header has no voxel size.

    Raises
    ------
    UsageError
        The file is not a map, holds nothing, or has no scale.
    """
    density, own = _read(path)
    level = _surface(density, path)
    particle = _largest(density > level / 2)
    points = np.argwhere(particle).astype(np.float64)
    if own is None:
        if length is None:
            raise UsageError(
                f"{path}: the header has no voxel size\ngive the diameter of the particle: "
                "dataset.diameter_angstrom=ANGSTROM"
            )
        own = length / (extent(points) + 1)
    if mass is None:
        volume = np.count_nonzero(particle & (density > level)) * own**3
        mass = volume / VOLUME_PER_DALTON
    shape = np.where(ndimage.binary_dilation(particle, iterations=2), density, 0).clip(min=0)
    sampled = _sampled(shape, own, voxel)
    potential = sampled * (EXCESS_PER_DALTON * mass / (float(sampled.sum()) * voxel**3))
    return Structure(potential.astype(np.float32), voxel, mass, (extent(points) + 1) * own)


def _read(path: Path) -> tuple[Image, float | None]:
    """Return the density (D, H, W) above the solvent, and the voxel size of the header."""
    file_size(path)
    try:
        with (
            mrcfile.mmap(path, permissive=True)
            if path.suffix != ".gz"
            else mrcfile.open(path, permissive=True) as file
        ):
            if file.data is None or file.data.ndim != 3 or min(file.data.shape) < 8:
                raise UsageError(f"{path}: not a density map of three dimensions")
            if file.data.size > MAX_VOXELS:
                raise UsageError(f"{path}: more than {MAX_VOXELS} voxels")
            density = np.asarray(file.data, np.float32).copy()
            own = float(file.voxel_size.x)
    except (ValueError, OSError) as error:
        raise UsageError(f"{path}: not an MRC map: {one_line(error)}") from error
    if not np.isfinite(density).all():
        raise UsageError(f"{path}: a voxel is not a number")
    border = np.concatenate([density[[0, -1]].ravel(), density[:, [0, -1]].ravel()])
    density -= np.float32(np.median(border))
    return density, own if np.isfinite(own) and own > 0 else None


def _surface(density: Image, path: Path) -> float:
    """Return the density at the surface of the particle."""
    # Imported on demand: slow, and needed for maps only.
    from skimage.filters import threshold_otsu

    inside = density[density > _SOLVENT * density.max()]
    if density.max() <= 0 or np.ptp(inside) == 0:
        raise UsageError(f"{path}: no density above that of the solvent")
    return float(threshold_otsu(inside))


def _largest(mask: Mask) -> Mask:
    """Return the largest connected region."""
    labelled, _ = ndimage.label(mask)
    return np.asarray(labelled == 1 + np.bincount(labelled.ravel())[1:].argmax())


def _sampled(density: Image, own: float, voxel: float) -> Image:
    """Sample a map on a cube of another voxel size, the centre of mass in its middle.

    Linear interpolation, after a Gaussian where the new voxels are larger.
    """
    ratio = voxel / own
    if ratio > 1:
        density = ndimage.gaussian_filter(density, 0.5 * np.sqrt(ratio**2 - 1))
    centre = np.array(ndimage.center_of_mass(density))
    points = np.argwhere(density > 0)
    radius = np.abs(points - centre).max() * own / voxel
    side = fft.next_fast_len(2 * int(np.ceil(radius * np.sqrt(3))) + 2, real=True)
    offset = centre - ratio * (side // 2)
    return np.asarray(
        ndimage.affine_transform(
            density, np.full(3, ratio), offset, output_shape=(side,) * 3, order=1
        )
    )
