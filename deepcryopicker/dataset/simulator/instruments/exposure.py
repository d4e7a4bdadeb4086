"""From a specimen to an image: wave, lenses, dose and detector."""

from dataclasses import dataclass

import numpy as np
from scipy import constants, fft

from deepcryopicker.types import Image


@dataclass(frozen=True)
class Exposure:
    """How a micrograph is taken.

    Attributes
    ----------
    kilovolts : float
    aberration : float
        Spherical, millimetre.
    defocus, astigmatism : float
        Mean underfocus, and half the difference of its principal values, micrometre.
    angle : float
        Direction of the larger underfocus, radian from the x axis towards y.
    amplitude : float
        Amplitude contrast of particles: sine of the phase of their complex transmission.
    envelope : float
        B-factor of the wave's envelope ``exp(-B q^2 / 4)``, square Angstrom.
    dose : float
        Electrons per square Angstrom.
    efficiency : float
        Detective quantum efficiency; noise is that of ``dose * efficiency`` counted electrons.
    """

    kilovolts: float
    aberration: float
    defocus: float
    astigmatism: float
    angle: float
    amplitude: float
    envelope: float
    dose: float
    efficiency: float


def wavelength(kilovolts: float) -> float:
    """Return the relativistic wavelength of electrons, Angstrom: 0.0197 at 300 kV."""
    energy = kilovolts * 1e3 * constants.e
    rest = constants.m_e * constants.c**2
    return float(constants.h * constants.c / np.sqrt(energy * (2 * rest + energy)) * 1e10)


def expected_image(
    phase: Image, particles: Image, loss: Image, pixel: float, exposure: Exposure
) -> Image:
    """Compute the relative intensity of the image of a specimen.

    The wave behind the specimen is ``exp(i phi - a phi_p - m / 2)``; the lenses multiply its
    Fourier transform by ``exp(i chi - B q^2 / 4)`` with
    ``chi = pi lambda q^2 (df + A cos(2 (theta - alpha))) - pi / 2 Cs lambda^3 q^4`` (Kirkland 2010,
    Advanced Computing in Electron Microscopy, chapter 3; underfocus is positive); the intensity is
    the squared modulus. To first order it is ``1 - m - 2 phi sin(chi + arctan a)``, so a particle
    close to focus has a contrast of twice its phase times the amplitude contrast. Strong objects,
    such as crystals and the edges of films, have their Fresnel fringes.

    Parameters
    ----------
    phase : (H, W) float32
        Phase shift ``phi`` of all but the particles, radian.
    particles : (H, W) float32
        Phase shift ``phi_p`` of the particles, radian; added to ``phi``.
    loss : (H, W) float32
        Mean free paths ``m``.
    pixel : float
        Angstrom.
    exposure : Exposure

    Returns
    -------
    (H, W) float32
        One where there is nothing.
    """
    height, width = phase.shape
    ratio = exposure.amplitude / np.sqrt(1 - exposure.amplitude**2)
    exponent = np.empty(phase.shape, np.complex64)
    exponent.real = -np.float32(ratio) * particles - loss / 2
    exponent.imag = phase + particles
    rows = fft.fftfreq(height, pixel).astype(np.float32)[:, None]
    columns = fft.fftfreq(width, pixel).astype(np.float32)[None]
    squared = rows**2 + columns**2
    length = wavelength(exposure.kilovolts)
    # cos(2 (theta - alpha)) q^2, without an angle that is undefined at the origin.
    double = 2 * exposure.angle
    elliptic = (columns**2 - rows**2) * np.cos(double) + 2 * rows * columns * np.sin(double)
    defocus = 1e4 * (exposure.defocus * squared + exposure.astigmatism * elliptic)
    chi = np.pi * length * defocus
    chi -= np.pi / 2 * exposure.aberration * 1e7 * length**3 * squared**2
    lenses = np.empty(phase.shape, np.complex64)
    lenses.real = -exposure.envelope / 4 * squared
    lenses.imag = chi
    wave = fft.ifft2(fft.fft2(np.exp(exponent)) * np.exp(lenses))
    return np.asarray(wave.real**2 + wave.imag**2, np.float32)


def drifted(image: Image, length: float, angle: float) -> Image:
    """Average an image over a drift of constant speed during the exposure.

    Parameters
    ----------
    image : (H, W) float32
    length : float
        Pixels.
    angle : float
        Radian, from the x axis towards y.
    """
    height, width = image.shape
    rows, columns = fft.fftfreq(height)[:, None], fft.rfftfreq(width)
    blur = np.sinc(length * (columns * np.cos(angle) + rows * np.sin(angle)))
    spectrum = fft.rfft2(image) * blur.astype(np.float32)
    return np.asarray(fft.irfft2(spectrum, s=image.shape), np.float32)


def count(image: Image, pixel: float, exposure: Exposure, rng: np.random.Generator) -> Image:
    """Draw the electrons that a detector counts, relative to those of the empty beam.

    Parameters
    ----------
    image : (H, W) float32
        Expected relative intensity.
    pixel : float
        Angstrom.
    exposure : Exposure
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) float32
    """
    full = exposure.dose * exposure.efficiency * pixel**2
    return (rng.poisson(np.maximum(image, 0) * full) / full).astype(np.float32)
