"""RELION's matching with the projections of a structure (``relion_autopick --ref map.mrc``).

RELION 3.1 and newer project a map of three dimensions themselves, in directions 30 degrees apart.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import mrcfile
import numpy as np
from scipy import ndimage, signal

from deepcryopicker.dataset.structures.open_structure import open_structure
from deepcryopicker.dataset.structures.orientations import uniform_orientations
from deepcryopicker.dataset.structures.potential import Structure
from deepcryopicker.dataset.structures.projections import project_structure
from deepcryopicker.dataset.structures.scale import scale_of, seen_diameter
from deepcryopicker.rivals.programs.program_inputs import ProgramJob, unit_score
from deepcryopicker.rivals.programs.relion import LOWEST, ROTATIONS, THRESHOLD, autopick
from deepcryopicker.rivals.programs.schema import RelionReferenceConfig
from deepcryopicker.types import Image, Picks

REFERENCE = "reference.mrc"

_ACROSS = 24  # voxels in a particle diameter
_BOX = 1.5  # diameters
_MEASURE_ON = 3  # micrographs
_VIEWS = 64  # projections averaged for the contrast
_TYPICAL = 0.75  # quantile of the peaks' contrasts, because a few peaks are false
_FIRST_VOXEL = 5.0  # Angstrom, to measure a structure whose scale is not known yet


def pick_by_reference(config: RelionReferenceConfig, batch: ProgramJob) -> dict[str, Picks]:
    """Pick a batch by projections of a structure, without labels.

    RELION expects the map on the grey scale of the micrographs, in standard deviations of their
    pixels; see :func:`measure_contrast`.

    Parameters
    ----------
    config : RelionReferenceConfig
    batch : ProgramJob
        Without a pixel size, diameter and structure decide it.

    Returns
    -------
    dict
        From the name of a micrograph to its picks, original pixels.
    """
    path = Path(str(config.structure))
    scaled = batch if batch.pixel_size else replace(batch, pixel_size=_pixel_size(path, batch))
    angstrom = scaled.diameter * scaled.angstrom
    structure = open_structure(path, angstrom / _ACROSS, angstrom)
    views = project_structure(structure, uniform_orientations(_VIEWS, np.random.default_rng(0)))
    contrast = measure_contrast(_read(scaled), views.mean(axis=0), scaled.diameter)
    # RELION divides a reference that it enlarges by the factor.
    contrast *= max(structure.voxel / scaled.angstrom, 1.0)
    write_reference(scaled.folder / REFERENCE, structure, contrast)
    options = [
        *("--ref", REFERENCE, "--angpix_ref", f"{structure.voxel:.5f}", "--invert"),
        *(*ROTATIONS, "--shrink", "0", "--lowpass", f"{config.lowpass:.2f}"),
        *("--threshold", f"{LOWEST}", "--particle_diameter", f"{1.1 * angstrom:.1f}"),
        *("--min_distance", f"{0.5 * angstrom:.1f}"),
    ]
    picked = autopick(scaled, options)
    return {
        name: Picks.create(p.x, p.y, unit_score(p.score, THRESHOLD), diameter=batch.diameter)
        for name, p in picked.items()
    }


def measure_contrast(images: Iterable[Image], view: Image, diameter: float) -> float:
    """Measure the contrast of the particles: grey values per unit of the projections.

    The mean projection, averaged over rotations, is fitted by least squares with an offset at
    every place of a micrograph, and the best fits at least a diameter apart are taken. Their upper
    quartile was 1.1 to 1.4 times the contrast at true particles of three datasets whose contrasts
    differ 15-fold.

    Parameters
    ----------
    images : iterable of (H, W) float32
        Micrographs, particles dark.
    view : (D, D) float32
        Mean projection of the structure, 24 pixels to a particle diameter.
    diameter : float
        Particle diameter, pixels of `images`.

    Returns
    -------
    float
        Standard deviations of the pixels of a micrograph per unit of `view`.
    """
    radius = round(0.75 * _ACROSS)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    away = np.hypot(x, y)
    disc = away <= radius
    profile = _around_centre(view, radius + 1)
    template = np.where(disc, np.interp(away, np.arange(len(profile)), profile), 0.0)
    template[disc] -= template[disc].mean()
    scale = _ACROSS / diameter
    found: list[float] = []
    for image in images:
        small = cv2.resize(
            image - image.mean(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
        )
        fit = signal.fftconvolve(-small, template, mode="same") / (template**2).sum()
        peaks = (fit == ndimage.maximum_filter(fit, _ACROSS + 1)) & (fit > 0)
        found.extend(fit[peaks] / max(float(image.std()), 1e-12))
    return float(np.quantile(found, _TYPICAL)) if found else 1.0


def write_reference(path: Path, structure: Structure, contrast: float) -> None:
    """Write a structure as a map of one and a half diameters whose projections have a contrast.

    Parameters
    ----------
    path : Path
    structure : Structure
        With 24 voxels to a particle diameter.
    contrast : float
        Standard deviations of a micrograph's pixels per unit of the projected potential.
    """
    half = round(_BOX * _ACROSS / 2)
    have = structure.potential.shape[0] // 2
    # RELION projects by sums over voxels.
    density = structure.potential * np.float32(contrast * structure.voxel)
    padded = np.pad(density, max(half - have, 0))
    start = padded.shape[0] // 2 - half
    inside = slice(start, start + 2 * half)
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(np.ascontiguousarray(padded[inside, inside, inside], np.float32))
        file.set_volume()
        file.voxel_size = structure.voxel


def _around_centre(view: Image, count: int) -> Image:
    """Return the mean of an image in rings around its middle pixel, 0 outside of it."""
    middle = view.shape[0] // 2
    y, x = np.indices(view.shape)
    ring = np.rint(np.hypot(x - middle, y - middle)).astype(np.intp).ravel()
    total = np.bincount(ring, view.ravel(), count)
    mean = total / np.maximum(np.bincount(ring, minlength=count), 1)
    return mean[:count].astype(np.float32)


def _pixel_size(path: Path, batch: ProgramJob) -> float:
    """Return the pixel size at which the structure is as wide as given."""
    seen = seen_diameter(open_structure(path, _FIRST_VOXEL))
    return scale_of([seen], diameter=batch.diameter).pixel_size


def _read(batch: ProgramJob) -> Iterable[Image]:
    """Read some of the micrographs to be picked."""
    for one in batch.inputs[:: max(1, len(batch.inputs) // _MEASURE_ON)][:_MEASURE_ON]:
        yield mrcfile.read(batch.folder / one.file)
