"""Diameters are measured on drawn and on simulated particles, in whatever units; noise has none."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from scipy import ndimage

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.dataset.simulator import DOSE, KINDS, simulate
from deepcryopicker.labeler import diameter
from deepcryopicker.labeler.diameter import (
    _Measured,
    _refined,
    estimate_diameter,
    refined_peak,
)
from deepcryopicker.labeler.schema import AutoConfig
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Micrograph

SIDE = 480


@cache
def chain():
    settings = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "preprocessing" / "default.yaml"))
    del settings["defaults"]
    return PreprocessingConfig(**settings)


@pytest.fixture
def large_only(monkeypatch):
    """Look for no small particles, which takes most of the time."""
    monkeypatch.setattr(diameter, "SMALLEST", 1 / 20)


def drawn(size):
    """Particles of this diameter, dense in the middle, in noise of about their depth."""
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, (SIDE, SIDE))
    row, column = np.indices(image.shape)
    step = 1.6 * size
    for x in np.arange(size, SIDE - size / 2, step):
        for y in np.arange(size, SIDE - size / 2, step):
            dx, dy = rng.uniform(-0.2, 0.2, 2) * size
            squared = ((column - x - dx) ** 2 + (row - y - dy) ** 2) / (size / 2) ** 2
            image -= np.maximum(1 - squared, 0)
    return ndimage.gaussian_filter(image, 0.7).astype(np.float32)


def estimate(*images):
    micrographs = [Micrograph("m", Path("m"), image) for image in images]
    return estimate_diameter(micrographs, chain(), AutoConfig())


def series(peaks, step=1.2, count=14):
    """Diameters in a geometric series and a response with Gaussian peaks (place, height)."""
    diameters = 10 * step ** np.arange(count)
    response = sum(
        height * np.exp(-(np.log(diameters / place) ** 2) / 0.1) for place, height in peaks
    )
    return diameters, response


@pytest.mark.parametrize("place", [20.0, 33.0, 47.5, 70.0])
def test_peak_is_found_between_the_diameters(place):
    assert refined_peak(*series([(place, 1.0)])) == pytest.approx(place, rel=0.02)


def test_highest_of_several_peaks_is_taken():
    assert refined_peak(*series([(20.0, 0.7), (60.0, 1.0)])) == pytest.approx(60, rel=0.02)


@pytest.mark.parametrize("end", [0, -1])
def test_rise_towards_an_end_is_not_a_peak(end):
    diameters, response = series([(40.0, 1.0)])
    response[end] += 9
    assert refined_peak(diameters, response) == pytest.approx(40, rel=0.05)


@pytest.mark.parametrize("response", [np.arange(14.0), -np.arange(14.0), np.ones(14)])
def test_without_a_peak_the_diameter_lies_within_the_series(response):
    diameters, _ = series([])
    assert diameters[0] <= refined_peak(diameters, response) <= diameters[-1]


@pytest.mark.parametrize("size", [34.0, 52.0])
@pytest.mark.thorough
def test_drawn_particles_are_measured(large_only, size):
    found = estimate(drawn(size))
    assert found.diameter == pytest.approx(size, rel=0.12)
    assert found.contrast > 0.4


@pytest.mark.thorough
def test_finer_pixels_give_more_of_them(large_only):
    image = drawn(48.0)
    coarse, fine = estimate(image), estimate(np.kron(image, np.ones((2, 2), np.float32)))
    assert fine.diameter == pytest.approx(2 * coarse.diameter, rel=0.08)
    assert fine.contrast == pytest.approx(coarse.contrast, abs=0.2)


@pytest.mark.thorough
def test_units_of_intensity_do_not_matter(large_only):
    image = drawn(40.0)
    assert estimate(1000 + 37 * image).diameter == pytest.approx(estimate(image).diameter, rel=0.03)


@pytest.mark.thorough
def test_noise_gives_no_contrast(large_only):
    rng = np.random.default_rng(1)
    found = estimate(*rng.normal(size=(2, SIDE, SIDE)).astype(np.float32))
    assert found.contrast < 0.2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "seeds"),
    [
        ("klh", (1, 2)),
        ("ribosome", (1, 2)),
    ],
)
def test_simulated_particles_are_measured(kind, seeds):
    truths = [simulate(KINDS[kind], (1024, 1024), DOSE, seed) for seed in seeds]
    found = estimate(*(truth.image for truth in truths))
    assert found.diameter == pytest.approx(truths[0].diameter[0], rel=0.12)
    assert found.contrast > 0.4


def test_measurement_that_loses_the_particles_ends_the_refinement():
    """Particles of 45 pixels are measured at their noisy centre once; the rest finds noise."""
    found = {70: _Measured(45.1, 1.9, 49.0), 45.1: _Measured(46.0, 1.6, 55.0)}
    found[46.0] = _Measured(3.6, 1.5, 55.0)
    lost = _Measured(8.7, 0.05, 55.0)
    result = _refined(70, lambda diameter: found.get(diameter, lost), (8.5, 85.0))
    assert result == found[45.1]


def test_diameter_that_never_settles_does_not_stand_out():
    """Few large blobs cover more area than the particles, and grow with the diameter."""
    results = iter(
        [
            _Measured(36.0, 0.8, 145.6),
            _Measured(67.5, 0.4, 40.7),
            _Measured(105.3, 1.9, 48.3),
            _Measured(237.1, 3.2, 15.9),
            _Measured(134.2, 0.1, 0.8),
        ]
    )
    result = _refined(25.1, lambda _: next(results), (17.1, 170.7))
    assert result == _Measured(36.0, 0.0, 0.0)


@pytest.mark.parametrize(("guess", "share"), [(85.0, 0.5), (100.0, 0.5), (150.0, 0.3)])
def test_guess_that_is_far_too_large_shrinks_to_the_particles(guess, share):
    def measure(diameter):
        return _Measured(40.0 + share * (diameter - 40.0), 1.0, 50.0)

    result = _refined(guess, measure, (8.5, 170.0))
    assert result.diameter == pytest.approx(40.0, rel=0.02)
    assert result.separation == 1.0


def test_diameter_beyond_a_limit_is_measured_once_there():
    measured = []

    def measure(diameter):
        measured.append(diameter)
        return _Measured(120.0, 1.0, 50.0)

    result = _refined(70.0, measure, (8.5, 85.0))
    assert measured == [70.0, 85.0]
    assert result == _Measured(85.0, 0.0, 0.0)


def test_refinement_follows_a_measurement_until_it_settles():
    measured = []

    def measure(diameter):
        measured.append(diameter)
        return _Measured(0.5 * (diameter + 40.0), 1.0, 50.0)

    result = _refined(50.0, measure, (8.5, 85.0))
    assert result.diameter == pytest.approx(40.0, rel=0.005)
    assert measured == pytest.approx([50, 45, 42.5, 41.25, 40.625, 40.3125])
