"""Random particles in random conditions, wider than those of real micrographs.

The micrographs of `simulate` have the conditions of one instrument. Here signal-to-noise ratio,
noise and contrast are drawn independently of each other (domain randomisation), so that a network
learns what micrographs have in common. The other kinds of micrographs have the contrast of theory.
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft, ndimage

from deepcryopicker.dataset.simulator import junk, microscope
from deepcryopicker.dataset.simulator.debris import Debris, draw_debris
from deepcryopicker.dataset.simulator.forms import draw_form
from deepcryopicker.dataset.simulator.phantoms import project
from deepcryopicker.dataset.simulator.placement import Spacing, place
from deepcryopicker.dataset.simulator.surroundings.canvas import log_uniform
from deepcryopicker.types import Floats, Image, Mask, Strings

_NETWORK_DIAMETER = 24.0  # pixels; particle diameter to which signal-to-noise ratios refer


@dataclass(frozen=True)
class Conditions:
    """Random conditions of one micrograph.

    Attributes
    ----------
    diameter : float
        Particle diameter as given by a user, pixels.
    size : float
        True diameter divided by `diameter`: users are imprecise and use different definitions.
    angstrom : float
        True diameter.
    blur : float
        Standard deviation of the Gaussian at each point of a form, diameters.
    coverage : float
        Fraction of the free area to be covered by particle discs.
    spacing : Spacing
        Elongated particles may lie closer together than their diameter.
    debris : float
        Fraction of the positions with debris instead of a particle.
    snr : float
        Variance of the particle signal over that of the noise, for a diameter of 24 pixels.
    defocus : float
        Micrometre, positive is underfocus.
    grain, drift : float
        Variance of the noise filtered by the CTF, and of low-frequency noise; the remainder up to
        a variance of `1 + drift` is white.
    """

    diameter: float
    size: float
    angstrom: float
    blur: float
    coverage: float
    spacing: Spacing
    debris: float
    snr: float
    defocus: float
    grain: float
    drift: float

    @property
    def true_diameter(self) -> float:
        """Pixels."""
        return self.diameter * self.size


@dataclass(frozen=True)
class Exposed:
    """A micrograph before it is stored.

    Attributes
    ----------
    image : (H, W) float32
        Any unit; particles are dark.
    centres : (N, 2) float64
        Columns x and y, pixels.
    label : (N,) str
    pixel : float
        Angstrom.
    """

    image: Image
    centres: Floats
    label: Strings
    pixel: float


def draw_conditions(
    rng: np.random.Generator, diameters: tuple[float, float] = (16.0, 34.0)
) -> Conditions:
    """Draw the conditions of a micrograph, with the diameter within a range, pixels."""
    return Conditions(
        diameter=log_uniform(rng, *diameters),
        size=rng.uniform(0.82, 1.18),
        angstrom=log_uniform(rng, 90, 400),
        blur=rng.uniform(0.015, 0.06),
        coverage=log_uniform(rng, 0.03, 0.45),
        spacing=draw_spacing(rng),
        debris=rng.uniform(0, 0.25),
        snr=log_uniform(rng, 0.12, 2),
        defocus=rng.uniform(0.5, 3.5),
        grain=rng.uniform(0, 0.8),
        drift=rng.uniform(0, 0.25) ** 2,
    )


def expose_randomised(
    shape: tuple[int, int], recipe: Conditions, rng: np.random.Generator
) -> Exposed:
    """Simulate particles in ice with the conditions `recipe`.

    Parameters
    ----------
    shape : (int, int)
        Height and width, pixels.
    recipe : Conditions
    rng : numpy.random.Generator
    """
    true = recipe.true_diameter
    carbon = junk.draw_carbon(shape, rng)
    crystals = junk.draw_crystals(shape, true, rng)
    places = place(shape, true, recipe.coverage, carbon, crystals, rng, recipe.spacing)
    centres = np.column_stack(places)
    other = rng.uniform(size=len(centres)) < recipe.debris
    form = draw_form(rng)
    rotation, label = form.pose(int(np.count_nonzero(~other)), rng)
    turned = np.einsum("nij,pj->npi", rotation.as_matrix()[:, :2], form.cloud)

    pad = int(np.ceil(true))  # as in `simulate`
    height, width = (fft.next_fast_len(length + 2 * pad, real=True) for length in shape)
    grid = (height, width)
    waste = [
        _phase(debris, recipe, pad, grid, rng) for debris in draw_debris(form, centres[other], rng)
    ]
    signal = _phase(Debris(turned, centres[~other], 1.0), recipe, pad, grid, rng)
    image = _expose(
        signal, np.sum(waste, axis=0), recipe, carbon.moved(pad), crystals.moved(pad), rng
    )
    image = image[pad : pad + shape[0], pad : pad + shape[1]]
    return Exposed(image, centres[~other], label, recipe.angstrom / true)


def draw_spacing(rng: np.random.Generator) -> Spacing:
    """Draw the least distances of centres."""
    apart = rng.uniform(0.65, 1.1)
    return Spacing(apart, rng.uniform(0.5, apart), rng.uniform(0, 0.4), edge=0.05)


def _phase(
    things: Debris, recipe: Conditions, pad: int, grid: tuple[int, int], rng: np.random.Generator
) -> Floats:
    """Project pieces onto the padded grid; their masses vary as those of particles do."""
    count, points = things.clouds.shape[:2]
    places = things.clouds * recipe.true_diameter + things.centres[:, None] + pad
    mass = things.mass * np.clip(rng.normal(1, 0.15, count), 0.3, None) / points
    projected = project(places.reshape(-1, 2), np.repeat(mass, points), grid)
    return ndimage.gaussian_filter(projected, recipe.blur * recipe.true_diameter)


def _expose(
    signal: Floats,
    waste: Floats,
    recipe: Conditions,
    carbon: junk.Carbon,
    crystals: junk.Crystals,
    rng: np.random.Generator,
) -> Image:
    """Return the image: phase contrast, absorption, and noise of the conditions `recipe`."""
    grid = (signal.shape[0], signal.shape[1])
    transfer = microscope.transfer_function(
        grid,
        recipe.angstrom / recipe.true_diameter,
        recipe.defocus,
        astigmatism=rng.uniform(0, 0.05),
        angle=rng.uniform(0, 180),
    )
    film, frost = junk.film(carbon, grid, rng), junk.crystal_map(crystals, grid, rng)
    contrast = microscope.phase_contrast(signal.astype(np.float32), transfer)
    within = _within_particles(signal, recipe.true_diameter)
    strength = float(contrast[within].std())
    density = float(signal[within].mean())
    others = waste + rng.uniform(0.5, 2) * density * frost
    contrast += microscope.phase_contrast(others.astype(np.float32), transfer)
    # Lost electrons: thick regions are dark at any defocus.
    ice = junk.ice_thickness(grid, rng)
    shade = rng.uniform(0, 15) * ice + rng.uniform(0.5, 8) * film + rng.uniform(0, 4) * frost
    # Averaging into the larger pixels of a network reduces the noise.
    level = recipe.true_diameter / _NETWORK_DIAMETER / np.sqrt(recipe.snr)
    noise = level * _noise(recipe, transfer, film, rng)
    return (contrast + strength * (noise - shade)).astype(np.float32)


def _within_particles(signal: Floats, diameter: float) -> Mask:
    """Return the mask of the particles; the whole image if there are none."""
    # Unit mass spread over a disc of one diameter has a density of 1.3 / diameter ** 2.
    within: Mask = ndimage.gaussian_filter(signal, diameter / 6) > 0.1 / diameter**2
    if not within.any():
        within[:] = True
    return within


def _noise(recipe: Conditions, transfer: Image, film: Image, rng: np.random.Generator) -> Floats:
    """Draw white noise, grain of ice and carbon, and low-frequency noise; variance about one."""
    white, grain, slow = (rng.standard_normal(film.shape).astype(np.float32) for _ in range(3))
    grain = microscope.phase_contrast(grain, transfer)
    grain *= (1 + rng.uniform(0.5, 3) * film) / grain.std()
    slow = ndimage.gaussian_filter(slow, recipe.true_diameter * rng.uniform(0.3, 1.5))
    parts = (1 - recipe.grain, white), (recipe.grain, grain), (recipe.drift, slow / slow.std())
    return sum((np.sqrt(share) * part for share, part in parts), np.zeros(film.shape))
