"""Filter responses to blobs and to templates, whose maxima are detections."""

import cv2
import numpy as np

from deepcryopicker.preprocessing.operators.restore import gaussian
from deepcryopicker.types import Image

_RATIO = 1.6  # of the two sigmas: the usual approximation of the Laplacian of a Gaussian
# Prevents high correlations in flat regions, where any trace of structure fits some template.
_FLAT = 0.15  # of the median deviation of the image


def difference_of_gaussians(image: Image, sigma: float) -> Image:
    """Return the response to dark blobs on a brighter background: wide minus narrow blur.

    Parameters
    ----------
    image : (H, W) float32
    sigma : float
        Of the narrow Gaussian, pixels; the wide one has 1.6 sigma. The response at the centre of
        a disc is largest for a radius of about 1.8 sigma.
    """
    return gaussian(image, _RATIO * sigma) - gaussian(image, sigma)


def correlate(
    image: Image, template: Image, radius: float, deviation: Image | None = None
) -> Image:
    """Correlate an image with a template inside a disc, both normalised there.

    The result is the correlation coefficient of the template with the disc around each pixel,
    except for a small constant in the denominator that suppresses flat regions. The image is
    mirrored at its edges.

    Parameters
    ----------
    image : (H, W) float32
    template : (S, S) float32
        S is odd.
    radius : float
        Of the disc, pixels, at most ``S // 2``.
    deviation : (H, W) float32, optional
        :func:`disc_deviation` of the image, to be shared between several templates.

    Returns
    -------
    (H, W) float32 in [-1, 1]
    """
    disc = disc_mask(template.shape[0], radius)
    centred = (template - (template * disc).sum() / float(disc.sum())) * disc
    centred /= max(float(np.sqrt((centred**2).sum())), 1e-12)
    if deviation is None:
        deviation = disc_deviation(image, template.shape[0], radius)
    return (_filter(image, centred) / deviation).astype(np.float32, copy=False)


def disc_deviation(image: Image, size: int, radius: float) -> Image:
    """Return the norm of the deviations from the mean in the disc around each pixel.

    Parameters
    ----------
    image : (H, W) float32
    size : int
        Side of the templates, pixels, odd.
    radius : float
        Of the disc, pixels, at most ``size // 2``.

    Returns
    -------
    (H, W) float32
        Includes the small constant of :func:`correlate`.
    """
    disc = disc_mask(size, radius)
    pixels = float(disc.sum())
    deviation = np.sqrt(pixels * np.maximum(_local_variance(image, disc / pixels), 0.0))
    raised = deviation + max(_FLAT * float(np.median(deviation)), 1e-3)
    return raised.astype(np.float32, copy=False)


def disc_mask(size: int, radius: float) -> Image:
    """Return a centred disc, (size, size) float32, 1 inside and 0 outside."""
    offset = np.arange(size) - size // 2
    inside = np.hypot(offset[:, None], offset) <= radius
    return inside.astype(np.float32)


def _local_variance(image: Image, weights: Image) -> Image:
    mean = _filter(image, weights)
    return _filter(image * image, weights) - mean * mean


def _filter(image: Image, kernel: Image) -> Image:
    return cv2.filter2D(image, -1, kernel.astype(np.float32), borderType=cv2.BORDER_REFLECT_101)
