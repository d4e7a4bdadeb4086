"""Training examples of a rival: micrographs with particles, and their split."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.spatial import KDTree

from deepcryopicker.types import Floats, Image, Mask

_VALIDATION = 0.2  # share of the micrographs
_SEAM = 0.75  # share of the particles left of the dividing line of a single micrograph


@dataclass(frozen=True)
class Example:
    """A micrograph with its truth; working pixels throughout.

    Attributes
    ----------
    image : (H, W) float32
        Median 0, in units of robust standard deviations; particles are dark.
    x, y : (N,) float64
        True particles.
    avoid : (M, 2) float64
        Uncertain positions (x, y), neither particle nor background.
    diameter : float
    inside : (H, W) bool, or None
        Pixels on which training is allowed; None is all.
    """

    image: Image
    x: Floats
    y: Floats
    avoid: Floats
    diameter: float
    inside: Mask | None = None

    @property
    def particles(self) -> Floats:
        """Centres of the particles, (N, 2): x, y."""
        return np.column_stack([self.x, self.y])

    def clear(self, x: Floats, y: Floats, distance: float) -> Mask:
        """Find positions at a minimum distance from all particles and uncertain positions.

        Parameters
        ----------
        x, y : (K,) float64
        distance : float
            Minimum distance, inclusive.

        Returns
        -------
        (K,) bool
        """
        known = np.concatenate([self.particles, self.avoid.reshape(-1, 2)])
        if not len(known) or not len(x):
            return np.ones(len(x), bool)
        return KDTree(known).query(np.column_stack([x, y]))[0] >= distance

    def holds(self, x: Floats, y: Floats) -> Mask:
        """Find positions inside the image where training is allowed, (K,) bool."""
        row, column = np.floor(y + 0.5).astype(int), np.floor(x + 0.5).astype(int)
        height, width = self.image.shape
        within = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        if self.inside is None:
            return within
        within[within] = self.inside[row[within], column[within]]
        return within

    def hidden(self) -> Self:
        """Return a copy in which pixels excluded from training are 0, the median."""
        if self.inside is None:
            return self
        return replace(self, image=np.where(self.inside, self.image, np.float32(0.0)))


def split_examples(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Keep a fifth of the micrographs for validation, at least one.

    Of a single micrograph, the right-hand part with a quarter of its particles is kept.

    Returns
    -------
    training, validation : list of Example
    """
    if len(examples) == 1:
        return _divided(examples[0])
    order = np.random.default_rng(seed).permutation(len(examples))
    kept = set(order[: max(1, round(_VALIDATION * len(examples)))].tolist())
    return (
        [one for number, one in enumerate(examples) if number not in kept],
        [one for number, one in enumerate(examples) if number in kept],
    )


def _divided(example: Example) -> tuple[list[Example], list[Example]]:
    allowed = example.holds(example.x, example.y)
    seam = float(np.quantile(example.x[allowed], _SEAM)) if allowed.any() else 0.0
    left = np.arange(example.image.shape[1]) <= np.ceil(seam)
    everywhere = np.ones(example.image.shape, bool) if example.inside is None else example.inside
    return (
        [replace(example, inside=everywhere & left)],
        [replace(example, inside=everywhere & ~left)],
    )
