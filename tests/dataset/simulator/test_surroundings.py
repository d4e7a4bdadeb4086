"""What lies round particles: each sort is where it says, of the size and darkness it says."""

import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.dataset.simulator.surroundings import (
    contamination,
    frozen_water,
    protein,
    stain,
    support,
)
from deepcryopicker.dataset.simulator.surroundings.canvas import Canvas, Layer, smooth_noise
from deepcryopicker.dataset.simulator.surroundings.materials import (
    CARBON,
    ICE,
    mean_free_path,
)
from deepcryopicker.dataset.structures.potential import EXCESS_PER_DALTON, interaction

CANVAS = Canvas((240, 260), 6.0, 24.0, 300.0)
SOLID = (
    contamination.draw_blobs,
    contamination.draw_large_crystal,
    contamination.draw_specks,
    contamination.draw_beads,
    contamination.draw_patch,
    frozen_water.draw_hexagons,
    frozen_water.draw_crystalline,
)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("scale", [0.8, 3.0, 12.0])
def test_smooth_noise_has_unit_variance_and_its_scale(scale):
    field = np.concatenate([smooth_noise((300, 300), scale, rng(seed)) for seed in range(6)])
    assert field.std() == pytest.approx(1, abs=0.15)
    # The correlation at a distance r of filtered white noise is exp(-r^2 / (4 scale^2)).
    step = max(1, round(scale))
    correlation = np.mean(field[:, :-step] * field[:, step:]) / field.var()
    assert correlation == pytest.approx(np.exp(-(step**2) / (4 * scale**2)), abs=0.12)


@pytest.mark.parametrize("draw", SOLID)
def test_contamination_is_dark_and_only_where_it_says(draw):
    """Outside its mask a layer has no phase and loses nothing, up to a blurred edge."""
    occupied = 0
    for seed in range(4):
        layer = draw(CANVAS, rng(seed))
        assert layer.loss.shape == layer.phase.shape == CANVAS.shape
        assert np.isfinite(layer.phase).all()
        assert (layer.loss >= 0).all()
        outside = ~ndimage.binary_dilation(layer.occupied, iterations=4)
        assert np.abs(layer.phase[outside]).max(initial=0) < 0.25
        assert layer.loss[outside].max(initial=0) < 0.1
        occupied += layer.occupied.sum()
        if layer.occupied.any():
            assert layer.loss.max() > 0.005
    assert occupied > 0


def test_blobs_are_larger_than_most_particles_and_beads_have_their_size():
    for seed in range(4):
        layer = contamination.draw_blobs(CANVAS, rng(seed))
        assert layer.occupied.sum() > np.pi / 4 * (0.3 * CANVAS.diameter) ** 2
    beads = contamination.draw_beads(CANVAS, rng(1))
    labelled, count = ndimage.label(beads.occupied)
    area = np.median(np.bincount(labelled.ravel())[1:])
    assert 50 <= 2 * np.sqrt(area / np.pi) * CANVAS.pixel <= 260
    assert 1 <= count <= 24
    # 50 Angstrom of gold stop a fifth of the electrons and more.
    assert beads.loss.max() > 0.2


def test_a_film_is_where_its_edge_says():
    depth = support.draw_edge(CANVAS, rng(2), (0.3, 0.3))
    film = support.draw_film(CANVAS, depth, 150.0, rng(3))
    np.testing.assert_array_equal(film.occupied, depth > 0)
    assert film.occupied.mean() == pytest.approx(0.3, abs=0.02)
    inside, outside = depth > 12, depth < -12
    assert not film.loss[outside].any()
    assert not film.phase[outside].any()
    expected = 150.0 / mean_free_path(CARBON, 300.0)
    assert film.loss[inside].mean() == pytest.approx(expected, rel=0.1)
    mean = interaction(300.0) * CARBON.potential * 150.0
    assert film.phase[inside].mean() == pytest.approx(mean, rel=0.1)


@pytest.mark.parametrize("seed", range(6))
def test_an_edge_leaves_the_share_it_is_given(seed):
    depth = support.draw_edge(CANVAS, rng(seed), (0.2, 0.4))
    assert 0.18 <= np.mean(depth > 0) <= 0.42


