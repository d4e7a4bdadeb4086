"""The simulated micrographs: exact truth, right physics, believable signal."""

from functools import cache

import cv2
import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from deepcryopicker.dataset.simulator import DOSE, KINDS, junk, microscope, simulate
from deepcryopicker.dataset.simulator.phantoms import barrel_pose, project
from deepcryopicker.dataset.simulator.placement import place
from deepcryopicker.dataset.structures.orientations import uniform_orientations

SHAPE = (700, 900)
KIND_NAMES = sorted(KINDS)


@pytest.fixture
def clean(monkeypatch):
    """Neither carbon nor crystals, so that what is not a particle is bare ice."""
    monkeypatch.setattr(junk, "CARBON_SHARE", 0.0)
    empty = np.empty(0)
    monkeypatch.setattr(junk, "draw_crystals", lambda *_: junk.Crystals(empty, empty, empty))


def distance_to_centres(shape, x, y):
    marks = np.ones(shape, bool)
    marks[np.rint(y).astype(int), np.rint(x).astype(int)] = False
    return ndimage.distance_transform_edt(marks)


def signal_to_noise(micrograph, across=24):
    """Extra variance within the particles over the ice's, particles `across` pixels wide."""
    height, width = micrograph.image.shape
    scale = across / micrograph.diameter[0]
    size = (round(width * scale), round(height * scale))
    image = cv2.resize(micrograph.image, size, interpolation=cv2.INTER_AREA)
    image -= ndimage.gaussian_filter(image, 1.5 * across)
    x, y = (micrograph.x + 0.5) * scale - 0.5, (micrograph.y + 0.5) * scale - 0.5
    away = distance_to_centres(image.shape, x, y)
    ice = image[away > 0.75 * across].var()
    return (image[away < across / 2].var() - ice) / ice


def simulate_kind(name, seed=0, shape=SHAPE, dose=DOSE):
    return simulate(KINDS[name], shape, dose, seed)


@cache
def example(name, seed=0):
    """Simulate with carbon and crystals; shared by the tests that only look at it."""
    return simulate_kind(name, seed)


@pytest.mark.parametrize("name", KIND_NAMES)
def test_the_seed_decides_everything(name):
    first, again, other = (simulate_kind(name, seed, (300, 400)) for seed in (5, 5, 6))
    assert first.image.tobytes() == again.image.tobytes()
    assert first.x.tobytes() == again.x.tobytes()
    assert first.y.tobytes() == again.y.tobytes()
    assert list(first.label) == list(again.label)
    assert first.image.tobytes() != other.image.tobytes()


def test_the_global_generator_is_neither_read_nor_moved():
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    first = simulate_kind("klh", 2, (300, 400))
    np.testing.assert_array_equal(before, np.random.get_state()[1])
    np.random.seed(2)
    assert first.image.tobytes() == simulate_kind("klh", 2, (300, 400)).image.tobytes()


