"""Images of noise alone, in which a picker finds what is surely no particle."""

from collections.abc import Callable
from dataclasses import replace
from zlib import crc32

import cv2
import numpy as np
from scipy import fft

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.pasting.radial import radial_mean
from deepcryopicker.detection.windows import cut
from deepcryopicker.frames import to_working
from deepcryopicker.picker.function import Picker, in_order_of_mrc, picks_in_order_of_mrc
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import NO_MARGINS, Floats, Image, Picks

_COARSE = 16  # pixels
_TINY = 1e-12
_SIDE = 16.0  # diameters: space for some two hundred candidates
_FEWEST_IN_NOISE, _QUANTILE = 20, 0.95  # candidates, and of their scores: particles lie above
_FEWEST, _MOST = 5, 1000  # particles that are averaged
_EXTENT = 0.9  # radius in diameters within which a particle differs from its surroundings
_PASSES, _PART = 3, 0.7  # of the average that a pass subtracts: neighbours in a crowd share it


def noise_like(preprocessed: Preprocessed, particles: Picks | None = None) -> Preprocessed:
    """Return noise with the power spectrum of a micrograph, to be picked like it.

    The phases are random, so that nothing has the shape of a particle. Equal micrographs have equal
    noise, whatever they are called.

    Parameters
    ----------
    preprocessed : Preprocessed
        A micrograph.
    particles : Picks, optional
        Original pixels. Their power is not that of noise and is taken out.

    Returns
    -------
    Preprocessed
        Noise in place of the micrograph, at working scale, at most `_SIDE` diameters wide.
    """
    flat, diameter = preprocessed.flat, preprocessed.working_diameter
    image = flat.image
    if particles is not None:
        x, y = (to_working(position, flat.scale) for position in (particles.x, particles.y))
        image = without_particles(image, np.column_stack([x, y]), diameter)
    side = max(round(_SIDE * diameter), 1)
    # Of almost the whole micrograph: transforms of a prime side are ten times as slow.
    height, width = (max(_fast_side(whole), min(whole, side)) for whole in image.shape)
    image = np.ascontiguousarray(image[:height, :width])
    noise = random_phases(image, np.random.default_rng(_seed_of(flat.image)))
    part = np.ascontiguousarray(noise[:side, :side])
    micrograph = replace(flat, image=part, scale=1.0, margins=NO_MARGINS)
    config = replace(preprocessed.config, save_stages=False)  # pictures are of the micrograph
    return Preprocessed(micrograph, diameter, config)


def find_in_noise(
    find: Callable[[Preprocessed], Picks], preprocessed: Preprocessed, found: Picks
) -> tuple[Preprocessed, Picks]:
    """Return noise like a micrograph, and what is found in it.

    Candidates that score higher than most in noise with the spectrum of the whole micrograph are
    taken out of the micrograph, and the noise is made again. Otherwise the noise of a crowd has
    the texture of particles, and networks find some in it.

    Parameters
    ----------
    find : callable
        From a preprocessed micrograph to its candidates.
    preprocessed : Preprocessed
        A micrograph.
    found : Picks
        Its candidates, original pixels.

    Returns
    -------
    Preprocessed
        The noise.
    Picks
        Its candidates, in its own pixels. The first noise and what is found in it, where too few
        candidates are found in it or stand out from it.
    """
    noise = noise_like(preprocessed)
    in_noise = find(noise)
    if len(in_noise) < _FEWEST_IN_NOISE:
        return noise, in_noise
    particles = found[found.score > np.quantile(in_noise.score, _QUANTILE)]
    if len(particles) < _FEWEST:
        return noise, in_noise
    noise = noise_like(preprocessed, particles)
    return noise, find(noise)


def pick_noise_like(
    picker: Picker, entry: Entry, preprocessed: Preprocessed, found: Picks
) -> tuple[Preprocessed, Picks]:
    """Return noise like a micrograph, its rows in the order that networks see, and its picks.

    Parameters
    ----------
    picker : callable
    entry : Entry
    preprocessed : Preprocessed
        A micrograph.
    found : Picks
        Its candidates, original pixels, in the frame of its file.
    """
    in_order = in_order_of_mrc(entry, preprocessed)
    found = picks_in_order_of_mrc(entry, found, len(preprocessed.micrograph.image))
    as_seen = replace(entry, turned_over=False)
    return find_in_noise(lambda noise: picker(as_seen, noise), in_order, found)


def without_particles(image: Image, centres: Floats, diameter: float) -> Image:
    """Subtract the radial mean of particles from an image, at every particle.

    Parameters
    ----------
    image : (H, W) float32
    centres : (N, 2) float64
        (x, y), pixels.
    diameter : float
        Pixels.

    Returns
    -------
    (H, W) float32
    """
    half = max(round(_EXTENT * diameter), 1)
    offset = np.arange(-half, half + 1)
    radius = np.hypot(offset, offset[:, None])
    height, width = image.shape
    column, row = np.floor(centres + 0.5).astype(int).T  # as windows are cut
    places = np.zeros_like(image)
    np.add.at(places, (row.clip(0, height - 1), column.clip(0, width - 1)), 1.0)
    # In an order of their own, so that sums do not depend on that of the scores.
    averaged = centres[np.lexsort(centres.T)][:: -(-len(centres) // _MOST)]
    for _ in range(_PASSES):
        mean = cut(image, averaged, 2 * half + 1).mean(axis=0)
        profile = radial_mean(mean)
        profile -= profile[-1]  # of the surroundings
        average = np.interp(radius, np.arange(len(profile)), profile, right=0.0)
        image = image - _PART * cv2.filter2D(
            places, cv2.CV_32F, average.astype(np.float32), borderType=cv2.BORDER_CONSTANT
        )
    return image


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


def _fast_side(side: int) -> int:
    """Return the largest side, up to this one, whose Fourier transform is fast."""
    return next(one for one in range(side, 0, -1) if fft.next_fast_len(one, real=True) == one)


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
