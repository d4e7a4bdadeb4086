"""Responses to blobs and to templates: what detectors look for maxima in."""

import cv2
import numpy as np

from deepcryopicker.preprocessing.operators.restore import gaussian
from deepcryopicker.types import Image

_RATIO = 1.6  # of the two sigmas: the usual stand-in for the Laplacian of a Gaussian
# Where the image is flat, any trace of structure would correlate perfectly with something.
_FLAT = 0.15  # of the image's median deviation


def difference_of_gaussians(image: Image, sigma: float) -> Image:
    """Respond to dark blobs on a brighter ground: wide minus narrow blur.

    Parameters
    ----------
    image : (H, W) float32
    sigma : float
        Of the narrow Gaussian, pixels; the other one is 1.6 times as wide. A disc responds most
        at its centre if its radius is about 1.8 sigma.
    """
    return gaussian(image, _RATIO * sigma) - gaussian(image, sigma)


def correlate(
    image: Image, template: Image, radius: float, deviation: Image | None = None
) -> Image:
    """Correlate an image with a template inside a disc, both normalised there.

    This is the correlation coefficient of the template with the image's disc around each
    pixel, but for a small constant in the denominator that keeps it near zero where the image is
    flat. The image is mirrored at its edges.

    Parameters
    ----------
    image : (H, W) float32
    template : (S, S) float32
        S is odd.
    radius : float
        Of the disc, pixels, at most ``S // 2``.
    deviation : (H, W) float32, optional
        The image's :func:`disc_deviation`, for callers that have several templates.

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
    """Norm of the image's deviations from their mean in the disc around each pixel, (H, W).

    It is raised by the small constant of :func:`correlate`; `size` is that of its templates.
    """
    disc = disc_mask(size, radius)
    pixels = float(disc.sum())
    deviation = np.sqrt(pixels * np.maximum(_local_variance(image, disc / pixels), 0.0))
    raised = deviation + max(_FLAT * float(np.median(deviation)), 1e-3)
    return raised.astype(np.float32, copy=False)


def disc_mask(size: int, radius: float) -> Image:
    """Draw a centred disc: (size, size) float32, 1 inside and 0 outside."""
    offset = np.arange(size) - size // 2
    inside = np.hypot(offset[:, None], offset) <= radius
    return inside.astype(np.float32)


def _local_variance(image: Image, weights: Image) -> Image:
    mean = _filter(image, weights)
    return _filter(image * image, weights) - mean * mean


def _filter(image: Image, kernel: Image) -> Image:
    return cv2.filter2D(image, -1, kernel.astype(np.float32), borderType=cv2.BORDER_REFLECT_101)
