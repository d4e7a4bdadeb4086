"""What networks are trained to give: against values written out."""

import numpy as np
import pytest
import torch

from deepcryopicker.rivals.training.target_maps import heat_map, map_loss, weight_map
from deepcryopicker.rivals.training.training_windows import Window


def test_a_bump_has_its_top_at_the_particle():
    heat = heat_map(np.array([[6.0, 3.0]]), 12, 2.0, 1)
    assert heat[3, 6] == 1.0
    assert heat[3, 8] == pytest.approx(np.exp(-0.5))
    assert heat[7, 6] == pytest.approx(np.exp(-2.0))


def test_a_map_pixel_lies_between_the_pixels_that_it_stands_for():
    heat = heat_map(np.array([[4.5, 2.5]]), 12, 2.0, 2)
    assert heat.shape == (6, 6)
    assert heat[1, 2] == 1.0


def test_of_two_bumps_the_higher_counts():
    both = heat_map(np.array([[3.0, 3.0], [5.0, 3.0]]), 12, 2.0, 1)
    each = [heat_map(np.array([[x, 3.0]]), 12, 2.0, 1) for x in (3.0, 5.0)]
    np.testing.assert_array_equal(both, np.maximum(*each))


def test_without_particles_there_is_no_bump():
    assert not heat_map(np.zeros((0, 2)), 8, 2.0, 1).any()
    assert weight_map(np.zeros((0, 2)), 8, 2.0, 1).all()


def test_doubtful_places_do_not_count():
    image = np.zeros((8, 8), np.float32)
    window = Window(image, np.zeros((0, 2)), np.array([[4.0, 4.0]]), 4.0)
    logits = torch.full((1, 1, 8, 8), -20.0)
    logits[0, 0, 4, 4] = 20.0  # as sure as wrong, were it known
    assert map_loss(logits, [window], 0.15, 1) < 1e-6
    logits[0, 0, 4, 7] = 20.0
    assert map_loss(logits, [window], 0.15, 1) > 0.1
