"""The chain: order, ablation, refusals and units, with the configurations that ship."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from deepcryopicker._conf import CONF_DIR
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.preprocessing import contrast, restore
from deepcryopicker.preprocessing.pipeline import (
    OPERATIONS,
    apply_step,
    preprocess,
    stages,
    to_working_scale,
)
from deepcryopicker.preprocessing.resize import rescale
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Micrograph

SHIPPED = sorted(path.stem for path in (CONF_DIR / "preprocessing").glob("*.yaml"))


def settings(name):
    loaded = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "preprocessing" / f"{name}.yaml"))
    del loaded["defaults"]
    return loaded


def configure(name, **steps):
    loaded = settings(name)
    loaded["steps"].update(steps)
    return PreprocessingConfig(**loaded)


@pytest.fixture
def micrograph():
    image = np.random.default_rng(0).normal(100, 10, (200, 260)).astype(np.float32)
    return Micrograph("one", Path("one.mrc"), image)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_chains_run_in_the_order_written(micrograph, name):
    config = configure(name)
    images = list(stages(micrograph, 48, config))
    assert [step for step, _ in images] == ["rescaled", *settings(name)["steps"]]
    for step, stage in images:
        assert np.isfinite(stage.image).all(), step
        assert stage.image.dtype == np.float32
        assert stage.scale == config.working_diameter / 48
        assert stage.image.shape == images[0][1].image.shape


def test_matlab_chain_is_its_operators_one_after_the_other(micrograph):
    image = rescale(micrograph.image, 0.5)
    image = contrast.stretch(contrast.normalise(image))
    image = contrast.equalise(restore.wiener(contrast.equalise(image), 5))
    image = contrast.clahe(contrast.clahe(image, 0.02), 0.99)
    image = restore.opening(contrast.stretch(restore.guided(image, 5, 0.01, 4)), 1)
    result = preprocess(micrograph, 60, configure("matlab"))
    np.testing.assert_array_equal(result.image, image)


def test_each_step_works_on_the_one_before(micrograph):
    config = configure("default")
    images = list(stages(micrograph, 24, config))
    for (_, before), (name, after) in pairwise(images):
        expected = apply_step(before.image, name, config.steps[name], 24)
        np.testing.assert_array_equal(after.image, expected)


def test_null_step_is_left_out(micrograph):
    whole, ablated = configure("default"), configure("default", wiener=None)
    names = [name for name, _ in stages(micrograph, 24, ablated)]
    assert "wiener" not in names
    assert len(names) == len(whole.steps)  # with "rescaled"
    difference = preprocess(micrograph, 24, whole).image - preprocess(micrograph, 24, ablated).image
    assert np.abs(difference).max() > 0.05


def test_until_stops_after_the_step_named(micrograph):
    config = configure("default")
    images = dict(stages(micrograph, 30, config))
    for name in ("rescaled", "standardise", "opening"):
        result = preprocess(micrograph, 30, config, until=name)
        np.testing.assert_array_equal(result.image, images[name].image)
    last = preprocess(micrograph, 30, config)
    np.testing.assert_array_equal(last.image, images["opening"].image)


def test_unknown_operation_names_the_nearest():
    with pytest.raises(UsageError, match="Did you mean wiener") as refusal:
        apply_step(np.zeros((9, 9), np.float32), "smooth", {"operation": "weiner"}, 24)
    assert "preprocessing.steps.smooth" in str(refusal.value)
    for operation in OPERATIONS:
        assert operation in str(refusal.value)


def test_missing_operation_is_refused():
    with pytest.raises(UsageError, match="no operation called"):
        apply_step(np.zeros((9, 9), np.float32), "smooth", {"size": 3}, 24)


def test_unknown_parameter_names_the_nearest():
    step = {"operation": "wiener", "sise": 5}
    with pytest.raises(UsageError, match="Did you mean size"):
        apply_step(np.zeros((9, 9), np.float32), "smooth", step, 24)


def test_image_is_no_parameter():
    with pytest.raises(UsageError, match="no parameter called 'image'"):
        apply_step(np.zeros((9, 9), np.float32), "s", {"operation": "wiener", "image": 1}, 24)


def test_parameters_in_diameters_become_pixels(micrograph):
    step = {"operation": "gaussian", "sigma_diameters": 0.25}
    for diameter, sigma in ((24, 6), (40, 10)):
        found = apply_step(micrograph.image, "blur", step, diameter)
        np.testing.assert_array_equal(found, restore.gaussian(micrograph.image, sigma))
    assert step == {"operation": "gaussian", "sigma_diameters": 0.25}


def test_model_input_must_be_a_step_that_runs():
    with pytest.raises(UsageError, match=r"preprocessing.model_input"):
        configure("default", standardise=None)


@pytest.mark.parametrize("diameter", [7.9, 513])
def test_absurd_working_diameter_is_refused(diameter):
    with pytest.raises(UsageError, match="working_diameter"):
        PreprocessingConfig(diameter, "n", {"n": {"operation": "normalise"}})


def test_too_small_micrograph_is_refused(micrograph):
    config = configure("none")
    assert preprocess(micrograph, 100, config).image.shape == (48, 63)
    with pytest.raises(MicrographError, match="260x200 pixels is smaller than two particle"):
        preprocess(micrograph, 100.5, config)


def test_margins_are_scaled_and_neutralised(micrograph):
    image = np.pad(micrograph.image, ((40, 0), (0, 20)), mode="edge")
    scaled = to_working_scale(Micrograph("m", Path("m"), image), 0.5)
    np.testing.assert_allclose(scaled.margins, (20, 0, 0, 10), atol=1.5)
    assert scaled.scale == 0.5
    assert scaled.image[:18].std() < 0.01 * scaled.image[25:].std()


def test_grey_values_of_the_file_do_not_matter(micrograph):
    config = configure("default")
    other = Micrograph("m", Path("m"), micrograph.image * 37 + 1000)
    for until in ("standardise", None):
        found = preprocess(other, 24, config, until).image
        expected = preprocess(micrograph, 24, config, until).image
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.999


def test_constant_micrograph_is_refused():
    blank = Micrograph("blank", Path("blank.mrc"), np.full((300, 300), 7.0, np.float32))
    with pytest.raises(MicrographError, match="same value"):
        preprocess(blank, 40.0, configure("default"))
