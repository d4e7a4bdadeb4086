"""Scale factors in steps: the paper's examples, and their definition."""

import numpy as np
import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.preprocessing.chain import chain_diameter, model_diameter, model_scale
from deepcryopicker.preprocessing.operators.resize import rescale
from deepcryopicker.preprocessing.scaling import even_shape, grid_factor, scaled_shape
from deepcryopicker.preprocessing.schema import PreprocessingConfig


@pytest.mark.parametrize(
    ("side", "factor", "scaled"),
    [(94, 2.375, 223.25), (187, 1.125, 210.375), (221, 1.0, 221), (320, 0.625, 200)],
)
def test_the_papers_patches(side, factor, scaled):
    assert grid_factor(side, 227) == factor
    assert side * factor == scaled


@pytest.mark.parametrize("limit", [24.0, 130.0, 227.0])
def test_the_factor_is_the_largest_that_fits(limit):
    for side in np.linspace(5, 8 * limit, 400):
        fitting = [step for step in 0.125 * np.arange(1, 400) if step * side <= limit]
        assert grid_factor(side, limit) == max(fitting)


def test_a_patch_that_just_fits_is_not_scaled_down():
    assert grid_factor(227, 227) == 1.0
    assert grid_factor(48.0, 24.0) == 0.5


def test_patches_too_large_for_the_grid_get_nearly_all_of_the_limit():
    assert grid_factor(2270, 227) == pytest.approx(0.097)


@pytest.mark.parametrize(
    ("shape", "factor", "scaled", "even"),
    [
        ((1200, 1240), 2.375, (2850, 2945), (2850, 2946)),
        ((4096, 4096), 0.625, (2560, 2560), (2560, 2560)),
        ((927, 959), 0.375, (348, 360), (348, 360)),
        ((927, 959), 0.625, (580, 600), (580, 600)),
    ],
)
def test_shapes_are_those_of_rescaled_micrographs(shape, factor, scaled, even):
    assert scaled_shape(shape, factor) == scaled
    assert even_shape(scaled) == even
    small = shape[0] // 10, shape[1] // 10
    assert rescale(np.zeros(small, np.float32), factor).shape == scaled_shape(small, factor)


def config(**changes):
    given = {"working_diameter": 24.0, "model_input": "n", "steps": {"n": {"operation": "x"}}}
    return PreprocessingConfig(**given | changes)


@pytest.mark.parametrize("diameter", [30.0, 60.0, 92.0, 150.0, 500.0])
def test_a_particle_has_the_pixels_that_the_scale_gives_it(diameter):
    grid = config(scaling="grid")
    assert model_scale(grid, diameter) == grid_factor(diameter, 24.0)
    assert model_diameter(grid, diameter) == diameter * model_scale(grid, diameter)
    assert 12 < model_diameter(grid, diameter) <= 24
    assert chain_diameter(grid, diameter) == model_diameter(grid, diameter)
    assert model_scale(config(), diameter) == 24 / diameter
    assert model_diameter(config(), diameter) == 24


@pytest.mark.parametrize(
    ("diameter", "patch", "factor"),
    [(60.0, 94.0, 2.375), (150.0, 221.0, 1.0), (184.0, 320.0, 0.625)],
)
def test_the_grid_of_the_papers_patches_has_the_papers_factors(diameter, patch, factor):
    grid = config(scaling="grid", working_diameter=227.0, patch=patch / diameter)
    assert model_scale(grid, diameter) == factor
    assert model_diameter(grid, diameter) == diameter * factor
    whole = config(scaling="grid", working_diameter=227.0)
    assert model_scale(whole, diameter) > factor  # a particle alone could be larger


def test_a_patch_that_is_not_measured_yet_is_refused():
    with pytest.raises(UsageError, match=r"^preprocessing\.patch=null is measured by train"):
        model_scale(config(scaling="grid", patch=None), 60.0)
    with pytest.raises(UsageError, match=r"preprocessing\.patch must lie in .* got 0\.1; null"):
        config(patch=0.1)


def test_a_chain_at_its_own_scale_is_not_on_the_grid():
    grid = config(scaling="grid", scale=0.4)
    assert chain_diameter(grid, 60.0) == pytest.approx(24.0)
    assert model_diameter(grid, 60.0) == 60 * 0.375
