"""Density maps, MRC: a particle in arbitrary units becomes its potential above that of ice."""

import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import mrcfile
import numpy as np
from scipy import ndimage

from deepcryopicker.dataset.structures.potential import (
    EXCESS_PER_DALTON,
    VOLUME_PER_DALTON,
    Structure,
    cube_side,
    extent,
    surface_voxels,
)
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.images.mrc import read_frames, read_header
from deepcryopicker.types import Floats, Image, Mask

logger = logging.getLogger(__name__)

MAX_VOXELS = 2**30
MAX_SAMPLED = 2**27
"""Voxels of the map in memory, after it has been averaged to about `_FINE` Angstrom."""
LEAST_SIDE = 8
_FINE = 2.5  # Angstrom
_SMOOTHING = 2.5  # Angstrom, standard deviation: what a map of 10 Angstrom resolution has
_SAME = 0.01  # relative difference of the voxel sizes along two axes
_SOLVENT = 0.02
"""Fraction of the largest density below which a voxel is solvent, whatever the histogram."""
_SPIKES = 1e-5
"""Fraction of the voxels, beside eight, that may be far brighter than the particle."""
_LEAST_VOXELS = 30
_ENCLOSED = 1.13
"""Volume within the surface over that of the protein alone: mean of ten maps of 31 kDa to 3 MDa
(docs/structures.md), for clefts and cavities are smoothed over."""


@dataclass(frozen=True)
class _Map:
    """Density (D, H, W) float32 in arbitrary units, and the length of a voxel, Angstrom."""

    density: Image
    voxel: float | None


def read_density_map(path: Path, voxel: float, length: float | None = None) -> Structure:
    """Read a map, and scale it to the potential of a particle of its mass.

    The surface of the particle is at the level that separates two classes of voxels (Otsu 1979,
    IEEE Trans. Syst. Man Cybern. 9:62), in the map smoothed to about 10 Angstrom. Its mass is that
    of protein of the volume within; docs/structures.md compares such masses with known ones. All
    density connected to it at half the level is kept; noise and other pieces become solvent.

    Parameters
    ----------
    path : Path
        With positive density, also compressed (``.gz``, ``.bz2``).
    voxel : float
        Angstrom, of the result; finer maps are averaged.
    length : float, optional
        Largest extent of the particle, Angstrom, for a map whose header has no voxel size, or the
        1.0 that many programs write without knowing it.

    Raises
    ------
    UsageError
        The file is not a map, holds nothing, or has no scale.
    """
    try:
        read = _read(path, voxel, length)
    except MicrographError as error:
        raise UsageError(f"{path}: {error}") from error
    smooth = read.density
    if read.voxel is not None:
        smooth = ndimage.gaussian_filter(smooth, _SMOOTHING / read.voxel)
    level = _surface(smooth, path)
    particle = _largest(smooth > level / 2)
    points = surface_voxels(particle)
    across = extent(points) + 1
    own = read.voxel or (length or 0.0) / across
    volume = np.count_nonzero(particle & (smooth > level)) * own**3
    mass = volume / (_ENCLOSED * VOLUME_PER_DALTON)
    shape = np.where(ndimage.binary_dilation(particle, iterations=2), read.density, 0).clip(min=0)
    sampled = _sampled(shape, points, own, voxel, path)
    potential = sampled * (EXCESS_PER_DALTON * mass / (float(sampled.sum()) * voxel**3))
    return Structure(potential.astype(np.float32), voxel, mass, across * own)


def _read(path: Path, voxel: float, length: float | None) -> _Map:
    """Read a map above its solvent, averaged in blocks if it is much finer than needed."""
    header = read_header(path, average_frames=True)
    shape = (header.frames, *header.shape)
    if header.frames == 1:
        raise UsageError(f"{path}: an image, not a density map of three dimensions")
    if min(shape) < LEAST_SIDE:
        raise UsageError(f"{path}: {_sides(shape)} voxels: too few for a density map")
    if np.prod(shape, dtype=float) > MAX_VOXELS:
        raise UsageError(f"{path}: {_sides(shape)} voxels: the limit is {MAX_VOXELS}; bin the map")
    own, order = _geometry(path, shape, length)
    factor = 1 if own is None else max(1, int(min(voxel, _FINE) / own))
    if np.prod(shape, dtype=float) / factor**3 > MAX_SAMPLED:
        raise UsageError(f"{path}: {_sides(shape)} voxels at this size are too many; bin the map")
    density = _averaged(read_frames(path, header), factor).transpose(order)
    if not np.isfinite(density).all():
        raise UsageError(f"{path}: a voxel is not a number")
    return _Map(_above_solvent(density, path), None if own is None else own * factor)


def _sides(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape[::-1])


