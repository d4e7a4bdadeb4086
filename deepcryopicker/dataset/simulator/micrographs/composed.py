"""Micrographs whose contrast follows from the specimen and the exposure."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import fft, ndimage

from deepcryopicker.dataset.simulator.debris import draw_debris
from deepcryopicker.dataset.simulator.forms import draw_form
from deepcryopicker.dataset.simulator.instruments import export
from deepcryopicker.dataset.simulator.instruments.catalogued import Instrument
from deepcryopicker.dataset.simulator.instruments.exposure import (
    Exposure,
    count,
    drifted,
    expected_image,
)
from deepcryopicker.dataset.simulator.junk import Carbon, Crystals
from deepcryopicker.dataset.simulator.micrographs.micrograph_kinds import (
    MicrographKind,
    Surroundings,
)
from deepcryopicker.dataset.simulator.micrographs.plans import Planned
from deepcryopicker.dataset.simulator.micrographs.randomised import Exposed
from deepcryopicker.dataset.simulator.micrographs.specimen import (
    form_mass,
    place_form,
    place_pieces,
    place_structure,
    resampled,
)
from deepcryopicker.dataset.simulator.placement import place
from deepcryopicker.dataset.simulator.surroundings import frozen_water, stain, support
from deepcryopicker.dataset.simulator.surroundings.canvas import Canvas, log_uniform
from deepcryopicker.dataset.structures.open_structure import open_structure
from deepcryopicker.dataset.structures.potential import Structure
from deepcryopicker.types import Floats, Image, Mask

_LEAST_SIGNAL = 7.0
_DRIFT_SHARE = 0.15
"""Fraction of micrographs that drifted by up to a quarter of a diameter."""
_LARGEST_DOSE = 150.0  # electrons per square Angstrom
_NOTHING = Carbon(0.0, 0.0, np.inf), Crystals(np.empty(0), np.empty(0), np.empty(0))


def expose_composed(
    shape: tuple[int, int],
    planned: Planned,
    kind: MicrographKind,
    instrument: Instrument,
    rng: np.random.Generator,
) -> Exposed:
    """Simulate a micrograph of a kind as an instrument sees it.

    Parameters
    ----------
    shape : (int, int)
        Height and width, pixels.
    planned : Planned
    kind : MicrographKind
        One that draws its surroundings.
    instrument : Instrument
    rng : numpy.random.Generator
    """
    if kind.draw is None:
        raise ValueError("a kind of random conditions has no surroundings")
    conditions, true = planned.conditions, planned.conditions.true_diameter
    structure = planned.structure and _scaled(planned.structure, true)
    pixel = structure.voxel if structure else conditions.angstrom / true
    mass = structure.mass if structure else form_mass(true * pixel, log_uniform(rng, 0.15, 0.6))
    exposure = draw_exposure(kind, instrument, rng)
    pad = int(np.ceil(true))  # as in `simulate`
    height, width = (fft.next_fast_len(length + 2 * pad) for length in shape)
    canvas = Canvas((height, width), pixel, true, exposure.kilovolts)
    window = np.s_[pad : pad + shape[0], pad : pad + shape[1]]
    around = kind.draw(canvas, mass, rng)

    centres = np.empty((0, 2))
    free = _free(around, true)[window]
    if kind.particles and free.any():
        places = place(shape, true, conditions.coverage, *_NOTHING, rng, conditions.spacing, free)
        centres = np.column_stack(places)
    other = rng.uniform(size=len(centres)) < conditions.debris
    form = draw_form(rng)
    shown = centres[~other] + pad
    if structure:
        placed = place_structure(structure, shown, canvas, rng)
    else:
        placed = place_form(form, shown, mass, conditions.blur, canvas, rng)
    soft = placed.phase + around.soft.phase
    for debris in draw_debris(form, centres[other] + pad, rng):
        soft += place_pieces(debris, mass, conditions.blur, canvas, rng)
    if kind.stained:
        image = _stained(soft, around, canvas, exposure, rng)
    else:
        image = _frozen(soft, around, canvas, exposure, rng)
    if rng.uniform() < _DRIFT_SHARE:
        length = log_uniform(rng, 0.02, 0.25) * true
        image = drifted(image, length, rng.uniform(0, np.pi))
    if instrument.binned:
        image = export.averaged(image)
    if not kind.stained:
        exposure = _visible(exposure, image, placed.phase, len(shown), canvas)
    image = count(image, pixel, exposure, rng)[window]
    if kind.stained:
        image = _particles_dark(image, centres[~other], true, rng)
    return Exposed(image, centres[~other], placed.label, pixel)


def draw_exposure(
    kind: MicrographKind, instrument: Instrument, rng: np.random.Generator
) -> Exposure:
    """Draw the exposure of a micrograph; of a hard kind, close to focus and of a low dose."""
    defocus = rng.uniform(0.3, 0.8) if kind.hard else log_uniform(rng, 0.5, 4)
    if kind.stained:
        defocus = log_uniform(rng, 0.3, 2)
    return Exposure(
        kilovolts=float(rng.choice([300, 200, 120], p=[0.55, 0.3, 0.15])),
        aberration=float(rng.choice([2.7, 2.0, 1.2])),
        defocus=defocus,
        astigmatism=defocus * rng.uniform(0, 0.06),
        angle=rng.uniform(0, np.pi),
        amplitude=rng.uniform(0.07, 0.1),
        envelope=log_uniform(rng, 30, 500),
        dose=log_uniform(rng, 8, 20) if kind.hard else log_uniform(rng, 15, 60),
        efficiency=rng.uniform(*instrument.efficiency),
    )


def _visible(
    exposure: Exposure, image: Image, particles: Image, number: int, canvas: Canvas
) -> Exposure:
    """Raise the dose until a particle differs from noise by `_LEAST_SIGNAL` standard deviations.

    The signal of a known particle over noise of power spectrum ``N`` is the root of
    ``sum of |S|^2 / N`` over all frequencies (matched filter), ``S`` being its spectrum. ``N`` is
    that of counted electrons plus that of ice and film, which no dose reduces; the latter is taken
    from the image itself, particles included. Truth that nobody can see teaches a network to find
    particles in noise.

    Parameters
    ----------
    exposure : Exposure
    image : (H, W) float32
        Expected image.
    particles : (H, W) float32
        Phase shift of the particles, radian.
    number : int
        Of particles.
    canvas : Canvas
    """
    if number == 0:
        return exposure
    nothing = np.zeros_like(particles)
    contrast = expected_image(nothing, particles, nothing, canvas.pixel, exposure) - 1
    signal = np.abs(fft.rfft2(contrast)) ** 2
    other = np.abs(fft.rfft2(image - contrast)) ** 2
    # Frequencies of a particle; below them lie gradients.
    rows, columns = fft.fftfreq(image.shape[0])[:, None], fft.rfftfreq(image.shape[1])
    ring = np.rint(np.hypot(rows, columns) * canvas.diameter * 2).astype(np.intp)
    counts = np.bincount(ring.ravel())
    signal, other = (
        np.bincount(ring.ravel(), one.ravel().astype(np.float64)) for one in (signal, other)
    )
    electrons = exposure.efficiency * canvas.pixel**2 * image.size**-1.0
    for dose in np.geomspace(exposure.dose, max(_LARGEST_DOSE, exposure.dose), 8):
        white = counts / (dose * electrons)
        ratio = 2 * (signal / (other + white))[1:] * counts[1:] / number
        if ratio.sum() >= _LEAST_SIGNAL**2:
            break
    return replace(exposure, dose=float(dose))


@lru_cache(maxsize=32)
def _read(path: Path) -> Structure:
    """Read a structure once; the voxel is about that of the smallest pixels."""
    return open_structure(path, 5.0)


def _scaled(path: Path, diameter: float) -> Structure:
    """Return a structure whose largest extent is `diameter` voxels."""
    structure = _read(path)
    return resampled(structure, structure.diameter / diameter)


def _free(around: Surroundings, diameter: float) -> Mask:
    """Return where particles may lie: half a diameter clear of what occupies the specimen."""
    occupied = around.solid.occupied | around.soft.occupied | (around.remaining < 0.9)
    return ~support.widened(occupied, diameter / 2)


def _frozen(
    soft: Image,
    around: Surroundings,
    canvas: Canvas,
    exposure: Exposure,
    rng: np.random.Generator,
) -> Image:
    """Return the expected image of particles in ice."""
    phase, loss = around.solid.phase, around.solid.loss
    if around.ice > 0:
        ice = frozen_water.draw_vitreous(canvas, around.ice, rng).within(around.remaining)
        phase, loss = phase + ice.phase, loss + ice.loss
    return expected_image(phase, soft * around.remaining, loss, canvas.pixel, exposure)


def _stained(
    soft: Image,
    around: Surroundings,
    canvas: Canvas,
    exposure: Exposure,
    rng: np.random.Generator,
) -> Image:
    """Return the expected image of particles in negative stain on carbon."""
    protein = stain.protein_thickness(soft, canvas.kilovolts)
    layer = stain.draw_stain(canvas, protein, rng)
    bubbles = stain.draw_bubbles(canvas, rng) if rng.uniform() < 0.6 else np.float32(1)
    phase = around.solid.phase + layer.phase * bubbles
    loss = around.solid.loss + layer.loss * bubbles
    return expected_image(phase, np.zeros_like(soft), loss, canvas.pixel, exposure)


def _particles_dark(
    image: Image, centres: Floats, diameter: float, rng: np.random.Generator
) -> Image:
    """Invert the contrast where particles are bright, as users do; at random without particles."""
    bright = rng.uniform() < 0.5
    if len(centres):
        columns, rows = np.rint(centres.T).astype(np.intp)
        smooth = ndimage.gaussian_filter(image, diameter / 5)
        broad = ndimage.gaussian_filter(image, diameter)
        bright = float((smooth - broad)[rows, columns].mean()) > 0
    return (2 * image.mean() - image).astype(np.float32) if bright else image
