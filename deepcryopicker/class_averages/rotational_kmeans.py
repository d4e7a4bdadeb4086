"""Rotation-invariant k-means: windows are compared with class averages in their best orientation.

Seeds are averages of a window and the windows most like it, chosen one after the other, far ones
more often (k-means++): single windows are mostly noise.
"""

from dataclasses import dataclass

import numpy as np

from deepcryopicker.class_averages.polar import (
    Indices,
    Spectra,
    correlate_rotated,
    powers,
    rotate_spectra,
)
from deepcryopicker.types import Image

_SEED_SAMPLE = 1500  # windows that seeds are chosen from
_MOST_LIKE = 30  # windows in a seed
_TINY = 1e-12


@dataclass(frozen=True)
class Clusters:
    """Windows assigned to classes.

    Attributes
    ----------
    references : (K, R, M) complex64
        Spectra of the class averages.
    label : (N,) int64
        Class of each window.
    rotation : (N,) int64
        Rotation of each window into the orientation of its class, steps of the grid.
    """

    references: Spectra
    label: Indices
    rotation: Indices


def cluster(
    spectra: Spectra, points: int, count: int, iterations: int, rng: np.random.Generator
) -> Clusters:
    """Cluster windows into at most `count` classes.

    Parameters
    ----------
    spectra : (N, R, M) complex64
    points : int
        Number of points on each ring.
    count : int
    iterations : int
    rng : Generator
    """
    references = _seeds(spectra, points, count, rng)
    return refine(spectra, points, references, iterations)


def refine(spectra: Spectra, points: int, references: Spectra, iterations: int) -> Clusters:
    """Assign windows to references and average them, several times.

    Classes without a window are dropped.

    Parameters
    ----------
    spectra : (N, R, M) complex64
    points : int
    references : (K, R, M) complex64
    iterations : int
        The last assignment follows the last averages.
    """
    label, rotation = assign(spectra, references, points)
    for _ in range(iterations):
        references, label = _average(spectra, points, label, rotation)
        label, rotation = assign(spectra, references, points)
    used, label = np.unique(label, return_inverse=True)
    return Clusters(references[used], label, rotation)


def assign(spectra: Spectra, references: Spectra, points: int) -> tuple[Indices, Indices]:
    """Return the nearest reference of each window and the rotation onto it: (N,), (N,) int64."""
    product, rotation = correlate_rotated(spectra, references, points)
    label = (2.0 * product - powers(references, points)).argmax(axis=1)
    rows = np.arange(len(spectra))
    return label, rotation[rows, label]


def _average(
    spectra: Spectra, points: int, label: Indices, rotation: Indices
) -> tuple[Spectra, Indices]:
    """Average the rotated windows of each class that has any, and number these classes anew."""
    used, label = np.unique(label, return_inverse=True)
    flat = rotate_spectra(spectra, rotation, points).reshape(len(spectra), -1)
    member = np.zeros((len(used), len(spectra)), np.float32)
    member[label, np.arange(len(spectra))] = 1.0
    member /= member.sum(axis=1, keepdims=True)
    return (member @ flat).reshape(len(used), *spectra.shape[1:]), label


def _seeds(spectra: Spectra, points: int, count: int, rng: np.random.Generator) -> Spectra:
    sample = spectra[rng.permutation(len(spectra))[:_SEED_SAMPLE]]
    power = powers(sample, points)
    nearest = np.full(len(sample), np.inf, np.float32)
    seeds: list[Spectra] = []
    for _ in range(min(count, len(sample))):
        weight = np.maximum(nearest, 0.0) if seeds else np.maximum(power, _TINY)
        if weight.sum() <= 0.0:
            break
        first = int(rng.choice(len(sample), p=weight / weight.sum()))
        seed = _with_most_like(sample, power, first, points)
        product, _ = correlate_rotated(sample, seed, points)
        distance: Image = power + powers(seed, points) - 2.0 * product[:, 0]
        nearest = np.minimum(nearest, distance)
        seeds.append(seed)
    return np.concatenate(seeds)


def _with_most_like(sample: Spectra, power: Image, first: int, points: int) -> Spectra:
    """Average a window with those that correlate best with it: (1, R, M)."""
    product, rotation = correlate_rotated(sample, sample[first : first + 1], points)
    alike = product[:, 0] / np.sqrt(np.maximum(power, _TINY))
    chosen = np.argsort(-alike)[: min(_MOST_LIKE, max(len(sample) // 10, 1))]
    rotated = rotate_spectra(sample[chosen], rotation[chosen, 0], points)
    return rotated.mean(axis=0, keepdims=True)
