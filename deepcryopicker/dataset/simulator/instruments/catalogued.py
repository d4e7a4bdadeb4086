"""Instruments by name: camera or film, export, and the size at which a particle is seen."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepcryopicker.dataset.simulator import finish
from deepcryopicker.dataset.simulator.instruments import cameras, export
from deepcryopicker.types import Image

Process = Callable[[Image, float, np.random.Generator], Image]


@dataclass(frozen=True)
class Instrument:
    """A microscope's camera with the program that stored its micrographs.

    Attributes
    ----------
    share : float
        Of the micrographs of `varied`; the shares of all instruments add up to one.
    efficiency : (float, float)
        Range of the detective quantum efficiency.
    process : callable or None
        Turns the counted image (H, W) into the stored one, of grey values in [0, 255]; also given
        the diameter of the particles in pixels, and a generator. None: that of `finish`, which
        may pad the edges.
    diameters : (float, float)
        Range of the diameter of the particles, pixels: binned pictures are small.
    aspect : float
        Width over height.
    binned : bool
        Whether pixels are averages of several of the camera's.
    """

    share: float
    efficiency: tuple[float, float]
    process: Process | None
    diameters: tuple[float, float] = (16.0, 34.0)
    aspect: float = 1.0
    binned: bool = False

    def store(self, image: Image, diameter: float, rng: np.random.Generator) -> tuple[Image, int]:
        """Return the stored image and the width of its padded border, pixels."""
        if self.process is None:
            return finish.store(image, diameter, rng)
        return self.process(image, diameter, rng), 0


def _counting(image: Image, diameter: float, rng: np.random.Generator) -> Image:
    if rng.uniform() < 0.15:
        image = cameras.bad_pixels(image, rng)
    return export.between_percentiles(image, 0.0)


def _k3(image: Image, diameter: float, rng: np.random.Generator) -> Image:
    if rng.uniform() < 0.5:
        image = cameras.gain_errors(image, rng)
    return _counting(image, diameter, rng)


def _ccd(image: Image, diameter: float, rng: np.random.Generator) -> Image:
    image = cameras.scintillator(image, rng)
    if rng.uniform() < 0.5:
        image = cameras.gain_errors(image, rng)
    if rng.uniform() < 0.3:
        image = cameras.bad_pixels(image, rng)
    return np.round(export.between_percentiles(image, rng.choice([0.0, 0.01, 0.1])))


def _film(image: Image, diameter: float, rng: np.random.Generator) -> Image:
    image = cameras.scanned_film(image, diameter, rng)
    return np.round(export.between_percentiles(image, rng.choice([0.0, 0.1, 1.0])))


INSTRUMENTS = {
    "any": Instrument(0.36, (0.25, 0.9), None),
    "counting": Instrument(0.14, (0.5, 0.9), _counting),
    "k3": Instrument(0.1, (0.6, 0.9), _k3, aspect=5760 / 4092),
    "ccd": Instrument(0.08, (0.2, 0.5), _ccd),
    "film": Instrument(0.06, (0.25, 0.5), _film),
    "leginon": Instrument(0.1, (0.4, 0.9), export.leginon, (10.0, 24.0), 1.04, True),
    "epu": Instrument(0.08, (0.4, 0.9), export.epu, (12.0, 30.0), binned=True),
    "processed": Instrument(0.08, (0.25, 0.9), export.processed),
}
"""``any`` is a random choice of denoising, grey values, rounding and padding (`finish`)."""
