"""Carbon film around the hole, ice crystals, and the ice itself."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from deepcryopicker.types import Floats, Image

CARBON_SHARE = 0.2
"""Fraction of micrographs that show the edge of the carbon film."""
LUMPS = 10
"""Number of balls that form one ice crystal."""


@dataclass(frozen=True)
class Carbon:
    """The carbon film outside a round hole.

    Attributes
    ----------
    x, y, radius : float
        Centre and radius of the hole, pixels; the centre may lie outside the image.
    """

    x: float
    y: float
    radius: float

    def depth(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
        """Return the distance from the edge of the carbon, pixels; negative within the hole."""
        return np.hypot(np.asarray(x) - self.x, np.asarray(y) - self.y) - self.radius

    def moved(self, shift: float) -> Self:
        """Return the film in a frame whose origin lies `shift` pixels up and left."""
        return replace(self, x=self.x + shift, y=self.y + shift)


@dataclass(frozen=True)
class Crystals:
    """Ice crystals and other compact contamination.

    Attributes
    ----------
    x, y, diameter : (N,) float64
        Pixels.
    """

    x: Floats
    y: Floats
    diameter: Floats

    def moved(self, shift: float) -> Self:
        """Return the crystals in a frame whose origin lies `shift` pixels up and left."""
        return replace(self, x=self.x + shift, y=self.y + shift)


def draw_carbon(shape: tuple[int, int], rng: np.random.Generator) -> Carbon:
    """Draw a hole that contains the whole image or, for `CARBON_SHARE`, whose edge crosses it.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the image, pixels.
    rng : numpy.random.Generator
    """
    height, width = shape
    direction = rng.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(direction), np.sin(direction)
    # From the centre of the image to its border in this direction.
    extent = (width * abs(cosine) + height * abs(sine)) / 2
    edge = extent * rng.uniform(0.55, 0.85)
    radius = rng.uniform(1.0, 2.0) * max(shape)
    away = edge - radius
    if rng.uniform() >= CARBON_SHARE:
        away, radius = 0.0, 2.0 * max(shape)
    return Carbon((width - 1) / 2 + away * cosine, (height - 1) / 2 + away * sine, radius)


def draw_crystals(shape: tuple[int, int], diameter: float, rng: np.random.Generator) -> Crystals:
    """Draw zero to four crystals, clearly smaller or larger than the particles.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the image, pixels.
    diameter : float
        Of the particles, pixels.
    rng : numpy.random.Generator
    """
    height, width = shape
    count = int(rng.integers(0, 5))
    size = np.where(
        rng.uniform(size=count) < 0.5,
        rng.uniform(0.35, 0.6, count),
        rng.uniform(1.5, 2.3, count),
    )
    x, y = rng.uniform(0, width - 1, count), rng.uniform(0, height - 1, count)
    return Crystals(x, y, size * diameter)


def crystal_map(crystals: Crystals, shape: tuple[int, int], rng: np.random.Generator) -> Image:
    """Return the thickness of the crystals at every pixel, in units of their diameter.

    A crystal is a set of overlapping balls within its diameter.

    Parameters
    ----------
    crystals : Crystals
        In pixels of the grid.
    shape : (int, int)
        Height and width of the grid.
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) float32
        0 outside the crystals, up to 1 at their centre.
    """
    height, width = shape
    thickness = np.zeros(shape, np.float32)
    for x, y, diameter in zip(crystals.x, crystals.y, crystals.diameter, strict=True):
        top, left = max(int(y - diameter), 0), max(int(x - diameter), 0)
        window = np.s_[top : min(int(y + diameter), height), left : min(int(x + diameter), width)]
        rows, columns = np.ogrid[window]
        for _ in range(LUMPS):
            radius = diameter * rng.uniform(0.22, 0.34)
            away, angle = diameter / 2 - radius, rng.uniform(0, 2 * np.pi)
            squared = (columns - x - away * np.cos(angle)) ** 2 + (
                rows - y - away * np.sin(angle)
            ) ** 2
            ball = np.sqrt(np.maximum(radius**2 - squared, 0)) / diameter
            np.maximum(thickness[window], 2 * ball, out=thickness[window])
    return ndimage.gaussian_filter(thickness, 1.0)


def film(carbon: Carbon, shape: tuple[int, int], rng: np.random.Generator) -> Image:
    """Draw the thickness of the carbon film at every pixel, relative to its mean.

    Parameters
    ----------
    carbon : Carbon
        In pixels of the grid.
    shape : (int, int)
        Height and width of the grid.
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) float32
        0 within the hole, about 1 and slowly varying on the film, with an edge of a few pixels.
    """
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    depth = carbon.depth(columns, rows)
    coarse = rng.normal(1, 0.08, (shape[0] // 64 + 2, shape[1] // 64 + 2))
    clouds = ndimage.zoom(coarse, 64, order=1)[: shape[0], : shape[1]]
    return (clouds * np.clip(depth / 6 + 0.5, 0, 1)).astype(np.float32)


def ice_thickness(shape: tuple[int, int], rng: np.random.Generator) -> Image:
    """Draw the ice thickness, which increases to one side and towards the edge of the hole.

    Returns
    -------
    (H, W) float32
        Thickness relative to its mean, about 0.75 to 1.25.
    """
    height, width = shape
    rows, columns = np.ogrid[-1 : 1 : 1j * height, -1 : 1 : 1j * width]
    angle, tilt = rng.uniform(0, 2 * np.pi), rng.uniform(0.03, 0.15)
    slope = tilt * (columns * np.cos(angle) + rows * np.sin(angle))
    bowl = rng.uniform(0, 0.06) * (columns**2 + rows**2 - 2 / 3)
    return (1 + slope + bowl).astype(np.float32)
