"""Signal-to-noise ratio of the particles of a micrograph."""

import cv2
import numpy as np
import numpy.typing as npt

from deepcryopicker.evaluation.protocols.painting import paint
from deepcryopicker.types import Image

_OUTLIER = 4.0  # robust standard deviations


def signal_to_noise(image: Image, x: npt.ArrayLike, y: npt.ArrayLike, diameter: float) -> float:
    """Estimate the signal-to-noise ratio of the particles in a micrograph.

    The background (a Gaussian of 1.5 diameters) is subtracted. ``power`` is the variance of the
    pixels inside discs of one particle diameter around the particles, ``noise`` the variance of
    the pixels 0.75 to 1.5 diameters from the nearest particle. Carbon film and crystals farther
    away are contamination rather than noise and are excluded, as are outliers beyond four robust
    standard deviations. The ratio is ``(power - noise) / noise``.

    The estimate has limits:

    - particles that are not listed count as noise, so the truth has to be complete;
    - a variance excludes the mean darkness of the particles: only structure within the discs, and
      differences between them, count. A uniformly dark disc has a ratio near 0;
    - thicker ice or carbon counts as signal under the particles and as noise elsewhere;
    - binning removes noise, so compare only at equal pixel size;
    - the ratio can be slightly negative if nothing is visible.

    Parameters
    ----------
    image : (H, W) float32
        Without invalid borders, which would count as background.
    x, y : (N,) array_like
        All particle centres, pixels of `image` (working pixels).
    diameter : float
        Particle diameter, pixels of `image`.

    Returns
    -------
    float
        Ratio of powers, not dB; nan without particles, background or noise.
    """
    shape = (image.shape[0], image.shape[1])
    x, y = np.atleast_1d(np.asarray(x, np.float64)), np.atleast_1d(np.asarray(y, np.float64))
    inside = paint(shape, x, y, diameter / 2.0)
    outside = paint(shape, x, y, 1.5 * diameter) & ~paint(shape, x, y, 0.75 * diameter)
    if not inside.any() or not outside.any():
        return float("nan")
    background = cv2.GaussianBlur(
        image.astype(np.float32), (0, 0), 1.5 * diameter, borderType=cv2.BORDER_REFLECT
    )
    flat = image.astype(np.float64) - background
    power, noise = float(flat[inside].var()), _noise(flat[outside])
    return (power - noise) / noise if noise > 0.0 else float("nan")


def _noise(values: npt.NDArray[np.float64]) -> float:
    """Compute the variance without outliers."""
    centred = values - np.median(values)
    deviation = 1.4826 * float(np.median(np.abs(centred)))
    kept = centred[np.abs(centred) <= _OUTLIER * deviation]
    return float(kept.var()) if len(kept) else 0.0
