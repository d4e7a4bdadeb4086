"""What programs do to micrographs: binned 8-bit pictures, high-pass, denoising, burnt-in text."""

import cv2
import numpy as np
from scipy import fft, ndimage

from deepcryopicker.dataset.simulator.finish import compressed, denoised, low_passed
from deepcryopicker.dataset.simulator.instruments.exposure import drifted
from deepcryopicker.dataset.simulator.surroundings.canvas import log_uniform
from deepcryopicker.types import Image


def averaged(image: Image) -> Image:
    """Multiply by the transfer function of binning: that of averaging over a pixel.

    The noise of binned counts is white again and is drawn afterwards.
    """
    rows = np.sinc(fft.fftfreq(image.shape[0]))[:, None]
    columns = np.sinc(fft.rfftfreq(image.shape[1]))
    return np.asarray(
        fft.irfft2(fft.rfft2(image) * (rows * columns).astype(np.float32), s=image.shape),
        np.float32,
    )


def eight_bits(image: Image, deviations: float) -> Image:
    """Map ``mean - d s`` to 0 and ``mean + d s`` to 255, clip and round.

    Parameters
    ----------
    image : (H, W) float32
    deviations : float
        ``d``; ``s`` is the standard deviation of the image.
    """
    spread = max(float(image.std()) * deviations, 1e-12)
    relative = (image - float(image.mean())) / spread
    return np.round(np.clip(127.5 + 127.5 * relative, 0, 255)).astype(np.float32)


def between_percentiles(image: Image, clipped: float) -> Image:
    """Map two percentiles, `clipped` at both ends, to 0 and 255, and clip."""
    low, high = np.percentile(image, [clipped, 100 - clipped])
    relative = (image - low) / max(float(high - low), 1e-12)
    return np.clip(255 * relative, 0, 255).astype(np.float32)


def leginon(image: Image, diameter: float, rng: np.random.Generator) -> Image:
    """Export as Leginon and Appion do: 8 bits, contrast by the standard deviation."""
    return eight_bits(image, rng.choice([2.5, 3.0, 4.0, 5.0, 6.0]))


def epu(image: Image, diameter: float, rng: np.random.Generator) -> Image:
    """Export as EPU does: 8 bits between percentiles, often JPEG, at times with a scale bar."""
    image = np.round(between_percentiles(image, rng.choice([0.0, 0.1, 0.5, 1.0])))
    if rng.uniform() < 0.5:
        image = with_text(image, rng)
    return compressed(image, int(rng.integers(60, 97))) if rng.uniform() < 0.6 else image


def processed(image: Image, diameter: float, rng: np.random.Generator) -> Image:
    """Filter for display: high-pass above one to six diameters, and low-pass or denoising."""
    if rng.uniform() < 0.7:
        image = high_passed(image, log_uniform(rng, 0.8, 6) * diameter)
    if rng.uniform() < 0.5:
        image = low_passed(image, diameter, log_uniform(rng, 3, 8))
    else:
        image = denoised(image, diameter, rng)
    return np.round(between_percentiles(image, rng.choice([0.0, 0.0, 0.1, 0.5])))


def high_passed(image: Image, scale: float) -> Image:
    """Subtract a Gaussian average of standard deviation `scale`, pixels."""
    return np.asarray(image - ndimage.gaussian_filter(image, scale), np.float32)


def with_text(image: Image, rng: np.random.Generator) -> Image:
    """Burn in a scale bar with its length, or a line of text at the edge, grey values 0 or 255."""
    height, width = image.shape
    size = max(height, width) / 1400 * rng.uniform(0.8, 2.0)
    thick = max(1, int(2 * size))
    ink = np.zeros(image.shape, np.uint8)
    left = int(width * rng.uniform(0.02, 0.3))
    low = int(height * rng.uniform(0.92, 0.98))
    if rng.uniform() < 0.5:
        right = left + int(width * rng.uniform(0.1, 0.3))
        cv2.rectangle(ink, (left, low), (right, low + 1 + 2 * thick), 255, -1)
        label, low = f"{rng.choice([20, 50, 100, 200, 500])} nm", low - 3 * thick
    else:
        label = (
            f"{rng.integers(60, 200)} kx  {rng.choice([120, 200, 300])} kV  "
            f"-{rng.uniform(0.5, 4):.1f} um  {rng.integers(1, 99):02d}en"
        )
    cv2.putText(ink, label, (left, low), cv2.FONT_HERSHEY_SIMPLEX, size, 255, thick)
    colour = float(rng.choice([0, 255]))
    return np.where(ink > 127, np.float32(colour), image)


def spoiled(image: Image, diameter: float, rng: np.random.Generator) -> Image:
    """Spoil a micrograph: drift, a shutter half open, saturation, a blank, or too few electrons."""
    way = rng.choice(["drift", "shutter", "saturated", "blank", "dark"])
    noise = rng.standard_normal(image.shape, np.float32)
    contrast = float(image.std())
    if way == "drift":
        image = drifted(image, rng.uniform(0.5, 4) * diameter, rng.uniform(0, np.pi))
        return np.asarray(image + rng.uniform(0.1, 1) * contrast * noise, np.float32)
    if way == "shutter":
        rows = np.arange(image.shape[0])[:, None] - rng.uniform(0.2, 0.8) * image.shape[0]
        lit = 1 / (1 + np.exp(-rows / (rng.uniform(0.1, 3) * diameter)))
        return np.asarray(image * lit, np.float32)
    if way == "saturated":
        return np.minimum(image, np.float32(np.quantile(image, rng.uniform(0.2, 0.7))))
    if way == "blank":
        return noise
    spots = rng.poisson(rng.uniform(0.03, 0.3), image.shape)
    return spots.astype(np.float32)
