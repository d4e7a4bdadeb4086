"""Image formation: from the phase shifts of the electron wave to counted electrons."""

import numpy as np
import numpy.typing as npt
import torch
import torch_ctf
from scipy import fft

from deepcryopicker.types import Image

VOLTAGE = 300.0
"""Kilovolt."""
SPHERICAL_ABERRATION = 2.7
"""Millimetre."""
AMPLITUDE_CONTRAST = 0.1
ENVELOPE = 120.0
"""B-factor of the envelope, square Angstrom."""


def transfer_function(
    shape: tuple[int, int],
    pixel_size: float,
    defocus: float,
    astigmatism: float = 0.0,
    angle: float = 0.0,
) -> Image:
    """Compute the contrast transfer function times its envelope ``exp(-B q^2 / 4)``.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the image.
    pixel_size : float
        Angstrom per pixel.
    defocus : float
        Micrometre, positive is underfocus.
    astigmatism : float
        Half the difference of the two principal defocus values, micrometre.
    angle : float
        Direction of the larger defocus, degrees from the x axis towards y.

    Returns
    -------
    (H, W // 2 + 1) float32
        In the layout of ``rfft2``. `AMPLITUDE_CONTRAST` at the origin, positive up to the first
        zero.
    """
    height, width = shape
    ctf = torch_ctf.calculate_ctf_2d(
        defocus=defocus,
        astigmatism=astigmatism,
        astigmatism_angle=angle,
        voltage=VOLTAGE,
        spherical_aberration=SPHERICAL_ABERRATION,
        amplitude_contrast=AMPLITUDE_CONTRAST,
        phase_shift=0.0,
        pixel_size=pixel_size,
        image_shape=shape,
        rfft=True,
        fftshift=False,
    )
    rows = torch.fft.fftfreq(height, pixel_size)[:, None]
    columns = torch.fft.rfftfreq(width, pixel_size)[None]
    envelope = torch.exp(-ENVELOPE / 4 * (rows**2 + columns**2))
    return (ctf * envelope).numpy().astype(np.float32)


def phase_contrast(phase: Image, transfer: Image) -> Image:
    """Convert the phase shifts of a thin specimen to relative intensity changes.

    Parameters
    ----------
    phase : (H, W) float32
        Radian, positive where the specimen is denser than the ice.
    transfer : (H, W // 2 + 1) float32
        From :func:`transfer_function`.

    Returns
    -------
    (H, W) float32
        Intensity is ``1 + contrast``: negative, so dark, where the specimen is dense.
    """
    spectrum = fft.rfft2(np.asarray(phase, np.float32)) * transfer
    return np.asarray(-2 * fft.irfft2(spectrum, s=phase.shape), np.float32)


def count_electrons(expected: npt.NDArray[np.floating], rng: np.random.Generator) -> Image:
    """Draw the electron count of every pixel from its expected value.

    Parameters
    ----------
    expected : (H, W) float
        Electrons per pixel. Negative values, which occur for strong phase objects in the linear
        approximation, count as zero.
    rng : numpy.random.Generator
        Source of the Poisson noise.

    Returns
    -------
    (H, W) float32
        Whole numbers.
    """
    return rng.poisson(np.maximum(expected, 0)).astype(np.float32)
