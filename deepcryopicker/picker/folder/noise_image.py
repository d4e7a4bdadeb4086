"""Images of noise alone, in which a picker finds what is surely no particle."""

from dataclasses import replace
from zlib import crc32

import cv2
import numpy as np
from scipy import fft

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.picker.function import Picker, in_order_of_mrc
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import NO_MARGINS, Image, Picks

_COARSE = 16  # pixels
_TINY = 1e-12
_SIDE = 16.0  # diameters: space for some two hundred candidates


def noise_like(preprocessed: Preprocessed) -> Preprocessed:
    """Return noise with the power spectrum of a micrograph, to be picked like it.

    The phases are random, so that nothing has the shape of a particle. Equal micrographs have equal
    noise, whatever they are called.

    Parameters
    ----------
    preprocessed : Preprocessed
        A micrograph.

    Returns
    -------
    Preprocessed
        Noise in place of the micrograph, at working scale, at most `_SIDE` diameters wide.
    """
    flat, diameter = preprocessed.flat, preprocessed.working_diameter
    noise = random_phases(flat.image, np.random.default_rng(_seed_of(flat.image)))
    side = max(round(_SIDE * diameter), 1)
    part = np.ascontiguousarray(noise[:side, :side])
    micrograph = replace(flat, image=part, scale=1.0, margins=NO_MARGINS)
    config = replace(preprocessed.config, save_stages=False)  # pictures are of the micrograph
    return Preprocessed(micrograph, diameter, config)


def pick_noise_like(
    picker: Picker, entry: Entry, preprocessed: Preprocessed
) -> tuple[Preprocessed, Picks]:
    """Return noise like a micrograph, its rows in the order that networks see, and its picks."""
    noise = noise_like(in_order_of_mrc(entry, preprocessed))
    return noise, picker(replace(entry, turned_over=False), noise)


def share_in_noise(shape: tuple[int, int], diameter: float) -> float:
    """Return the area of the noise that is picked over that of its micrograph.

    Parameters
    ----------
    shape : (int, int)
        H and W, pixels.
    diameter : float
        Pixels.
    """
    height, width = (min(_SIDE * diameter / side, 1.0) for side in shape)
    return height * width


def _seed_of(image: Image) -> int:
    """Return a seed that depends on an image, but not on its last digits."""
    coarse = cv2.resize(image, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA)
    return crc32(np.packbits(coarse > np.median(coarse)).tobytes())


def random_phases(image: Image, rng: np.random.Generator) -> Image:
    """Return Gaussian noise whose Fourier amplitudes are those of an image.

    Parameters
    ----------
    image : (H, W) float32
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) float32
        With mean 0.
    """
    amplitude = np.abs(fft.rfft2(image - image.mean()))
    # The phases of white noise, because those of a real image are symmetric.
    white = fft.rfft2(rng.standard_normal(image.shape, np.float32))
    noise = fft.irfft2(white * (amplitude / np.maximum(np.abs(white), _TINY)), s=image.shape)
    return noise.astype(np.float32)