def test_film_has_a_texture_of_its_own():
    """Thon rings need it: the phase noise of a film is larger than that of thin ice."""
    fine = []
    for seed in range(8):
        film = support.draw_film(CANVAS, None, 150.0, rng(seed))
        ice = frozen_water.draw_vitreous(CANVAS, 300.0, rng(seed))
        assert film.occupied.all()
        assert not ice.occupied.any()
        detail = [
            float(np.std(layer.phase - ndimage.gaussian_filter(layer.phase, 2)))
            for layer in (film, ice)
        ]
        fine.append(detail[0] / detail[1])
    assert np.median(fine) > 1.5


def test_ice_has_its_thickness():
    means = [frozen_water.draw_thickness(CANVAS, 500.0, rng(seed)).mean() for seed in range(20)]
    assert np.median(means) == pytest.approx(500, rel=0.1)
    layer = frozen_water.draw_vitreous(CANVAS, 500.0, rng(0))
    assert layer.loss.mean() == pytest.approx(500 / mean_free_path(ICE, 300.0), rel=0.2)


def test_slower_electrons_are_lost_sooner():
    """The squared velocity at 120 kV over that at 300 kV is 0.345 / 0.603."""
    ratio = mean_free_path(ICE, 120.0) / mean_free_path(ICE, 300.0)
    assert ratio == pytest.approx(0.345 / 0.603, rel=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_cracks_are_narrow_and_empty(seed):
    left = frozen_water.draw_cracks(CANVAS, rng(seed))
    assert left.min() < 0.2
    assert left.max() == 1
    assert 0.001 < np.mean(left < 0.5) < 0.5


def test_protein_has_the_phase_of_its_mass():
    for draw in (protein.draw_strands, lambda c, r: protein.draw_pieces(c, 1e6, r)):
        layer = draw(CANVAS, rng(0))
        assert layer.phase.min() > -1e-6
        assert not layer.loss.any()
        assert not layer.occupied.any()
    aggregate = protein.draw_aggregate(CANVAS, 5e5, rng(5))
    one = interaction(300.0) * EXCESS_PER_DALTON * 5e5 / CANVAS.pixel**2
    assert aggregate.phase.sum() / one >= 2  # of five particles and more, some may lie outside
    assert aggregate.occupied.any()


def test_stain_leaves_particles_out_or_surrounds_them():
    rows, columns = np.indices(CANVAS.shape)
    away = np.hypot(rows - 120, columns - 130)
    thick = 140.0 * np.sqrt(np.maximum(1 - (away / 12) ** 2, 0))
    brighter, darker = 0, 0
    for seed in range(12):
        layer = stain.draw_stain(CANVAS, thick.astype(np.float32), rng(seed))
        assert (layer.loss >= 0).all()
        inside, beside = layer.loss[away < 8].mean(), layer.loss[(away > 30) & (away < 50)].mean()
        brighter, darker = brighter + (inside < beside), darker + (inside > beside)
    assert brighter >= 3
    assert darker >= 3


def test_bubbles_have_little_stain_within_a_wall():
    factor = np.ones(CANVAS.shape, np.float32)
    for seed in range(8):
        factor = np.minimum(factor, stain.draw_bubbles(CANVAS, rng(seed)))
    assert factor.min() < 0.7
    assert max(stain.draw_bubbles(CANVAS, rng(seed)).max() for seed in range(8)) > 1.1


def test_thickness_of_protein_undoes_its_phase():
    """A particle of thickness t has the phase sigma t EXCESS / VOLUME: 3.57 V at 300 kV."""
    phase = np.float32(interaction(300.0) * 3.569 * 100.0)
    assert stain.protein_thickness(np.array([phase]), 300.0) == pytest.approx(100, rel=1e-3)


def test_layers_add_up_and_can_be_confined():
    ones, half = np.ones((4, 4), np.float32), np.zeros((4, 4), np.float32)
    half[:2] = 1
    layer = Layer(ones, 2 * ones, ones > 0)
    both = layer.with_layer(layer)
    assert (both.phase == 2).all()
    assert (both.loss == 4).all()
    inside = layer.within(half)
    np.testing.assert_array_equal(inside.occupied, half > 0)
    np.testing.assert_array_equal(inside.loss, 2 * half)


def test_a_mask_is_widened_by_a_distance():
    mask = np.zeros((41, 41), bool)
    mask[20, 20] = True
    rows, columns = np.indices(mask.shape) - 20
    np.testing.assert_array_equal(support.widened(mask, 6.5), np.hypot(rows, columns) < 6.5)
    assert not support.widened(np.zeros((5, 5), bool), 3.0).any()