def _geometry(
    path: Path, shape: tuple[int, ...], length: float | None
) -> tuple[float | None, tuple[int, ...]]:
    """Return the length of a voxel, None if unknown, and the axes of the file that are z, y, x."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # what is odd in the header has been checked or does not matter
        with mrcfile.open(path, header_only=True, permissive=True) as file:
            kind, size = int(file.header.ispg), file.voxel_size
            stored = [int(file.header[name]) for name in ("maps", "mapr", "mapc")]
    if kind >= 401:
        raise UsageError(f"{path}: a stack of maps; give one map")
    if kind == 0 and len(set(shape)) > 1:
        raise UsageError(f"{path}: a stack of images, not a density map")
    known = sorted(stored) == [1, 2, 3]
    order = tuple(stored.index(axis) for axis in (3, 2, 1)) if known else (0, 1, 2)
    sizes = np.array([float(size.x), float(size.y), float(size.z)])
    if not (np.isfinite(sizes).all() and (sizes > 0).all()):
        sizes = np.zeros(3)
    elif np.ptp(sizes) > _SAME * sizes.min():
        raise UsageError(
            f"{path}: voxels of {sizes[0]:.4g} x {sizes[1]:.4g} x {sizes[2]:.4g} Angstrom; "
            "resample the map to cubic ones"
        )
    own = float(sizes.mean())
    unstated = abs(own - 1.0) < 1e-5
    if own > 0 and not (unstated and length is not None):
        if unstated:
            logger.warning("%s: voxels of 1.0 Angstrom, as many programs write by default", path)
        return own, order
    if length is None:
        raise UsageError(
            f"{path}: the header has no voxel size\ngive the diameter of the particle: "
            "dataset.diameter_angstrom=ANGSTROM"
        )
    return None, order


def _averaged(sections: Iterator[Image], factor: int) -> Image:
    """Average blocks of `factor` voxels along each axis; only the result is held in memory."""
    if factor == 1:
        return np.stack(list(sections))
    slabs = []
    while len(slab := list(islice(sections, factor))) == factor:
        height, width = (side // factor for side in slab[0].shape)
        mean = np.mean(slab, axis=0)[: height * factor, : width * factor]
        slabs.append(mean.reshape(height, factor, width, factor).mean(axis=(1, 3)))
    return np.stack(slabs)


def _above_solvent(density: Image, path: Path) -> Image:
    """Return the density less that of the solvent, the largest value 1, without single spikes."""
    border = np.concatenate([density[[0, -1]].ravel(), density[:, [0, -1]].ravel()])
    spikes = 8 + int(density.size * _SPIKES)
    places = [spikes, density.size - 1 - spikes]
    lowest, highest = np.partition(density, places, axis=None)[places].astype(np.float64)
    solvent = float(np.median(border))
    if highest - solvent <= 0 and lowest - solvent >= 0:
        raise UsageError(f"{path}: no density above that of the solvent")
    if solvent - lowest > highest - solvent:
        raise UsageError(f"{path}: the particle is darker than the solvent; multiply the map by -1")
    above = (density.clip(lowest, highest) - np.float32(solvent)) / np.float32(highest - solvent)
    return np.asarray(above, np.float32)


def _surface(density: Image, path: Path) -> float:
    """Return the density at the surface of the particle."""
    # Imported on demand: slow, and needed for maps only.
    from skimage.filters import threshold_otsu

    inside = density[density > _SOLVENT * density.max()]
    level = float(threshold_otsu(inside)) if np.ptp(inside) > 0 else 0.0
    found = int(np.count_nonzero(density > level))
    if not _LEAST_VOXELS <= found < density.size / 2:
        raise UsageError(
            f"{path}: {found} of {density.size} voxels stand out; not the map of one particle"
        )
    return level


def _largest(mask: Mask) -> Mask:
    """Return the largest connected region."""
    labelled, _ = ndimage.label(mask)
    return np.asarray(labelled == 1 + np.bincount(labelled.ravel())[1:].argmax())


def _sampled(density: Image, points: Floats, own: float, voxel: float, path: Path) -> Image:
    """Sample a map on a cube of another voxel size, the centre of mass in its middle.

    Linear interpolation, after a Gaussian where the new voxels are larger.
    """
    ratio = voxel / own
    if ratio > 1:
        density = ndimage.gaussian_filter(density, 0.5 * np.sqrt(ratio**2 - 1))
    centre = np.array(ndimage.center_of_mass(density))
    radius = float(np.linalg.norm(points - centre, axis=1).max() + 2) * own + voxel
    side = cube_side(path, radius, voxel)
    offset = centre - ratio * (side // 2)
    sampled = ndimage.affine_transform(
        density, np.full(3, ratio), offset, output_shape=(side,) * 3, order=1
    )
    return np.asarray(sampled)
