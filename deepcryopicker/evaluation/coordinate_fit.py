"""How well coordinates fit micrographs, and whether they fit better when read in another way.

Blob filters of three sizes respond to particles. The statistic of a reading is the mean response at
its places, in standard deviations of the same mean after all shifts of the places by whole pixels:
crowding, carbon and gradients are in both. Of the filters, the one with the largest magnitude
counts, as hollow or bright particles have a response of the other sign.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np

from deepcryopicker.detection.blob_responses import Responses, pixels, sum_at_shifts
from deepcryopicker.frames import Reading
from deepcryopicker.types import Floats

_FEWEST_PLACES = 10  # of all micrographs: fewer fit anywhere
_COVERED = 0.3  # of a side of the micrograph: places of another scale are spread at least so far
_INSIDE = 0.8  # fraction of the places
_STEP = 0.2  # diameters: distance of the same place in neighbouring scales
_SMALLEST_STEP = 0.0015  # of the scale
_ROUND = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 0.5, 1.5, 1 / 3, 2 / 3, 0.25, 0.125)
_SAME = 0.04  # relative difference of a scale from a round one that fits as well
_AS_GOOD = 0.9  # of the statistic of the best scale
SURE = 7.0
"""Standard deviations above chance from which another reading is named."""
_SURE_IF_MOVED = 7.5  # likewise: there are many more ways to move places
_BETTER = 2.0  # times the statistic of the coordinates as they are read
_BETTER_IF_MOVED = 1.5  # likewise: corners of boxes often lie on the dark border of a particle
_NEAR = 0.3  # diameters: places moved by less are the same
_ROUGHLY = 0.7  # of the statistic needed: what is looked at exactly
_SHARED = 0.3  # of the square of a diameter: area in which responses are alike
_CHANCE, _ENOUGH_PLACES = 3.0, 50


class Fit(NamedTuple):
    """A reading and its statistic.

    Attributes
    ----------
    reading : Reading
    deviations : float
        Mean response at the places, in standard deviations of that after random shifts.
    moved : (float, float)
        Shift of the places in x and y, original pixels, that this fit needs.
    """

    reading: Reading
    deviations: float
    moved: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Comparison:
    """The fit of coordinates as they are read, and a far better one if there is any.

    Attributes
    ----------
    given : Fit
    better : Fit or None
    places : int
        Number of places looked at.
    """

    given: Fit
    better: Fit | None
    places: int

    @property
    def is_chance(self) -> bool:
        """Whether many places fit no better than random ones, however they are read."""
        few = self.places < _ENOUGH_PLACES
        return not few and self.better is None and self.given.deviations < _CHANCE


def compare_readings(seen: Sequence[Responses], given: Reading, movable: bool = True) -> Comparison:
    """Compare the fit of coordinates as they are read with that of other readings.

    Parameters
    ----------
    seen : sequence of Responses
        Micrographs whose coordinates are of one kind.
    given : Reading
        As they are read.
    movable : bool
        Whether places moved by any distance are considered as well.

    Returns
    -------
    Comparison
        Its `better` fit is at least 7 standard deviations above chance (7.5 for moved places), and
        twice as many as that of the coordinates as they are read.
    """
    seen = [one for one in seen if np.isfinite(one.values).all() and len(one.places)]
    count = sum(len(one.places) for one in seen)
    if count < _FEWEST_PLACES:
        return Comparison(Fit(given, 0.0), None, count)
    now = _fit(seen, given)
    needed = max(SURE, _BETTER * now.deviations)
    rough = [_rough_fit(seen, reading) for reading in _symmetries(given)]
    exact = [_settled(seen, fit.reading) for fit in rough if fit.deviations > _ROUGHLY * needed]
    best = max(exact, key=lambda fit: fit.deviations, default=now)
    better = best if best.deviations >= needed else None
    if movable:
        turned = _symmetries(given) if now.deviations < SURE and better is None else [given]
        moved = max((_moved_fit(seen, each) for each in turned), key=lambda fit: fit.deviations)
        needed = max(_SURE_IF_MOVED, _BETTER_IF_MOVED * now.deviations, best.deviations)
        far = np.hypot(*moved.moved) > _NEAR * min(one.diameter for one in seen)
        better = moved if far and moved.deviations > needed else better
    return Comparison(now, better, count)


def _fit(seen: Sequence[Responses], reading: Reading) -> Fit:
    """Compute the statistic of a reading: the larger magnitude of those of the filters."""
    sums = [sum_at_shifts(one, reading, around=False) for one in seen]
    total = np.abs(np.sum([each[:, 0, 0] for each in sums], axis=0, dtype=np.float64))
    variance = np.sum([each.var(axis=(1, 2)) for each in sums], axis=0, dtype=np.float64)
    return Fit(reading, float((total / np.sqrt(np.maximum(variance, 1e-9))).max()))


def _symmetries(given: Reading) -> Iterator[Reading]:
    """Yield all turned and mirrored readings of the same scale."""
    for swapped, bottom, right in product((False, True), repeat=3):
        yield replace(given, swapped=swapped, from_bottom=bottom, from_right=right)


def _scales(seen: Sequence[Responses], swapped: bool) -> Floats:
    """Return the scales at which the places are inside and cover much of the micrographs, (S,)."""
    ends = []
    for one in seen:
        turned = Reading(swapped=swapped).apply(one.places, one.shape)
        for values, side in ((turned.x, one.shape[1]), (turned.y, one.shape[0])):
            ends.append(side / max(float(values.max()), 1.0))
    largest = 1.02 * min(ends)
    step = _step(seen)
    steps = np.arange(np.ceil(np.log(1.0 / _COVERED) / step))
    exact = [scale for scale in _ROUND if _COVERED * largest <= scale <= largest]
    return np.concatenate([exact, largest * np.exp(-step * steps)])


def _step(seen: Sequence[Responses]) -> float:
    """Return the relative difference of neighbouring scales."""
    return max(_STEP * min(one.diameter / max(one.shape) for one in seen), _SMALLEST_STEP)


def _rough_fit(seen: Sequence[Responses], reading: Reading) -> Fit:
    """Return the best scale of a reading, as if places were independent.

    Shifts would take too long for every scale: the variance of the sum is estimated from the
    number of places and how many of them share a particle's area by chance.
    """
    scales = _scales(seen, reading.swapped)
    total, variance, outside = 0.0, 0.0, 0.0
    count = sum(len(one.places) for one in seen)
    for one in seen:
        height, width = one.values.shape[1:]
        turned = Reading(swapped=reading.swapped).apply(one.places, one.shape)
        x, y = (
            pixels(np.multiply.outer(scales, values + 0.5) * small / full - 0.5)
            for values, small, full in (
                (turned.x, width, one.shape[1]),
                (turned.y, height, one.shape[0]),
            )
        )
        x = width - 1 - x if reading.from_right else x
        y = height - 1 - y if reading.from_bottom else y
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        responses = one.values[:, np.where(inside, y, 0), np.where(inside, x, 0)] * inside
        n = inside.sum(axis=1)
        area = np.maximum(np.prod(np.ptp(one.places.positions, axis=0)), 1.0) * scales**2
        total = total + responses.sum(axis=2, dtype=np.float64)
        variance = variance + n + _SHARED * one.diameter**2 / area * n.astype(np.float64) ** 2
        outside = outside + len(one.places) - n
    deviations = np.abs(total).max(axis=0) / np.sqrt(np.maximum(variance, 1.0))
    deviations[outside > (1.0 - _INSIDE) * count] = 0.0
    best = int(deviations.argmax())
    return Fit(replace(reading, scale=float(scales[best])), float(deviations[best]))


def _settled(seen: Sequence[Responses], rough: Reading) -> Fit:
    """Return the exact fit at a round scale, or else at the best one nearby."""
    step = _step(seen)
    near = rough.scale * np.exp(step * np.linspace(-1.0, 1.0, 9))
    fits = [_fit(seen, replace(rough, scale=float(f"{scale:.4g}"))) for scale in near]
    best = max(fits, key=lambda fit: fit.deviations)
    for scale in _ROUND:
        if abs(scale / best.reading.scale - 1.0) < _SAME:
            exact = _fit(seen, replace(rough, scale=scale))
            return exact if exact.deviations >= _AS_GOOD * best.deviations else best
    return best


def _moved_fit(seen: Sequence[Responses], reading: Reading) -> Fit:
    """Return the best fit of places that are all moved by the same distance."""
    first = seen[0]
    alike = [one for one in seen if one.values.shape == first.values.shape]
    sums = [sum_at_shifts(one, reading, around=True) for one in alike]
    deviation = np.sqrt(sum(each.var(axis=(1, 2), keepdims=True) for each in sums))
    fit = (np.abs(sum(sums)) / np.maximum(deviation, 1e-9)).max(axis=0)
    row, column = np.unravel_index(int(fit.argmax()), fit.shape)
    (height, width), (tall, wide) = fit.shape, first.shape
    moved = (
        (column if column <= width // 2 else column - width) * wide / width,
        (row if row <= height // 2 else row - height) * tall / height,
    )
    return Fit(reading, float(fit[row, column]), (float(moved[0]), float(moved[1])))
