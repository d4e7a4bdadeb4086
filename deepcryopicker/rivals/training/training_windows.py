"""Training windows, drawn at random where training is allowed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from deepcryopicker.detection.windows import extend
from deepcryopicker.errors import NothingUsableError
from deepcryopicker.rivals.training.examples import Example
from deepcryopicker.types import Floats, Image, Mask

_TRIES = 50  # random positions per requested window, before fewer are returned


@dataclass(frozen=True)
class Window:
    """A square window and its truth, in pixels of the window.

    Attributes
    ----------
    image : (S, S) float32
    particles : (N, 2) float64
        (x, y), including particles just outside.
    avoid : (M, 2) float64
        Uncertain positions (x, y).
    diameter : float
    """

    image: Image
    particles: Floats
    avoid: Floats
    diameter: float

    def turned(self, rng: np.random.Generator) -> Self:
        """Return the window in a random one of its eight orientations."""
        mirror_x, mirror_y, swap = rng.integers(0, 2, 3).astype(bool)
        image, last = self.image, len(self.image) - 1
        image = image[:, ::-1] if mirror_x else image
        image = image[::-1] if mirror_y else image
        image = image.T if swap else image

        def turn(places: Floats) -> Floats:
            x, y = places.reshape(-1, 2).T
            x = last - x if mirror_x else x
            y = last - y if mirror_y else y
            return np.column_stack([y, x] if swap else [x, y])

        return type(self)(
            np.ascontiguousarray(image), turn(self.particles), turn(self.avoid), self.diameter
        )


@dataclass(frozen=True)
class Places:
    """Centres of windows.

    Attributes
    ----------
    example : (N,) int64
        Index of the micrograph.
    x, y : (N,) int64
        Working pixels.
    """

    example: npt.NDArray[np.int64]
    x: npt.NDArray[np.int64]
    y: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.x)

    def drawn(self, count: int, rng: np.random.Generator) -> Self:
        """Draw `count` places at random, with replacement; an empty set stays empty."""
        index = rng.integers(0, len(self), count if len(self) else 0)
        return type(self)(self.example[index], self.x[index], self.y[index])

    def joined(self, others: Self) -> Self:
        """Return these places followed by others."""
        pairs = ((getattr(self, k), getattr(others, k)) for k in ("example", "x", "y"))
        return type(self)(*(np.concatenate(pair) for pair in pairs))


class Windows:
    """All windows of one size completely within the pixels on which training is allowed.

    Images are mirrored beyond their edges.

    Parameters
    ----------
    examples : sequence of Example
    size : int
        Side of a window, working pixels.

    Raises
    ------
    NothingUsableError
        If no such window has a particle at its centre.
    """

    def __init__(self, examples: Sequence[Example], size: int) -> None:
        self.examples, self.size = examples, size
        self._padded = [extend(one.image, (size,) * 4, "reflect") for one in examples]
        self._allowed = [_centres(one.inside, size) for one in examples]
        self.particles = self.at([one.particles for one in examples])
        if not len(self.particles):
            raise NothingUsableError(
                f"training: no window of {size} working pixels around a particle may be trained "
                "on; give more micrographs, or a smaller preprocessing.working_diameter"
            )

    def at(self, positions: Sequence[Floats]) -> Places:
        """Return the positions, (N, 2) for each micrograph, around which a window is allowed."""
        found = []
        for number, places in enumerate(positions):
            x, y = np.floor(places + 0.5).astype(np.int64).reshape(-1, 2).T
            good = self._may(number, x, y)
            found.append(Places(np.full(int(good.sum()), number), x[good], y[good]))
        result = found[0]
        for more in found[1:]:
            result = result.joined(more)
        return result

    def near(self, places: Places, shift: int, rng: np.random.Generator) -> Places:
        """Shift places at random; those whose shifted window is not allowed stay.

        Parameters
        ----------
        places : Places
        shift : int
            Maximum shift along each axis, pixels.
        rng : numpy.random.Generator
        """
        x = places.x + rng.integers(-shift, shift + 1, len(places))
        y = places.y + rng.integers(-shift, shift + 1, len(places))
        for number in range(len(self.examples)):
            members = np.flatnonzero(places.example == number)
            stay = members[~self._may(number, x[members], y[members])]
            x[stay], y[stay] = places.x[stay], places.y[stay]
        return Places(places.example, x, y)

    def anywhere(self, count: int, rng: np.random.Generator, clear: float = 0.0) -> Places:
        """Draw places at random.

        Parameters
        ----------
        count : int
            Maximum number; fewer are returned if hardly any position is allowed.
        rng : numpy.random.Generator
        clear : float
            Minimum distance to all particles and uncertain positions, in diameters.
        """
        places: list[list[Floats]] = [[] for _ in self.examples]
        found = 0
        for number in rng.integers(0, len(self.examples), _TRIES * max(count, 1)):
            if found >= count:
                break
            example = self.examples[number]
            height, width = example.image.shape
            x, y = rng.integers(0, [width, height])
            here = (np.array([x]), np.array([y]))
            distance = clear * example.diameter
            if self._may(number, *here)[0] and (not clear or example.clear(*here, distance)[0]):
                places[number].append(np.array([x, y], np.float64))
                found += 1
        return self.at([np.array(each, np.float64).reshape(-1, 2) for each in places])

    def cut(self, places: Places) -> list[Window]:
        """Cut the windows; pixel ``size // 2`` of a window is its place."""
        windows = []
        for number, x, y in zip(places.example, places.x, places.y, strict=True):
            example = self.examples[number]
            corner = np.array([x, y]) - self.size // 2
            left, top = corner + self.size
            image = self._padded[number][top : top + self.size, left : left + self.size]
            near, doubtful = (
                self._within(spots - corner, example.diameter)
                for spots in (example.particles, example.avoid.reshape(-1, 2))
            )
            windows.append(Window(image, near, doubtful, example.diameter))
        return windows

    def _within(self, places: Floats, margin: float) -> Floats:
        """Return the positions inside the window or within `margin` of it."""
        return places[((places > -margin) & (places < self.size - 1 + margin)).all(axis=1)]

    def _may(
        self, number: int, x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        height, width = self.examples[number].image.shape
        may = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        allowed = self._allowed[number]
        if allowed is not None:
            may[may] = allowed[y[may], x[may]]
        return may


def as_tensor(windows: Sequence[Window]) -> Tensor:
    """Return the images of windows, (N, 1, S, S) float32."""
    return torch.from_numpy(np.stack([one.image for one in windows]))[:, None]


def _centres(inside: Mask | None, size: int) -> Mask | None:
    """Mark the centres of allowed windows; windows may extend beyond the image."""
    if inside is None:
        return None
    window = np.ones((size, size), np.uint8)
    return cv2.erode(inside.astype(np.uint8), window, anchor=(size // 2, size // 2)) > 0


def largest_windows(examples: Sequence[Example], sizes: Sequence[int]) -> Windows:
    """Return windows of the first size for which there are any.

    Raises
    ------
    NothingUsableError
        If there are none of any size.
    """
    for size in sizes[:-1]:
        try:
            return Windows(examples, size)
        except NothingUsableError:
            continue
    return Windows(examples, sizes[-1])


def validation_windows(examples: Sequence[Example], training: Windows) -> Windows:
    """Return validation windows; the training windows if the validation part is too small."""
    try:
        return Windows(examples, training.size)
    except NothingUsableError:
        return training
