"""Particles as phase shifts in physical units: random forms, and structures from files."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import fft, ndimage
from scipy.spatial.transform import Rotation

from deepcryopicker.dataset.simulator.debris import Debris
from deepcryopicker.dataset.simulator.forms import Form
from deepcryopicker.dataset.simulator.phantoms import project
from deepcryopicker.dataset.simulator.surroundings.canvas import Canvas, log_uniform
from deepcryopicker.dataset.structures.orientations import preferred_orientations
from deepcryopicker.dataset.structures.potential import (
    VOLUME_PER_DALTON,
    Structure,
    interaction,
)
from deepcryopicker.dataset.structures.projections import project_structure
from deepcryopicker.types import Floats, Image, Strings

_ROUND = 0.9
"""Least ratio of the smallest to the largest moment of inertia of a round particle."""
_AXIAL = 0.93
"""Least correlation of a barrel with itself after a rotation about its axis."""
_PREFERRED_SHARE = 0.25
"""Fraction of micrographs whose particles have preferred orientations."""


@dataclass(frozen=True)
class Placed:
    """Particles in the specimen.

    Attributes
    ----------
    phase : (H, W) float32
        Phase shift above that of ice, radian.
    label : (N,) str
    """

    phase: Image
    label: Strings


def form_mass(diameter: float, filled: float) -> float:
    """Return the mass of protein, Dalton, that fills a fraction of a sphere, diameter Angstrom."""
    return filled * np.pi / 6 * diameter**3 / VOLUME_PER_DALTON


def place_form(
    form: Form,
    centres: Floats,
    mass: float,
    blur: float,
    canvas: Canvas,
    rng: np.random.Generator,
) -> Placed:
    """Project a particle of a random form at every place.

    Its projected potential integrates to ``EXCESS_PER_DALTON * mass``, so that the phase shift in
    a pixel is the interaction parameter times its part of that over the area of the pixel.

    Parameters
    ----------
    form : Form
    centres : (N, 2) float64
        Columns x and y, pixels of the canvas.
    mass : float
        Dalton.
    blur : float
        Standard deviation of the Gaussian at each point of the form, diameters.
    canvas : Canvas
    rng : numpy.random.Generator
    """
    rotation, label = form.pose(len(centres), rng)
    turned = np.einsum("nij,pj->npi", rotation.as_matrix()[:, :2], form.cloud)
    points = turned * canvas.diameter + centres[:, None]
    one = canvas.phase_of(mass)
    each = one * _strengths(len(centres), rng) / len(form.cloud)
    projected = project(points.reshape(-1, 2), np.repeat(each, len(form.cloud)), canvas.shape)
    phase = ndimage.gaussian_filter(projected, blur * canvas.diameter)
    return Placed(phase.astype(np.float32), label)


def place_structure(
    structure: Structure, centres: Floats, canvas: Canvas, rng: np.random.Generator
) -> Placed:
    """Project a structure at every place, at uniform or preferred orientations.

    Parameters
    ----------
    structure : Structure
        Its voxel is the pixel of the canvas.
    centres : (N, 2) float64
        Columns x and y of the centres of mass, pixels of the canvas.
    canvas : Canvas
    rng : numpy.random.Generator
    """
    count = len(centres)
    concentration = log_uniform(rng, 0.5, 20) if rng.uniform() < _PREFERRED_SHARE else 0.0
    rotation = preferred_orientations(count, rng.standard_normal(3), concentration, rng)
    phase = np.zeros(canvas.shape, np.float32)
    if count:
        strength = interaction(canvas.kilovolts) * _strengths(count, rng)
        images = project_structure(structure, rotation)
        for image, centre, factor in zip(images, centres, strength, strict=True):
            _add(phase, image * np.float32(factor), centre)
    return Placed(phase, labels_of(structure, rotation))


def place_pieces(
    debris: Debris,
    mass: float,
    blur: float,
    canvas: Canvas,
    rng: np.random.Generator,
) -> Image:
    """Return the phase shift (H, W) of debris at its centres, pixels of the canvas.

    Parameters are those of `place_form`, `mass` that of a whole particle.
    """
    count, points = debris.clouds.shape[:2]
    places = debris.clouds * canvas.diameter + debris.centres[:, None]
    one = canvas.phase_of(mass)
    each = one * debris.mass * _strengths(count, rng) / points
    projected = project(places.reshape(-1, 2), np.repeat(each, points), canvas.shape)
    return ndimage.gaussian_filter(projected, blur * canvas.diameter).astype(np.float32)


def resampled(structure: Structure, voxel: float) -> Structure:
    """Return a structure sampled at another voxel size; its integral is kept.

    Detail below two voxels is removed by a Gaussian before sampling.
    """
    ratio = voxel / structure.voxel
    potential = structure.potential
    if ratio > 1:
        potential = ndimage.gaussian_filter(potential, 0.5 * np.sqrt(ratio**2 - 1))
    side = fft.next_fast_len(int(np.ceil(len(potential) / ratio)) + 2, real=True)
    offset = len(potential) // 2 - ratio * (side // 2)
    sampled = ndimage.affine_transform(
        potential, np.full(3, ratio), offset, output_shape=(side,) * 3, order=1
    )
    scale = float(structure.potential.sum()) / (float(sampled.sum()) * ratio**3)
    return replace(structure, potential=(sampled * scale).astype(np.float32), voxel=voxel)


def labels_of(structure: Structure, rotation: Rotation) -> Strings:
    """Return the class of each projection: ``top``, ``side`` or ``irregular``.

    A particle whose moments of inertia are nearly equal is round, ``top``, at any orientation. One
    that is nearly invariant to rotation about an axis is a barrel: ``top`` along the axis,
    ``side`` across it, and ``irregular`` between. All else is irregular.
    """
    labels = np.full(len(rotation), "irregular")
    weight = np.maximum(structure.potential, 0)
    if weight.shape[0] > 40:  # the shape is all that counts
        weight = ndimage.zoom(weight, 40 / weight.shape[0], order=1)
    points = np.argwhere(weight > 0.05 * weight.max())
    mass = weight[tuple(points.T)].astype(np.float64)
    places = points[:, ::-1] - np.average(points[:, ::-1], axis=0, weights=mass)
    moments, axes = np.linalg.eigh((places * mass[:, None]).T @ places / mass.sum())
    if moments[0] > _ROUND * moments[2]:
        return np.full(len(rotation), "top")
    axis = axes[:, 0] if moments[1] > _ROUND * moments[2] else axes[:, 2]
    equal = max(moments[1] / moments[2], moments[0] / moments[1])
    if equal < _ROUND or _axial(weight, axis) < _AXIAL:
        return labels
    tilt = np.abs(rotation.apply(axis)[:, 2])
    labels[tilt > np.cos(np.deg2rad(20))] = "top"
    labels[tilt < np.sin(np.deg2rad(20))] = "side"
    return labels


def _axial(weight: Image, axis: Floats) -> float:
    """Return the least correlation of a volume (D, H, W) with itself rotated about an axis."""
    centre = np.array(ndimage.center_of_mass(weight))
    lowest = 1.0
    for angle in (0.6, 1.1):  # no divisor of a symmetry of few parts
        # The matrix acts on z, y, x.
        turn = Rotation.from_rotvec(angle * axis).as_matrix()[::-1, ::-1]
        turned = ndimage.affine_transform(weight, turn, centre - turn @ centre, order=1)
        lowest = min(lowest, float(np.corrcoef(weight.ravel(), turned.ravel())[0, 1]))
    return lowest


def _strengths(count: int, rng: np.random.Generator) -> Floats:
    """Draw the strengths of particles: damage and their height in the ice vary them."""
    return np.clip(rng.normal(1, 0.12, count), 0.4, None)


def _add(total: Image, image: Image, centre: Floats) -> None:
    """Add an image whose centre is at ``H // 2``, ``W // 2``, by bilinear interpolation."""
    corner = np.floor(centre).astype(int)
    part_x, part_y = centre - corner
    height, width = image.shape
    for step_y, share_y in ((0, 1 - part_y), (1, part_y)):
        for step_x, share_x in ((0, 1 - part_x), (1, part_x)):
            top, left = corner[1] - height // 2 + step_y, corner[0] - width // 2 + step_x
            rows = slice(max(top, 0), min(top + height, total.shape[0]))
            columns = slice(max(left, 0), min(left + width, total.shape[1]))
            if rows.start < rows.stop and columns.start < columns.stop:
                inside = image[
                    rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
                ]
                total[rows, columns] += np.float32(share_x * share_y) * inside
