"""Power spectra of micrographs, of the noise between particles, and noise of such a spectrum."""

from dataclasses import dataclass

import numpy as np
from scipy import fft

from deepcryopicker.dataset.pasting.radial import radial_mean
from deepcryopicker.dataset.pasting.views import Transfer, frequencies
from deepcryopicker.types import Floats, Image

_BLOCK = 2.0  # diameters: side of the blocks whose spectra are averaged
_QUIET = 0.15  # share of the blocks that hold the fewest particles
_FEWEST = 10  # blocks
_LEAST = 0.12
"""Smallest share of the whole power that is noise, however many particles there are."""


@dataclass(frozen=True)
class Spectrum:
    """Radial power spectrum: variance per pixel for white noise.

    Attributes
    ----------
    frequency : (K,) float64
        Cycles per particle diameter.
    power : (K,) float64
    """

    frequency: Floats
    power: Floats


def block_spectra(image: Image, density: Floats, diameter: float) -> tuple[Spectrum, Spectrum]:
    """Average the spectra of overlapping blocks: of all, and of those with the fewest particles.

    Welch's method (1967, IEEE Trans. Audio Electroacoust. 15:70) with a Hann window.

    Parameters
    ----------
    image : (H, W) float32
        Without invalid borders.
    density : (H, W) float64
        Expected particles per pixel.
    diameter : float
        Particle diameter, pixels.

    Returns
    -------
    Spectrum, Spectrum
    """
    side = min(2 * round(_BLOCK * diameter / 2), *image.shape)
    window = np.outer(np.hanning(side), np.hanning(side))
    window /= np.sqrt((window**2).mean())
    powers, crowds = [], []
    for top in range(0, image.shape[0] - side + 1, max(side // 2, 1)):
        for left in range(0, image.shape[1] - side + 1, max(side // 2, 1)):
            place = slice(top, top + side), slice(left, left + side)
            block = image[place]
            powers.append(np.abs(fft.fft2((block - block.mean()) * window)) ** 2 / side**2)
            crowds.append(density[place].mean())
    order = np.argsort(crowds, kind="stable")[: max(_FEWEST, round(_QUIET * len(crowds)))]
    every = np.array(powers)
    whole, quiet = (radial_mean(fft.fftshift(some.mean(axis=0))) for some in (every, every[order]))
    frequency = np.arange(len(whole)) * diameter / side
    return Spectrum(frequency, whole), Spectrum(frequency, quiet)


def noise_spectrum(
    whole: Spectrum,
    quiet: Spectrum,
    views: Image,
    transfer: Transfer,
    density: float,
    diameter: float,
) -> Spectrum:
    """Return the spectrum of the noise: what particles do not explain, or less in quiet blocks.

    Particles at independent places have the power of one times their number per pixel (Campbell's
    theorem); blocks between particles may hold some as well, in a crowd.

    Parameters
    ----------
    whole, quiet : Spectrum
        See :func:`block_spectra`.
    views : (N, D, D) float32
        Projections of the size that particles have in the micrographs.
    transfer : Transfer
    density : float
        Particles per pixel.
    diameter : float
        Pixels.
    """
    power = np.mean([radial_mean(fft.fftshift(np.abs(fft.fft2(one)) ** 2)) for one in views], 0)
    of_views = np.arange(len(power)) * diameter / views.shape[1]
    gain = np.interp(whole.frequency, transfer.frequency, transfer.value)
    signal = density * gain**2 * np.interp(whole.frequency, of_views, power)
    left = np.clip(whole.power - signal, _LEAST * whole.power, None)
    return Spectrum(whole.frequency, np.minimum(left, quiet.power))


def noise(
    spectrum: Spectrum, shape: tuple[int, int], diameter: float, rng: np.random.Generator
) -> Image:
    """Generate Gaussian noise of a spectrum.

    Parameters
    ----------
    spectrum : Spectrum
    shape : (H, W)
    diameter : float
        Particle diameter, pixels.
    rng : Generator

    Returns
    -------
    (H, W) float32
    """
    gain = np.sqrt(np.interp(frequencies(shape, diameter), spectrum.frequency, spectrum.power))
    white = fft.rfft2(rng.standard_normal(shape, np.float32))
    return np.asarray(fft.irfft2(white * gain, s=shape), np.float32)
