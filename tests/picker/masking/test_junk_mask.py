"""The mask of where not to pick, on synthetic images in working pixels."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.special import expit

from deepcryopicker.picker.masking.junk_mask import junk_mask
from deepcryopicker.preprocessing.operators.restore import flatten
from deepcryopicker.types import Margins

DIAMETER = 24.0
SIDE = 720


def noise(seed=0, shape=(SIDE, SIDE)):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def distance_from(x, y, shape=(SIDE, SIDE)):
    rows, columns = np.indices(shape)
    return np.hypot(columns - x, rows - y)


def with_particles(image, centres, depth=1.5):
    """Dark discs with soft borders, background subtracted."""
    apart = np.ones(image.shape, bool)
    x, y = np.rint(np.transpose(centres)).astype(int)
    apart[y, x] = False
    away = ndimage.distance_transform_edt(apart) - DIAMETER / 2
    return flatten((image - depth * expit(-away)).astype(np.float32), 1.5 * DIAMETER)


def places(count, seed=1, width=SIDE, apart=0.95 * DIAMETER):
    """Centres that are a distance apart, in the left part of an image."""
    rng = np.random.default_rng(seed)
    kept = []
    while len(kept) < count:
        place = rng.uniform(0, (width - 1, SIDE - 1))
        if all(np.hypot(*(place - other)) > apart for other in kept):
            kept.append(place)
    return np.array(kept)


def half_film(factor=1.6):
    """Particles on the left, film with stronger noise on the right."""
    image = noise()
    image[:, SIDE // 2 :] *= factor
    return with_particles(image, places(60, width=SIDE / 2 - DIAMETER))


def blob(radius=45.0, at=(300, 400)):
    """A large dark blob after the subtraction of the background, and the distance from it."""
    away = distance_from(*at) - radius
    image = (noise() - 8 * expit(-away)).astype(np.float32)
    return with_particles(image, places(60)), away


def test_noise_is_not_masked():
    assert not junk_mask(noise(), DIAMETER).any()


@pytest.mark.parametrize("count", [10, 100, 400])
def test_particles_are_not_masked(count):
    assert not junk_mask(with_particles(noise(), places(count)), DIAMETER).any()


def test_a_crowd_of_particles_is_not_masked():
    rows, columns = np.mgrid[100:400:26, 100:400:26]
    crowd = np.column_stack([columns.ravel(), rows.ravel()])
    assert not junk_mask(with_particles(noise(), crowd), DIAMETER).any()


def test_ice_that_slowly_becomes_thicker_is_not_masked():
    strength = np.linspace(0.7, 1.4, SIDE, dtype=np.float32)
    assert not junk_mask(with_particles(noise() * strength, places(60)), DIAMETER).any()


def test_film_is_masked_up_to_its_edge():
    mask = junk_mask(half_film(), DIAMETER)
    assert mask[:, SIDE // 2 :].mean() > 0.97
    assert mask[:, SIDE // 2 + round(DIAMETER) :].all()
    assert not mask[:, : SIDE // 2 - round(DIAMETER)].any()


def test_the_part_with_particles_is_kept_although_it_is_the_smaller_one():
    image = np.roll(half_film(), -100, axis=1)[:, : SIDE - 100]
    mask = junk_mask(image, DIAMETER)
    assert mask[:, SIDE // 2 - 100 :].mean() > 0.99
    assert not mask[:, : SIDE // 2 - 100 - round(DIAMETER)].any()


def test_two_textures_without_particles_are_not_masked():
    image = noise()
    image[:, SIDE // 2 :] *= 1.6
    assert not junk_mask(image, DIAMETER).any()


def test_two_textures_with_particles_on_both_are_not_masked():
    image = noise()
    image[:, SIDE // 2 :] *= 1.6
    image = with_particles(image, places(150), depth=4.0)
    assert not junk_mask(image, DIAMETER).any()


def test_a_bare_hole_is_masked():
    image = with_particles(noise(), places(60))
    corner = distance_from(0, 0) < 250
    image[corner] = 0.6 * noise(2)[corner]
    mask = junk_mask(image, DIAMETER)
    assert mask[distance_from(0, 0) < 240].mean() > 0.98
    assert not mask[distance_from(0, 0) > 250 + 1.5 * DIAMETER].any()


def test_a_large_blob_is_masked_with_half_a_diameter_round_it():
    image, away = blob()
    mask = junk_mask(image, DIAMETER)
    assert mask[away < DIAMETER / 2 - 4].all()  # cells of the mask are four pixels wide
    assert not mask[away > DIAMETER].any()


def test_a_blob_of_many_diameters_is_masked_as_a_whole():
    image, away = blob(radius=170.0)
    assert junk_mask(image, DIAMETER)[away < 0].all()


def test_a_blob_at_the_edge_of_the_image_is_masked():
    image, away = blob(at=(0, 300))
    assert junk_mask(image, DIAMETER)[away < 0].mean() > 0.95


def test_scale_and_offset_of_the_image_do_not_matter():
    image, _ = blob()
    image[:, :200] = 2 * noise(3)[:, :200]
    expected = junk_mask(image, DIAMETER)
    assert 0.1 < expected.mean() < 0.5
    assert np.mean(junk_mask(1000 * image + 5000, DIAMETER) != expected) < 1e-3
    assert np.mean(junk_mask(1e-3 * image - 2, DIAMETER) != expected) < 1e-3


@pytest.mark.parametrize("flip", [np.flipud, np.fliplr, np.transpose])
def test_a_flipped_image_has_a_flipped_mask(flip):
    image = np.minimum(half_film(), blob(at=(150, 400))[0])
    mask = junk_mask(image, DIAMETER)
    flipped = junk_mask(np.ascontiguousarray(flip(image)), DIAMETER)
    assert np.mean(flipped != flip(mask)) < 0.005


def test_a_shifted_image_has_a_shifted_mask():
    image = np.minimum(half_film(), blob(at=(150, 400))[0])
    mask = junk_mask(image, DIAMETER)
    moved = junk_mask(np.ascontiguousarray(image[31:, 17:]), DIAMETER)
    assert np.mean(moved != mask[31:, 17:]) < 0.01


def test_margins_are_masked_and_have_no_influence():
    image = np.pad(half_film(), ((0, 0), (30, 40)))
    margins = Margins(left=30, right=40)
    mask = junk_mask(image, DIAMETER, margins)
    assert mask[:, :30].all()
    assert mask[:, -40:].all()
    np.testing.assert_array_equal(mask[:, 30:-40], junk_mask(half_film(), DIAMETER))


def test_equal_images_have_equal_masks_and_stay_unchanged():
    image = half_film()
    kept = image.copy()
    np.testing.assert_array_equal(junk_mask(image, DIAMETER), junk_mask(image, DIAMETER))
    np.testing.assert_array_equal(image, kept)


@pytest.mark.parametrize("shape", [(48, 48), (5, 300), (1, 1), (49, 703)])
def test_any_shape_has_a_mask(shape):
    mask = junk_mask(noise(shape=shape), DIAMETER)
    assert mask.shape == shape
    assert mask.dtype == bool
    assert not mask.any()


def test_a_constant_image_is_not_masked():
    assert not junk_mask(np.full((200, 300), 7.0, np.float32), DIAMETER).any()


def test_an_image_that_is_half_constant_has_a_mask():
    image = with_particles(noise(), places(60))
    image[:, : SIDE // 4] = 0.0
    mask = junk_mask(image, DIAMETER)
    assert mask[:, : SIDE // 4 - 12].all()
    assert not mask[:, SIDE // 4 + round(1.5 * DIAMETER) :].any()


def test_noise_of_any_correlation_is_not_masked():
    for width in (1.0, 3.0, 8.0):
        assert not junk_mask(ndimage.gaussian_filter(noise(), width), DIAMETER).any()
