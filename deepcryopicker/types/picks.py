"""Particle positions of one micrograph."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from deepcryopicker.types.arrays import Floats, Strings


@dataclass(frozen=True)
class Picks:
    """Particle positions of one micrograph, from any picker.

    Attributes
    ----------
    x, y : (N,) float64
        Particle centres, column and row, original pixels.
    score : (N,) float64
        Probability in [0, 1] that this is a particle; for other programs, any number that
        increases with the likelihood of a particle.
    label : (N,) str
        Particle class: ``top``, ``side`` or ``irregular``.
    diameter : (N,) float64
        The one that was searched for, or that a file gives; original pixels.
    size : (N,) float64
        Diameter measured at this pick, original pixels; NaN where it was not measured.
    contrast : (N,) float64
        Darkness of the particle beside its surroundings, in standard deviations of the
        micrograph; NaN where it was not measured.
    """

    x: Floats
    y: Floats
    score: Floats
    label: Strings
    diameter: Floats
    size: Floats
    contrast: Floats

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, name)) for name in COLUMNS}
        if len(lengths) > 1:
            raise ValueError(f"Picks need columns of one length, got lengths {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.x)

    @classmethod
    def create(
        cls,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        score: npt.ArrayLike = 1.0,
        label: npt.ArrayLike = "irregular",
        diameter: npt.ArrayLike = np.nan,
        size: npt.ArrayLike = np.nan,
        contrast: npt.ArrayLike = np.nan,
    ) -> Self:
        """Build from arrays, lists or scalars; scalars are repeated for every pick.

        Parameters
        ----------
        x, y : (N,) array_like
            Particle centres, original pixels.
        score, label, diameter, size, contrast : (N,) array_like or scalar
            See `Picks`.
        """
        x = np.atleast_1d(np.asarray(x, np.float64))
        y = np.atleast_1d(np.asarray(y, np.float64))

        def repeated(values: npt.ArrayLike, kind: type) -> npt.NDArray[Any]:
            return np.array(np.broadcast_to(np.asarray(values, kind), x.shape))

        numbers = (repeated(one, np.float64) for one in (diameter, size, contrast))
        return cls(x, y, repeated(score, np.float64), repeated(label, np.str_), *numbers)

    @property
    def positions(self) -> Floats:
        """Centres, (N, 2): x, y in original pixels."""
        return np.column_stack([self.x, self.y])

    @classmethod
    def empty(cls) -> Self:
        """Return a set without picks."""
        return cls.create([], [])

    def moved(self, x: float, y: float) -> Self:
        """Return the same picks shifted by `x` columns and `y` rows."""
        return replace(self, x=self.x + x, y=self.y + y)

    def flipped(self, height: int) -> Self:
        """Return the same picks mirrored top to bottom in an image of `height` rows."""
        return replace(self, y=height - 1 - self.y)

    def joined(self, others: Self) -> Self:
        """Return these picks followed by others of the same micrograph."""
        return replace(
            self,
            **{
                name: np.concatenate([getattr(self, name), getattr(others, name)])
                for name in COLUMNS
            },
        )

    def grouped(self, names: Sequence[str]) -> dict[str, Self]:
        """Return the picks by name, in order of appearance; `names` has one name per pick."""
        members: dict[str, array[int]] = {}
        for index, name in enumerate(names):
            members.setdefault(name, array("q")).append(index)
        return {name: self[np.array(which)] for name, which in members.items()}

    def __getitem__(self, index: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Self:
        return replace(self, **{name: getattr(self, name)[index] for name in COLUMNS})


COLUMNS = tuple(one.name for one in fields(Picks))
"""Names of the attributes of `Picks`."""
