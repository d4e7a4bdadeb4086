"""Windows of the given picks of a dataset, and of random places between them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from deepcryopicker.config.options import read_option
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.detection.windows import cut
from deepcryopicker.frames import to_working
from deepcryopicker.io.console import track
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Floats, Image, Picks

SMALLEST, LARGEST = 24.0, 40.0
"""Particle diameters in windows, pixels: smaller particles are enlarged, larger ones reduced."""
_SIDE = 1.5  # diameters
_RANDOM_SHARE, _FEWEST_RANDOM = 0.25, 12  # of the picks of a micrograph
_ATTEMPTS = 20  # places tried for each random one


@dataclass(frozen=True)
class PickedWindows:
    """Windows of all picks, particles positive.

    Attributes
    ----------
    entries : tuple of Entry
        Micrographs with picks, in order.
    picks : tuple of Picks
        Of each, in the frame of the entry.
    windows : (N, S, S) float16
        Of all picks, in this order.
    elsewhere : (R, S, S) float16
        Of random places at least a diameter from every pick.
    diameter : float
        Of the particles, pixels of the windows.
    scales : (M,) float64
        Pixels of the windows per pixel of each micrograph.
    pixel_sizes : tuple of (float or None)
        Of each micrograph, Angstrom.
    heights : tuple of int
        H of each micrograph, pixels.
    """

    entries: tuple[Entry, ...]
    picks: tuple[Picks, ...]
    windows: npt.NDArray[np.float16]
    elsewhere: npt.NDArray[np.float16]
    diameter: float
    scales: Floats
    pixel_sizes: tuple[float | None, ...]
    heights: tuple[int, ...]

    @property
    def pixel_size(self) -> float | None:
        """Of the windows, Angstrom: the median; None if one is unknown."""
        sizes = [size for size in self.pixel_sizes if size is not None]
        if len(sizes) < len(self.pixel_sizes):
            return None
        return float(np.median(np.array(sizes) / self.scales))


@dataclass(frozen=True)
class _Cut:
    picks: Picks
    windows: npt.NDArray[np.float16]
    elsewhere: npt.NDArray[np.float16]
    scale: float
    pixel_size: float | None
    height: int


def cut_dataset(entries: Sequence[Entry], seed: int, run: Run) -> PickedWindows:
    """Cut the windows of all given picks: about seven kilobytes of memory for each.

    One micrograph is held at a time.

    Parameters
    ----------
    entries : sequence of Entry
        Those with picks, all with a particle diameter.
    seed : int
        Of the random places.
    run : Run
        Micrographs that cannot be read are listed in its ``failures.csv``.
    """
    sizes = (run.attempt("cut", one.name, one.path, partial(_size, one)) for one in entries)
    size = next((each for each in sizes if each is not None), None)
    run.require(size is not None, "cutting windows")
    chain = _chain(size or LARGEST)

    def work(entry: Entry, number: int) -> _Cut:
        micrograph, given = entry.load(), entry.load_truth()
        preprocessed = Preprocessed(micrograph, entry.particle_diameter(micrograph), chain)
        blank = given is None or preprocessed.is_blank
        picks = Picks.empty() if blank or given is None else given[0]
        rng = np.random.default_rng([seed, number])
        windows, elsewhere = (each.astype(np.float16) for each in cut_one(preprocessed, picks, rng))
        elsewhere = elsewhere[:0] if preprocessed.is_blank else elsewhere
        scale, height = preprocessed.flat.scale, micrograph.image.shape[0]
        return _Cut(picks, windows, elsewhere, scale, micrograph.pixel_size, height)

    done: dict[int, _Cut] = {}
    for number, entry in enumerate(track(list(entries), "cutting windows of")):
        one = run.attempt("cut", entry.name, entry.path, partial(work, entry, number))
        if one is not None:
            done[number] = one
    run.require(len(done), "cutting windows")
    found = list(done.values())
    return PickedWindows(
        tuple(entries[number] for number in done),
        tuple(one.picks for one in found),
        np.concatenate([one.windows for one in found]),
        np.concatenate([one.elsewhere for one in found]),
        chain.working_diameter,
        np.array([one.scale for one in found]),
        tuple(one.pixel_size for one in found),
        tuple(one.height for one in found),
    )


def cut_one(
    preprocessed: Preprocessed, picks: Picks, rng: np.random.Generator
) -> tuple[Image, Image]:
    """Cut the windows of the picks of a micrograph, and of random places between them.

    Returns
    -------
    (N, S, S), (R, S, S) float32
        Particles positive.
    """
    flat, diameter = preprocessed.flat, preprocessed.working_diameter
    side = 2 * round(_SIDE * diameter / 2)
    places = np.column_stack([to_working(each, flat.scale) for each in (picks.x, picks.y)])
    number = max(int(_RANDOM_SHARE * len(picks)), _FEWEST_RANDOM)
    others = places_between(places, flat.image.shape, diameter, number, rng)
    return -cut(flat.image, places, side, "mean"), -cut(flat.image, others, side, "mean")


def places_between(
    places: Floats, shape: tuple[int, ...], diameter: float, number: int, rng: np.random.Generator
) -> Floats:
    """Choose random places at least a diameter from given ones, and half of one from the edge.

    Parameters
    ----------
    places : (N, 2) float64
        (x, y), pixels.
    shape : (int, int)
        H and W of the image.
    diameter : float
        Pixels.
    number : int
        Most places; fewer where given ones leave little space.
    rng : Generator

    Returns
    -------
    (R, 2) float64
    """
    height, width = shape
    low, high = diameter / 2, np.maximum(np.array([width, height]) - diameter / 2, diameter / 2)
    tried = rng.uniform(low, high, (_ATTEMPTS * number, 2))
    if len(places):
        tried = tried[cKDTree(places).query(tried)[0] >= diameter]
    return tried[:number]


def _size(entry: Entry) -> float:
    return entry.particle_diameter(entry.load())


def _chain(size: float) -> PreprocessingConfig:
    """Preprocess so that particles of `size` pixels are neither enlarged nor large."""
    return replace(
        read_option("preprocessing", "default"),
        working_diameter=float(np.clip(size, SMALLEST, LARGEST)),
    )
