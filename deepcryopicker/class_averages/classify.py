"""Two-dimensional classification: from windows to classes, orientations and averages."""

from dataclasses import dataclass, replace

import numpy as np

from deepcryopicker.class_averages.averaging import (
    ClassAverages,
    average_classes,
    upright,
)
from deepcryopicker.class_averages.centring import centred_averages, find_shifts
from deepcryopicker.class_averages.polar import Indices, PolarGrid, polar_grid, polar_spectra
from deepcryopicker.class_averages.resolution import soft_disc
from deepcryopicker.class_averages.rotational_kmeans import Clusters, assign, cluster, refine
from deepcryopicker.types import Floats, Image

ALIGNED = 0.55
"""Radius of the disc in which windows are compared, diameters."""

MOST_CLASSES = 50
_WINDOWS_OF_A_CLASS = 60
_COARSE = 1 / 24  # diameters between the rings in which seeds are found
_COARSE_FREQUENCIES, _FINE_FREQUENCIES = 16, 32
_FIRST, _LATER = 8, 3  # iterations
_REFINEMENTS = 2
_SHIFT = 0.15  # diameters
_EDGE = 0.1  # width of the edge of the mask, diameters


@dataclass(frozen=True)
class Classified:
    """Windows in classes.

    Attributes
    ----------
    label : (N,) int64
        Class of each window; class 0 has the most windows.
    shifts : (N, 2) float64
        (x, y) of the particle from pixel ``S // 2`` of its window.
    angles : (N,) float64
        Radian, by which the window is rotated into the orientation of its class, from the x axis
        towards the y axis (downwards).
    averages : ClassAverages
    """

    label: Indices
    shifts: Floats
    angles: Floats
    averages: ClassAverages


def number_of_classes(windows: int) -> int:
    """Return how many classes so many windows are sorted into."""
    return int(np.clip(windows // _WINDOWS_OF_A_CLASS, 2, MOST_CLASSES))


def classify(windows: Image, diameter: float, classes: int, rng: np.random.Generator) -> Classified:
    """Classify windows without references.

    Windows are clustered in polar coordinates, in coarse rings; then the centre of each window is
    found by correlation with the average of its class, and classes are refined in fine rings.

    Parameters
    ----------
    windows : (N, S, S) float32
        Centred on particles, which are positive.
    diameter : float
        Of the particles, pixels of the windows.
    classes : int
        Most classes; those without windows are dropped.
    rng : Generator
    """
    coarse, fine = _grids(diameter)
    shifts = np.zeros((len(windows), 2))
    spectra = polar_spectra(windows, shifts, coarse)
    found = cluster(spectra, coarse.points, classes, _FIRST, rng)
    grid, mask = coarse, particle_mask(windows.shape[1], diameter)
    for _ in range(_REFINEMENTS):
        averages = _averages(windows, shifts, found, grid)
        masked = centred_averages(without_background(averages.image, mask))
        shifts = find_shifts(windows, masked, found.label, _angles(found, grid), _SHIFT * diameter)
        spectra = polar_spectra(windows, shifts, fine)
        references = polar_spectra(masked, np.zeros((len(masked), 2)), fine)
        found, grid = refine(spectra, fine.points, references, _LATER), fine
    found = _by_size(found)
    averages = _averages(windows, shifts, found, grid)
    return Classified(found.label, shifts, _angles(found, grid), averages)


def assign_others(
    windows: Image, diameter: float, averages: Image
) -> tuple[Indices, Floats, Floats]:
    """Assign windows that had no part in the averages to their classes.

    Parameters
    ----------
    windows : (N, S, S) float32
    diameter : float
    averages : (K, S, S) float32
        Of the classes.

    Returns
    -------
    label, shifts, angles
        As in `Classified`.
    """
    coarse, fine = _grids(diameter)
    masked = without_background(averages, particle_mask(windows.shape[1], diameter))

    def nearest(shifts: Floats, grid: PolarGrid) -> tuple[Indices, Floats]:
        references = polar_spectra(masked, np.zeros((len(masked), 2)), grid)
        label, rotation = assign(polar_spectra(windows, shifts, grid), references, grid.points)
        return label, 2.0 * np.pi * rotation / grid.points

    label, angles = nearest(np.zeros((len(windows), 2)), coarse)
    shifts = find_shifts(windows, masked, label, angles, _SHIFT * diameter)
    label, angles = nearest(shifts, fine)
    return label, shifts, angles


def without_background(averages: Image, mask: Image) -> Image:
    """Subtract the mean outside a mask from averages, and mask them: (K, S, S) float32."""
    outside = 1.0 - mask
    level = (averages * outside).sum(axis=(1, 2)) / max(float(outside.sum()), 1e-6)
    return (averages - level[:, None, None]) * mask


def _grids(diameter: float) -> tuple[PolarGrid, PolarGrid]:
    """Return coarse rings for seeds, and fine ones."""
    grids = (
        (diameter * _COARSE, _COARSE_FREQUENCIES),
        (max(diameter * _COARSE, 1.0), _FINE_FREQUENCIES),
    )
    chosen = []
    for step, frequencies in grids:
        grid = polar_grid(ALIGNED * diameter, step)
        chosen.append(replace(grid, frequencies=min(grid.frequencies, frequencies)))
    return chosen[0], chosen[1]


def particle_mask(side: int, diameter: float) -> Image:
    """Return the soft disc in which averages are compared, (side, side) float32."""
    return soft_disc(side, ALIGNED * diameter, _EDGE * diameter)


def _angles(found: Clusters, grid: PolarGrid) -> Floats:
    return 2.0 * np.pi * found.rotation / grid.points


def _averages(windows: Image, shifts: Floats, found: Clusters, grid: PolarGrid) -> ClassAverages:
    turned = upright(windows, shifts, _angles(found, grid))
    return average_classes(turned, found.label, len(found.references))


def _by_size(found: Clusters) -> Clusters:
    """Order classes by their number of windows, largest first."""
    order = np.argsort(-np.bincount(found.label), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Clusters(found.references[order], rank[found.label], found.rotation)
