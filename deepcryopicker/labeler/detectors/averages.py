"""Class averages of particles, used as templates."""

from dataclasses import dataclass

import cv2
import numpy as np

from deepcryopicker.types import Floats, Image

ANGLE_STEP = 15.0
"""Degrees between the orientations of side views that are searched."""


@dataclass(frozen=True)
class Template:
    """The average of one class of particles.

    Attributes
    ----------
    label : str
        ``top`` or ``side``.
    image : (S, S) float32
        Working pixels; S is odd and the centre is the middle pixel.
    angles : tuple of float
        Orientations to search, degrees from the x axis towards the y axis.
    """

    label: str
    image: Image
    angles: tuple[float, ...] = (0.0,)


def top_template(windows: Image) -> Template:
    """Average round particles rotationally.

    Parameters
    ----------
    windows : (N, S, S) float32
        Centred on particles; S is odd.
    """
    return Template("top", rotational_average(windows.mean(axis=0)))


def side_template(windows: Image, angles: Floats) -> Template:
    """Average square particles, rotated to the same orientation.

    The average of side views is symmetric top to bottom and left to right and is mirrored both
    ways, which reduces the noise of few windows.

    Parameters
    ----------
    windows : (N, S, S) float32
        Centred on particles; S is odd.
    angles : (N,) float64
        Degrees from the x axis towards the y axis along one pair of sides.
    """
    upright = [rotate(window, angle) for window, angle in zip(windows, angles, strict=True)]
    average = np.stack(upright).mean(axis=0)
    average = (average + average[::-1]) / 2.0
    average = (average + average[:, ::-1]) / 2.0
    return Template("side", average, tuple(np.arange(0.0, 180.0, ANGLE_STEP).tolist()))


def rotate(image: Image, degrees: float) -> Image:
    """Rotate about the centre so that the direction `degrees` maps to +x.

    Angles run from the x axis towards the y axis (downwards). (S, S) float32, S odd.
    """
    if degrees == 0.0:
        return image
    centre = image.shape[0] // 2
    matrix = cv2.getRotationMatrix2D((centre, centre), degrees, 1.0)
    return cv2.warpAffine(
        image, matrix, image.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )


def rotational_average(image: Image) -> Image:
    """Replace every pixel by the mean at its radius from the centre; (S, S) float32, S odd."""
    radius = _radius(image.shape[0])
    profile = radial_profile(image)
    return np.interp(radius, np.arange(len(profile)), profile).astype(np.float32)


def radial_profile(image: Image) -> Floats:
    """Return the mean at every whole radius from the middle pixel.

    A pixel contributes to the two nearest radii by linear interpolation.

    Parameters
    ----------
    image : (S, S) float32
        S is odd.

    Returns
    -------
    (S // 2 + 1,) float64
        Entry r is for a radius of r pixels; the corners beyond ``S // 2`` are ignored.
    """
    radius = _radius(image.shape[0]).ravel()
    below = radius.astype(int)
    share = radius - below
    ring = np.concatenate([below, below + 1])
    weight = np.concatenate([1.0 - share, share])
    value = np.tile(image.ravel().astype(np.float64), 2)
    length = image.shape[0] // 2 + 1
    total = np.bincount(ring, weight * value)[:length]
    return total / np.bincount(ring, weight)[:length]


def _radius(size: int) -> Floats:
    offset = np.arange(size) - size // 2
    return np.hypot(offset[:, None], offset)