@pytest.mark.parametrize("name", KIND_NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_truth_is_well_formed(name, seed):
    micrograph = example(name, seed)
    assert micrograph.image.shape == SHAPE
    assert micrograph.image.dtype == np.float32
    assert micrograph.image.min() >= 0
    assert micrograph.pixel_size == KINDS[name].pixel_size
    count = len(micrograph.x)
    assert count > 3
    assert len(micrograph.y) == len(micrograph.label) == len(micrograph.diameter) == count
    np.testing.assert_allclose(micrograph.diameter, KINDS[name].diameter / KINDS[name].pixel_size)
    for position, side in ((micrograph.x, SHAPE[1]), (micrograph.y, SHAPE[0])):
        assert position.dtype == np.float64
        assert position.min() >= 0
        assert position.max() <= side - 1


@pytest.mark.parametrize("name", KIND_NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_distances(name, seed):
    micrograph = example(name, seed)
    centres = np.column_stack([micrograph.x, micrograph.y])
    distance, _ = cKDTree(centres).query(centres, k=2)
    nearest = distance[:, 1] / micrograph.diameter
    assert nearest.min() >= 0.75
    # One in ten is put beside another, and that one counts too.
    assert (nearest < 1.05).mean() <= 0.3


def test_some_particles_touch():
    micrographs = [example("klh", seed) for seed in range(3)]
    nearest = []
    for micrograph in micrographs:
        centres = np.column_stack([micrograph.x, micrograph.y])
        distance, _ = cKDTree(centres).query(centres, k=2)
        nearest.extend(distance[:, 1] / micrograph.diameter)
    assert min(nearest) < 1


def test_coverage_is_what_was_asked_for():
    hole, none = junk.Carbon(500, 500, 5000), junk.Crystals(*np.empty((3, 0)))
    x, _ = place((1000, 1000), 60.0, 0.4, hole, none, np.random.default_rng(0))
    assert len(x) * np.pi / 4 * 60**2 / 1e6 == pytest.approx(0.4, rel=0.02)


def test_no_particle_lies_on_carbon_or_crystals():
    hole = junk.Carbon(300, 300, 400)
    crystals = junk.Crystals(np.array([300.0]), np.array([350.0]), np.array([120.0]))
    x, y = place((800, 800), 60.0, 0.4, hole, crystals, np.random.default_rng(0))
    assert len(x) > 20
    assert (np.hypot(x - 300, y - 300) < 400 - 30).all()
    assert (np.hypot(x - 300, y - 350) > 60 + 30).all()


def test_nothing_is_placed_where_all_is_carbon():
    hole, none = junk.Carbon(-5000, 0, 100), junk.Crystals(*np.empty((3, 0)))
    x, y = place((500, 500), 60.0, 0.4, hole, none, np.random.default_rng(0))
    assert len(x) == len(y) == 0


def test_labels_fit_the_species():
    assert set(example("apoferritin").label) == {"top"}
    assert set(example("ribosome").label) == {"irregular"}
    assert set(example("beta_galactosidase").label) == {"irregular"}
    _, label = barrel_pose(400, np.random.default_rng(0))
    assert set(label) == {"top", "side"}
    assert (label == "side").mean() == pytest.approx(0.5, abs=0.1)


def test_barrels_stand_or_lie_as_labelled():
    rotation, label = barrel_pose(300, np.random.default_rng(0))
    along_beam = np.abs(rotation.apply([0, 0, 1])[:, 2])
    assert (along_beam[label == "top"] > np.cos(np.deg2rad(8.1))).all()
    assert (along_beam[label == "side"] < np.sin(np.deg2rad(8.1))).all()
    # Lying barrels point anywhere in the plane.
    lying = rotation.apply([0, 0, 1])[label == "side"]
    quarter = np.histogram(np.arctan2(lying[:, 1], lying[:, 0]), 4, (-np.pi, np.pi))[0]
    assert quarter.min() > 0.15 * len(lying)


@pytest.mark.parametrize("name", KIND_NAMES)
def test_projection_keeps_the_mass_and_its_centre(name):
    cloud = KINDS[name].cloud() / KINDS[name].pixel_size
    weight = np.full(len(cloud), 1 / len(cloud))
    rows, columns = np.mgrid[:160, :180]
    for rotation in uniform_orientations(5, np.random.default_rng(1)):
        mass = project(rotation.apply(cloud)[:, :2] + [90.3, 77.8], weight, (160, 180))
        assert mass.sum() == pytest.approx(1)
        assert (mass * columns).sum() == pytest.approx(90.3)
        assert (mass * rows).sum() == pytest.approx(77.8)


def test_projection_drops_what_is_off_the_grid():
    points = np.array([[-1.5, 2.0], [2.0, 9.7], [3.25, 4.5]])
    mass = project(points, np.ones(3), (10, 8))
    assert mass.sum() == pytest.approx(1)
    np.testing.assert_allclose(mass[4:6, 3:5], [[0.375, 0.125], [0.375, 0.125]])


@pytest.mark.parametrize("name", KIND_NAMES)
def test_phantoms_are_as_large_as_stated(name):
    cloud = KINDS[name].cloud()
    np.testing.assert_allclose(cloud.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_array_equal(cloud, KINDS[name].cloud())
    directions = uniform_orientations(500, np.random.default_rng(0)).apply([0, 0, 1])
    widths = np.ptp(cloud @ directions.T, axis=0)
    if name == "klh":  # The diagonal of a barrel is longer than either of its sides.
        widths = np.ptp(cloud, axis=0)
    assert widths.max() == pytest.approx(KINDS[name].diameter, rel=0.1)


def test_apoferritin_is_hollow_and_beta_galactosidase_long():
    radius = np.linalg.norm(KINDS["apoferritin"].cloud(), axis=1)
    assert radius.min() > 35
    widths = np.ptp(KINDS["beta_galactosidase"].cloud(), axis=0)
    np.testing.assert_allclose(widths, [180, 130, 90], rtol=0.1)


def test_first_zero_of_the_transfer_function():
    # Phase pi: q solves pi (lambda dz q^2 - Cs lambda^3 q^4 / 2) + asin(A) = pi.
    wavelength, aberration = 0.0196875, 2.7e7
    for defocus in (1.0, 1.7, 2.5):
        transfer = microscope.transfer_function((64, 2000), 1.5, defocus)[0]
        frequency = np.fft.rfftfreq(2000, 1.5)
        crossing = np.flatnonzero(np.diff(np.sign(transfer)))[0]
        b = wavelength * defocus * 1e4
        a = aberration * wavelength**3 / 2
        c = 1 - np.arcsin(0.1) / np.pi
        expected = np.sqrt((b - np.sqrt(b**2 - 4 * a * c)) / (2 * a))
        assert frequency[crossing] <= expected * 1.002
        assert frequency[crossing + 1] >= expected * 0.998


def test_dense_matter_is_dark():
    phase = np.zeros((128, 128), np.float32)
    phase[60:68, 60:68] = 0.1
    contrast = microscope.phase_contrast(phase, microscope.transfer_function((128, 128), 3.0, 1.5))
    assert contrast.dtype == np.float32
    assert contrast[61:67, 61:67].mean() < -0.02
    # A constant phase is seen by its amplitude contrast alone.
    flat = microscope.phase_contrast(
        np.full((128, 128), 0.1, np.float32), microscope.transfer_function((128, 128), 3.0, 1.5)
    )
    np.testing.assert_allclose(flat, -0.02, rtol=1e-3)


def test_counting_noise_is_poisson():
    rng = np.random.default_rng(3)
    for expected in (4.0, 90.0):
        counts = microscope.count_electrons(np.full((400, 400), expected), rng)
        assert counts.dtype == np.float32
        assert (counts == np.rint(counts)).all()
        assert counts.mean() == pytest.approx(expected, rel=0.01)
        assert counts.var() == pytest.approx(expected, rel=0.02)
        spectrum = np.abs(np.fft.rfft2(counts - counts.mean())) ** 2
        assert spectrum[:100].mean() == pytest.approx(spectrum[100:200].mean(), rel=0.03)
    assert microscope.count_electrons(np.full((2, 2), -1.0), rng).sum() == 0


def test_counts_follow_the_dose():
    low, high = (simulate_kind("ribosome", 4, (300, 300), dose) for dose in (10.0, 30.0))
    np.testing.assert_array_equal(low.x, high.x)
    assert high.image.mean() / low.image.mean() == pytest.approx(3, rel=0.01)


def test_carbon_is_darker_and_rougher(monkeypatch):
    hole = junk.Carbon(300, 300, 250)
    monkeypatch.setattr(junk, "draw_carbon", lambda *_: hole)
    micrograph = simulate_kind("beta_galactosidase", 0, (600, 600))
    image = micrograph.image
    carbon = image[:80, :80]
    rows, columns = np.mgrid[:600, :600]
    away = distance_to_centres((600, 600), micrograph.x, micrograph.y)
    ice = image[(hole.depth(columns, rows) < -30) & (away > 50)]
    assert carbon.mean() < 0.95 * ice.mean()
    assert carbon.var() / carbon.mean() > 1.3 * ice.var() / ice.mean()


def test_carbon_shows_in_a_fifth_of_the_micrographs():
    rng = np.random.default_rng(0)
    rows, columns = np.ogrid[:600:10, :800:10]
    share = [
        (junk.draw_carbon((600, 800), rng).depth(columns, rows) > 0).mean() for _ in range(400)
    ]
    seen = np.array(share) > 0
    assert seen.mean() == pytest.approx(junk.CARBON_SHARE, abs=0.07)
    assert np.max(share) < 0.5


def test_crystals_are_dark_and_of_another_size():
    rng = np.random.default_rng(0)
    for _ in range(50):
        crystals = junk.draw_crystals((600, 800), 60.0, rng)
        assert 0 <= len(crystals.x) <= 4
        relative = crystals.diameter / 60
        assert ((relative <= 0.6) | (relative >= 1.5)).all()
    one = junk.Crystals(np.array([100.0]), np.array([70.0]), np.array([60.0]))
    thickness = junk.crystal_map(one, (150, 200), rng)
    rows, columns = np.mgrid[:150, :200]
    assert thickness[70, 100] > 0.2
    assert thickness[np.hypot(columns - 100, rows - 70) > 36].max() < 0.01


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("name", KIND_NAMES)
def test_particles_are_darker_than_ice(name):
    micrograph = simulate_kind(name, 1)
    away = distance_to_centres(SHAPE, micrograph.x, micrograph.y)
    diameter = micrograph.diameter[0]
    inside, ice = micrograph.image[away < diameter / 2], micrograph.image[away > 0.75 * diameter]
    standard_error = ice.std() / np.sqrt(len(inside))
    assert inside.mean() < ice.mean() - 10 * standard_error


@pytest.mark.usefixtures("clean")
def test_the_average_apoferritin_is_a_ring():
    kind = KINDS["apoferritin"]
    half = 40
    total, count = np.zeros((2 * half + 1, 2 * half + 1)), 0
    for seed in range(2):
        micrograph = simulate(kind, (900, 900), DOSE, seed)
        for x, y in zip(micrograph.x, micrograph.y, strict=True):
            row, column = round(y), round(x)
            if half <= row < 900 - half and half <= column < 900 - half:
                window = np.s_[row - half : row + half + 1, column - half : column + half + 1]
                total += micrograph.image[window] / micrograph.image.mean()
                count += 1
    average = total / count
    rows, columns = np.mgrid[-half : half + 1, -half : half + 1]
    radius = np.hypot(rows, columns) * kind.pixel_size
    profile = [average[(radius >= r) & (radius < r + 8)].mean() for r in range(0, 80, 8)]
    darkest = 8 * int(np.argmin(profile)) + 4
    assert 40 <= darkest <= 62
    assert profile[0] - min(profile) > 0.5 * (profile[-1] - min(profile))


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize(
    ("name", "real"),
    # The median over the real micrographs of the same species.
    [("apoferritin", 0.161), ("klh", 1.883), ("ribosome", 1.282), ("beta_galactosidase", 0.774)],
)
@pytest.mark.thorough
def test_signal_is_as_weak_as_in_real_micrographs(name, real):
    ratios = [signal_to_noise(simulate_kind(name, seed)) for seed in range(4)]
    assert real / 1.6 < np.median(ratios) < real * 1.6
