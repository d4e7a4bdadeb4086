"""Class averages against brute force; angles against drawn bars."""

import numpy as np
import pytest

from deepcryopicker.labeler.detectors.averages import (
    ANGLE_STEP,
    radial_profile,
    rotate,
    rotational_average,
    side_template,
    top_template,
)
from deepcryopicker.labeler.masks.feret import measure

SIZE = 49
MIDDLE = SIZE // 2
RADIUS = np.hypot(*np.meshgrid(np.arange(SIZE) - MIDDLE, np.arange(SIZE) - MIDDLE))


def bar(length, width, angle):
    """Draw a bar of ones through the middle, along `angle` from x towards y."""
    row, column = np.indices((SIZE, SIZE)) - MIDDLE
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along, across = column * cosine + row * sine, row * cosine - column * sine
    return ((np.abs(along) <= length / 2) & (np.abs(across) <= width / 2)).astype(np.float32)


def noise(seed=0):
    return np.random.default_rng(seed).normal(size=(SIZE, SIZE)).astype(np.float32)


def test_profile_of_a_round_image_is_its_function_of_the_radius():
    image = np.cos(RADIUS / 6).astype(np.float32)
    np.testing.assert_allclose(radial_profile(image), np.cos(np.arange(25) / 6), atol=0.02)


@pytest.mark.parametrize("radius", [0, 1, 5, 17, 24])
def test_profile_is_the_mean_over_the_circle(radius):
    image = noise()
    total = weight = 0.0
    for row, column in np.ndindex(SIZE, SIZE):
        share = max(0.0, 1.0 - abs(np.hypot(row - MIDDLE, column - MIDDLE) - radius))
        total, weight = total + share * image[row, column], weight + share
    assert radial_profile(image)[radius] == pytest.approx(total / weight, abs=1e-6)


def test_rotational_average_has_the_profile_at_every_radius():
    average, profile = rotational_average(noise()), radial_profile(noise())
    assert average.dtype == np.float32
    within = RADIUS <= MIDDLE
    expected = np.interp(RADIUS, np.arange(MIDDLE + 1), profile)
    np.testing.assert_allclose(average[within], expected[within], atol=1e-6)
    np.testing.assert_allclose(average, average.T)
    np.testing.assert_allclose(average, average[::-1])


def test_rotational_average_of_a_round_image_is_the_image():
    image = np.exp(-((RADIUS / 9) ** 2)).astype(np.float32)
    within = RADIUS <= MIDDLE
    np.testing.assert_allclose(rotational_average(image)[within], image[within], atol=0.01)


def test_top_template_is_the_rotational_average_of_the_mean():
    windows = np.stack([noise(seed) for seed in range(4)])
    template = top_template(windows)
    assert (template.label, template.angles) == ("top", (0.0,))
    np.testing.assert_allclose(template.image, rotational_average(windows.mean(axis=0)), atol=1e-6)


@pytest.mark.parametrize("angle", [0, 30, 45, 90, 100, 155])
def test_the_given_direction_is_rotated_to_the_x_axis(angle):
    turned = rotate(bar(40, 7, angle), angle)
    assert (turned * bar(40, 7, 0)).sum() > 0.85 * bar(40, 7, 0).sum()
    assert turned[MIDDLE, MIDDLE] == 1


def test_turning_there_and_back_again_changes_little():
    image = np.exp(-((RADIUS / 9) ** 2)).astype(np.float32) * (1 + bar(30, 9, 20))
    back = rotate(rotate(image, 25.0), -25.0)
    assert np.abs(back - image)[RADIUS < 20].mean() < 0.03


def test_no_turn_leaves_the_image_alone():
    np.testing.assert_array_equal(rotate(noise(), 0.0), noise())


def test_sides_are_turned_by_the_angle_that_feret_measures():
    """The shorter side of a bar, along which its angle is measured, is rotated to the x axis."""
    angles = [10.0, 35.0, 80.0, 130.0, 170.0]
    windows = np.stack([bar(36, 22, angle) for angle in angles])
    measured = np.concatenate([measure(window > 0).minimum_angle for window in windows])
    template = side_template(windows, measured)
    upright = bar(36, 22, 90)
    assert template.label == "side"
    assert (np.abs(template.image - upright) < 0.3).mean() > 0.93
    assert np.corrcoef(template.image.ravel(), upright.ravel())[0, 1] > 0.95


def test_side_template_is_symmetric_and_searched_in_every_direction():
    template = side_template(np.stack([noise(1), noise(2)]), np.array([20.0, 70.0]))
    np.testing.assert_allclose(template.image, template.image[::-1], atol=1e-6)
    np.testing.assert_allclose(template.image, template.image[:, ::-1], atol=1e-6)
    np.testing.assert_allclose(np.diff(template.angles), ANGLE_STEP)
    assert template.angles[0] == 0.0
    assert template.angles[-1] + ANGLE_STEP == 180.0
