"""Image formation: contrast as theory gives it, for weak and for strong objects."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.dataset.simulator import microscope
from deepcryopicker.dataset.simulator.forms import Form
from deepcryopicker.dataset.simulator.instruments.exposure import (
    Exposure,
    count,
    drifted,
    expected_image,
    wavelength,
)
from deepcryopicker.dataset.simulator.micrographs.specimen import (
    form_mass,
    labels_of,
    place_form,
    place_structure,
    resampled,
)
from deepcryopicker.dataset.simulator.phantoms import KINDS, ball, irregular_pose, round_pose
from deepcryopicker.dataset.simulator.surroundings.canvas import Canvas
from deepcryopicker.dataset.simulator.surroundings.materials import CARBON, ICE, layer_of
from deepcryopicker.dataset.structures.potential import (
    EXCESS_PER_DALTON,
    VOLUME_PER_DALTON,
    Structure,
    interaction,
)

EXPOSURE = Exposure(
    kilovolts=300.0,
    aberration=2.7,
    defocus=1.5,
    astigmatism=0.0,
    angle=0.0,
    amplitude=0.1,
    envelope=120.0,
    dose=40.0,
    efficiency=0.5,
)
PIXEL = 5.0
NOTHING = np.zeros((256, 240), np.float32)


def sphere(radius, shape=(256, 256), height=1.0):
    """Projected potential of a sphere in the middle, its largest value `height`."""
    rows, columns = np.indices(shape) - np.array(shape)[:, None, None] // 2
    return height * np.sqrt(np.maximum(1 - (rows**2 + columns**2) / radius**2, 0))


def test_the_wavelength_at_300_kilovolt():
    assert wavelength(300) == pytest.approx(0.01969, abs=1e-5)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0])
def test_weak_objects_have_the_contrast_of_the_transfer_function(angle):
    """torch-ctf is an independent reference."""
    noise = np.random.default_rng(0).standard_normal((256, 256)).astype(np.float32)
    # Without the highest frequencies, whose cross term has no sign on a grid of even size.
    phase = 0.005 * ndimage.gaussian_filter(noise, 1)
    exposure = replace(EXPOSURE, astigmatism=0.2, angle=np.deg2rad(angle))
    nothing = np.zeros_like(phase)
    image = expected_image(nothing, phase, nothing, PIXEL, exposure)
    transfer = microscope.transfer_function(phase.shape, PIXEL, EXPOSURE.defocus, 0.2, angle)
    expected = 1 + microscope.phase_contrast(phase, transfer)
    assert np.abs(image - expected).max() < 0.03 * np.abs(expected - 1).max()


@pytest.mark.parametrize("defocus", [0.0, 1.5])
def test_a_smooth_sphere_close_to_focus_has_the_contrast_of_theory(defocus):
    """Without lenses, intensity is exp(-2 a phi): amplitude contrast of twice the phase."""
    exposure = replace(EXPOSURE, defocus=defocus, aberration=0.0, envelope=0.0, amplitude=0.08)
    radius = 60  # pixels, or 300 Angstrom: chi is at most 0.02 where its spectrum is large
    phase = (0.1 * sphere(radius)).astype(np.float32)
    nothing = np.zeros_like(phase)
    image = expected_image(nothing, phase, nothing, PIXEL, exposure)
    ratio = 0.08 / np.sqrt(1 - 0.08**2)
    middle = image[124:133, 124:133].mean()
    # Defocus adds lambda df / (2 pi) times the Laplacian of the phase, -2 / radius**2 for a sphere.
    laplacian = -2 * 0.1 / (radius * PIXEL) ** 2
    defocused = wavelength(300) * defocus * 1e4 / (2 * np.pi) * laplacian
    assert middle == pytest.approx(np.exp(-2 * ratio * 0.1) + defocused, abs=3e-4)
    assert np.exp(-2 * ratio * 0.1) - 1 == pytest.approx(-0.0159, abs=2e-4)


def test_lost_electrons_are_missing():
    loss = np.full(NOTHING.shape, 0.7, np.float32)
    image = expected_image(NOTHING, NOTHING, loss, PIXEL, EXPOSURE)
    assert image == pytest.approx(np.exp(-0.7), abs=1e-3)


def test_nothing_is_created_at_the_edge_of_a_strong_object():
    """Lenses move electrons, as at a Fresnel fringe, but neither add nor lose any."""
    phase = np.zeros((256, 256), np.float32)
    phase[:, 100:200] = 0.8
    nothing = np.zeros_like(phase)
    image = expected_image(phase, nothing, nothing, PIXEL, replace(EXPOSURE, envelope=0.0))
    assert image.mean() == pytest.approx(1, abs=1e-4)
    assert image.max() > 1.3
    assert image.min() < 0.7


def test_counted_electrons_have_the_noise_of_dose_and_efficiency():
    counted = count(np.ones((300, 300), np.float32), PIXEL, EXPOSURE, np.random.default_rng(0))
    assert counted.mean() == pytest.approx(1, abs=1e-3)
    assert counted.var() == pytest.approx(1 / (40 * 0.5 * PIXEL**2), rel=0.03)


def test_drift_averages_along_its_direction():
    image = np.zeros((64, 64), np.float32)
    image[32, 32] = 1
    blurred = drifted(image, 8.0, 0.0)
    assert blurred.sum() == pytest.approx(1, abs=1e-4)
    assert blurred[32, 29:36].mean() == pytest.approx(1 / 8, rel=0.1)
    assert np.abs(blurred[:30]).max() < 1e-5


@pytest.mark.parametrize(("material", "thickness"), [(ICE, 500.0), (CARBON, 120.0)])
def test_the_phase_noise_of_a_film_is_that_of_independent_atoms(material, thickness):
    """Counted: places of atoms drawn at random give the variance that `layer_of` states."""
    canvas = Canvas((200, 200), 4.0, 24.0, 300.0)
    rng = np.random.default_rng(0)
    sigma = interaction(300.0)
    number = material.density * thickness * canvas.pixel**2
    one = sigma * material.potential / material.density / canvas.pixel**2
    independent = rng.poisson(number, canvas.shape) * one
    fixed = replace(material, structure=(1.0, 1.0))
    layer = layer_of(fixed, np.full(canvas.shape, thickness, np.float32), canvas, rng)
    assert layer.phase.std() == pytest.approx(independent.std(), rel=0.03)
    assert layer.phase.mean() == pytest.approx(independent.mean(), rel=0.001)
    assert layer.phase.mean() == pytest.approx(sigma * material.potential * thickness, rel=0.001)


@pytest.mark.parametrize("filled", [0.2, 0.6])
def test_a_form_has_the_phase_of_its_mass(filled):
    canvas = Canvas((96, 96), 6.0, 24.0, 200.0)
    rng = np.random.default_rng(0)
    mass = form_mass(144.0, filled)
    assert mass * VOLUME_PER_DALTON == pytest.approx(filled * np.pi / 6 * 144.0**3)
    centres = np.full((50, 2), 48.0)  # the strengths of fifty average out
    placed = place_form(Form(ball(400, rng) / 2, round_pose), centres, mass, 0.05, canvas, rng)
    total = float(placed.phase.sum()) * canvas.pixel**2 / 50
    assert total == pytest.approx(interaction(200.0) * EXCESS_PER_DALTON * mass, rel=0.05)


def volume(density):
    return Structure(density.astype(np.float32), 5.0, 1e5, 100.0)


def solid(kind):
    """Potential of a ball, of a barrel along z, or of an oblique bar, in 40 voxels."""
    z, y, x = np.indices((40, 40, 40)) - 20
    if kind == "ball":
        return volume(x**2 + y**2 + z**2 < 100)
    if kind == "barrel":
        return volume((np.hypot(x, y) < 8) & (np.hypot(x, y) > 4) & (np.abs(z) < 13))
    return volume((np.abs(x) < 4) & (np.abs(z) < 14) & (np.abs(y - z / 3) < 3))


def test_a_structure_is_placed_at_its_centre_with_its_phase():
    structure = solid("ball")
    canvas = Canvas((90, 80), 5.0, 20.0, 300.0)
    rng = np.random.default_rng(1)
    centres = np.array([[30.3, 41.8]])
    phase = place_structure(structure, centres, canvas, rng).phase
    rows, columns = np.indices(phase.shape)
    assert (phase * columns).sum() / phase.sum() == pytest.approx(30.3, abs=0.1)
    assert (phase * rows).sum() / phase.sum() == pytest.approx(41.8, abs=0.1)
    # The strength of one particle varies by an eighth.
    expected = interaction(300.0) * structure.potential.sum() * 5.0
    assert phase.sum() == pytest.approx(expected, rel=0.4)


def test_resampling_keeps_the_integral_and_the_size():
    structure = solid("barrel")
    other = resampled(structure, 7.5)
    assert other.voxel == 7.5
    assert other.potential.sum() * 7.5**3 == pytest.approx(structure.potential.sum() * 5**3)
    length = np.ptp(np.flatnonzero(other.potential.max(axis=(1, 2)) > 0.3)) * 7.5
    assert length == pytest.approx(125, abs=12)


@pytest.mark.parametrize(
    ("kind", "expected"), [("ball", {"top"}), ("rod", {"irregular"})], ids=["ball", "rod"]
)
def test_labels_of_structures_without_an_axis(kind, expected):
    rotation, _ = irregular_pose(20, np.random.default_rng(0))
    assert set(labels_of(solid(kind), rotation)) == expected


def test_a_barrel_is_top_along_its_axis_and_side_across_it():
    rotation, label = KINDS["klh"].pose(30, np.random.default_rng(0))
    np.testing.assert_array_equal(labels_of(solid("barrel"), rotation), label)
