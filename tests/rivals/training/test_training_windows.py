"""Windows are drawn only where training is allowed, and turn with what lies in them."""

from dataclasses import replace

import numpy as np
import pytest

from deepcryopicker.errors import NothingUsableError
from deepcryopicker.rivals.training.examples import Example, split_examples
from deepcryopicker.rivals.training.training_windows import (
    Windows,
    largest_windows,
    validation_windows,
)


def example(shape=(120, 160), inside=None, avoid=()):
    """An image in which every pixel has its own position as value."""
    row, column = np.indices(shape)
    image = (1000 * row + column).astype(np.float32)
    x, y = np.array([20.0, 80.0, 130.0]), np.array([30.0, 60.0, 90.0])
    return Example(image, x, y, np.array(avoid, float).reshape(-1, 2), 20.0, inside)


def half(shape=(120, 160)):
    inside = np.zeros(shape, bool)
    inside[:, :80] = True
    return inside


def test_a_window_is_what_lies_around_its_place():
    windows = Windows([example()], 16)
    (window,) = windows.cut(windows.at([np.array([[50.0, 40.0]])]))
    np.testing.assert_array_equal(window.image, example().image[32:48, 42:58])


@pytest.mark.parametrize("size", [15, 16, 33])
def test_no_pixel_of_a_window_is_forbidden(size):
    inside = half()
    inside[50:60, 30:40] = False
    forbidden = np.where(inside, 0, 1).astype(np.float32)
    windows = Windows([replace(example(inside=inside), image=forbidden)], size)
    rng = np.random.default_rng(0)
    drawn = windows.anywhere(200, rng).joined(windows.particles)
    drawn = drawn.joined(windows.near(windows.particles.drawn(200, rng), size, rng))
    assert len(drawn) > 200
    # At the edge of the image a window is mirrored, and shows only what may be seen.
    assert all(window.image.max() == 0 for window in windows.cut(drawn))


def test_only_particles_with_a_whole_window_are_drawn():
    windows = Windows([example(inside=half())], 32)
    assert windows.particles.x.tolist() == [20]  # of the one at 80, half a window is forbidden


def test_background_keeps_clear_of_particles_and_of_doubtful_places():
    one = example(avoid=[(50.0, 100.0)])
    windows = Windows([one, one], 16)
    drawn = windows.anywhere(150, np.random.default_rng(1), clear=1.0)
    assert len(drawn) == 150
    assert set(drawn.example) == {0, 1}
    known = np.concatenate([one.particles, one.avoid])
    distance = np.hypot(drawn.x[:, None] - known[:, 0], drawn.y[:, None] - known[:, 1])
    assert distance.min() >= one.diameter


@pytest.mark.parametrize("seed", range(8))
def test_particles_turn_with_their_window(seed):
    one = example(avoid=[(78.0, 66.0)])
    windows = Windows([one], 40)
    (window,) = windows.cut(windows.at([np.array([[84.0, 56.0]])]))
    turned = window.turned(np.random.default_rng(seed))
    for places, known in ((turned.particles, (80, 60)), (turned.avoid, (78, 66))):
        (column, row), *others = places.astype(int)
        assert not others
        assert turned.image[row, column] == one.image[known[1], known[0]]


def test_where_nothing_fits_it_is_said():
    narrow = np.zeros((120, 160), bool)
    narrow[:, 70:90] = True
    with pytest.raises(NothingUsableError, match="window of 64 working pixels"):
        Windows([example(inside=narrow)], 64)
    assert largest_windows([example(inside=narrow)], (64, 32, 16)).size == 16
    training = Windows([example()], 64)
    assert validation_windows([example(inside=narrow)], training) is training


def test_micrographs_are_split_once_and_for_all():
    examples = [replace(example(), diameter=float(number)) for number in range(8)]
    train, validation = split_examples(examples, 3)
    numbers = [[one.diameter for one in part] for part in (train, validation)]
    assert sorted(numbers[0] + numbers[1]) == list(range(8))
    assert len(validation) == 2
    again = split_examples(examples, 3)
    assert [[one.diameter for one in part] for part in again] == numbers


def test_a_single_micrograph_is_divided():
    one = example(inside=half())
    (train,), (validation,) = split_examples([one], 0)
    assert not (train.inside & validation.inside).any()
    np.testing.assert_array_equal(train.inside | validation.inside, one.inside)
    assert train.holds(one.x, one.y).tolist() == [True, False, False]
