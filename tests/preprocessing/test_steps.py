"""The chain: order, ablation, refusals and units, with every preset."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.frames import to_working
from deepcryopicker.preprocessing.chain import seen_by_network
from deepcryopicker.preprocessing.operators import contrast, restore
from deepcryopicker.preprocessing.operators.clahe import clahe
from deepcryopicker.preprocessing.operators.resize import rescale
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.preprocessing.steps import (
    OPERATIONS,
    apply_step,
    preprocess,
    stages,
    to_model_scale,
    to_working_scale,
)
from deepcryopicker.types import Micrograph

SHIPPED = sorted(path.stem for path in (CONF_DIR / "preprocessing").glob("*.yaml"))
VARIANTS = sorted(path.stem for path in Path(__file__).parent.glob("presets/preprocessing/*.yaml"))
PRESETS = [*SHIPPED, *VARIANTS]
DEFAULT_STEPS = list(OmegaConf.load(CONF_DIR / "preprocessing" / "default.yaml").steps)
MATLAB = [name for name in PRESETS if name.startswith(("matlab", "legacy"))]


@pytest.fixture
def micrograph():
    image = np.random.default_rng(0).normal(100, 10, (200, 260)).astype(np.float32)
    return Micrograph("one", Path("one.mrc"), image)


@pytest.mark.parametrize("name", PRESETS)
def test_chains_run_in_the_order_written(preset, micrograph, name):
    config = preset(name)
    images = list(stages(micrograph, 48, config))
    written = [step for step, settings in config.steps.items() if settings is not None]
    assert [step for step, _ in images] == ["rescaled", *written]
    for step, stage in images:
        assert np.isfinite(stage.image).all(), step
        assert stage.image.dtype == (np.float64 if name in MATLAB else np.float32)
        assert stage.scale == (config.scale or config.working_diameter / 48)
        assert stage.image.shape == images[0][1].image.shape


def test_matlab_chain_runs_at_half_size_whatever_the_diameter(preset, micrograph):
    """What its stages are is compared with the authors' pictures (test_golden.py)."""
    results = [preprocess(micrograph, diameter, preset("matlab")) for diameter in (40, 60, 90)]
    assert {result.scale for result in results} == {0.5}
    assert {result.image.shape for result in results} == {(100, 130)}
    for other in results[1:]:
        np.testing.assert_array_equal(other.image, results[0].image)


def test_irregular_variant_is_the_matlab_chain_opened_with_the_square_first(preset, micrograph):
    regular, irregular = (
        dict(stages(micrograph, 60, preset(name))) for name in ("matlab", "matlab_irregular")
    )
    before = regular["restretch"].image
    np.testing.assert_array_equal(irregular["restretch"].image, before)
    expected = restore.opening(restore.opening(before, 3), 1)
    np.testing.assert_array_equal(irregular["opening_again"].image, expected)
    assert not np.array_equal(regular["opening"].image, expected)


def test_inverted_variant_gives_bright_particles_what_the_matlab_chain_gives_dark_ones(
    preset, micrograph
):
    """Up to the rounding of complements, which moves single pixels across a level of 256."""
    found = preprocess(micrograph, 60, preset("matlab_inverted")).image
    bright = 1 - contrast.normalise(micrograph.image)
    expected = 1 - preprocess(replace(micrograph, image=bright), 60, preset("matlab")).image
    assert (np.abs(found - expected) < 1e-6).mean() > 0.9


def test_legacy_mrc_chain_is_its_operators_at_full_size(preset, micrograph):
    file = micrograph.image.astype(np.float64)
    image = contrast.equalise(contrast.stretch(file / file.max()))
    image = contrast.equalise(restore.wiener(image, 3))
    image = restore.guided(clahe(clahe(image, 0.02), 0.99), 5, 0.01, 4)
    image = restore.closing(contrast.stretch(image), 5)
    expected = 1 - np.clip((image - 0.1) / 0.8, 0, 1)
    bright = replace(micrograph, image=-micrograph.image)  # what reading makes of bright ones
    result = preprocess(bright, 60, preset("legacy_mrc"))
    np.testing.assert_allclose(result.image, expected, atol=1e-9)


def test_legacy_dm3_chain_is_its_operators(preset, micrograph):
    file = rescale(micrograph.image.astype(np.float64), 0.5)
    image = contrast.equalise(restore.wiener(contrast.equalise(file / file.max()), 5))
    image = contrast.stretch(clahe(clahe(image, 0.02), 0.99))
    expected = 1 - restore.opening(image, 1)
    bright = replace(micrograph, image=-micrograph.image)
    result = preprocess(bright, 60, preset("legacy_dm3"))
    np.testing.assert_allclose(result.image, expected, atol=1e-9)


@pytest.mark.parametrize("name", [n for n in PRESETS if n != "none"])
@pytest.mark.parametrize("polarity", [1, -1])
@pytest.mark.thorough
def test_dark_particles_stay_dark_through_every_chain(preset, name, polarity):
    """A file with dark particles, and one with bright ones, whose sign reading changes."""
    rng = np.random.default_rng(0)
    row, column = np.ogrid[:320, :320]
    disc = np.hypot((row % 80) - 40, (column % 80) - 40) < 16
    file = 1000 - polarity * (60 * disc + rng.normal(0, 20, disc.shape))
    micrograph = Micrograph("discs", Path("d.mrc"), (polarity * file).astype(np.float32))
    last = preprocess(micrograph, 32, preset(name))
    inside = rescale(disc.astype(np.float32), last.scale) > 0.5
    assert last.image[inside].mean() < last.image[~inside].mean() - 0.2


def test_each_step_works_on_the_one_before(preset, micrograph):
    config = preset("default")
    images = list(stages(micrograph, 24, config))
    for (_, before), (name, after) in pairwise(images):
        expected = apply_step(before.image, name, config.steps[name], 24)
        np.testing.assert_array_equal(after.image, expected)


def test_null_step_is_left_out(preset, micrograph):
    whole, ablated = preset("default"), preset("default", "steps.wiener=null")
    names = [name for name, _ in stages(micrograph, 24, ablated)]
    assert "wiener" not in names
    assert len(names) == len(whole.steps)  # with "rescaled"
    difference = preprocess(micrograph, 24, whole).image - preprocess(micrograph, 24, ablated).image
    assert np.abs(difference).max() > 0.05


def test_until_stops_after_the_step_named(preset, micrograph):
    config = preset("default")
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


def test_image_is_not_a_parameter():
    with pytest.raises(UsageError, match="no parameter called 'image'"):
        apply_step(np.zeros((9, 9), np.float32), "s", {"operation": "wiener", "image": 1}, 24)


def test_parameters_in_diameters_become_pixels(micrograph):
    step = {"operation": "gaussian", "sigma_diameters": 0.25}
    for diameter, sigma in ((24, 6), (40, 10)):
        found = apply_step(micrograph.image, "blur", step, diameter)
        np.testing.assert_array_equal(found, restore.gaussian(micrograph.image, sigma))
    assert step == {"operation": "gaussian", "sigma_diameters": 0.25}


def test_model_input_must_be_a_step_that_runs(preset):
    with pytest.raises(UsageError, match=r"preprocessing.model_input"):
        preset("default", "steps.standardise=null")


@pytest.mark.parametrize("step", ["clip", "wiener", "opening"])
@pytest.mark.thorough
def test_a_skipped_step_is_not_part_of_the_chain(preset, micrograph, step):
    left_out = list(stages(micrograph, 24, preset("default", f"skip={step}")))
    dropped = list(stages(micrograph, 24, preset("default", f"steps.{step}=null")))
    assert [name for name, _ in left_out] == [name for name, _ in dropped]
    for (_, one), (_, other) in zip(left_out, dropped, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_a_step_to_leave_out_that_is_not_there_is_refused_with_the_nearest(preset):
    with pytest.raises(UsageError, match=r"preprocessing.skip.*Did you mean wiener"):
        preset("default", "skip=weiner")
    with pytest.raises(UsageError, match=r"preprocessing.skip"):
        preset("default", "skip=wiener", "steps.wiener=null")


@pytest.mark.parametrize(
    ("name", "left_out", "seen"),
    [
        ("default", "wiener", "standardise"),
        ("default", "standardise", "flatten"),
        ("matlab", "opening", "restretch"),
        ("none", "standardise", "rescaled"),
    ],
)
def test_without_its_step_the_network_sees_the_one_before(preset, micrograph, name, left_out, seen):
    config = preset(name, f"skip={left_out}")
    images = dict(stages(micrograph, 60, config))
    assert seen_by_network(config) == seen
    found = Preprocessed(micrograph, 60, config).flat
    np.testing.assert_array_equal(found.image, images[seen].image.astype(np.float32))


def test_the_experiment_leaves_out_every_step_of_the_default_chain(preset):
    experiment = OmegaConf.load(CONF_DIR / "experiment" / "ablation" / "leave_one_step_out.yaml")
    values = experiment.hydra.sweeper.params["preprocessing.skip"].split(",")
    assert values == ["null", *preset("default").steps]


@pytest.mark.parametrize("step", DEFAULT_STEPS)
@pytest.mark.thorough
def test_the_default_chain_runs_without_any_one_step(preset, micrograph, step):
    result = preprocess(micrograph, 24, preset("default", f"skip={step}"))
    assert np.isfinite(result.image).all()
    assert np.ptp(result.image) > 0.5


@pytest.mark.parametrize("diameter", [60, 40, 90])
@pytest.mark.parametrize("at", ["null", "0.5", "1.0"])
@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.thorough
def test_the_network_always_sees_the_working_diameter(preset, at, precision, diameter):
    """A dark disc of the particle's size, off centre, behind a border that is not valid."""
    row, column = np.ogrid[:420, :360]
    image = np.random.default_rng(0).normal(100, 3, (420, 360))
    image -= 30 * (np.hypot(row - 220, column - 150) < diameter / 2)
    image = np.pad(image, ((40, 0), (0, 0)), mode="edge").astype(np.float32)
    config = preset("none", f"scale={at}", f"precision={precision}")
    seen = Preprocessed(Micrograph("m", Path("m"), image), diameter, config).flat
    scale = config.working_diameter / diameter
    assert seen.scale == scale
    assert seen.image.dtype == np.float32
    np.testing.assert_allclose(seen.image.shape, np.multiply(image.shape, scale), atol=2)
    np.testing.assert_allclose(seen.margins, (40 * scale, 0, 0, 0), atol=1 + scale)
    rows, columns = np.nonzero(seen.image < 0.7 * seen.image.min())
    expected = to_working([150, 260], scale)
    np.testing.assert_allclose([columns.mean(), rows.mean()], expected, atol=0.5)
    assert np.ptp(columns) + 1 == pytest.approx(config.working_diameter, abs=2)


def test_an_image_at_the_networks_scale_is_left_alone(preset, micrograph):
    config = preset("default")
    stage = preprocess(micrograph, 37, config)
    np.testing.assert_array_equal(to_model_scale(stage, 37, config).image, stage.image)


def test_lengths_in_diameters_hold_at_a_fixed_scale(preset, micrograph):
    config = preset("default", "scale=0.5")
    images = dict(stages(micrograph, 60, config))
    expected = restore.flatten(images["clip"].image, 1.5 * 30)
    np.testing.assert_array_equal(images["flatten"].image, expected)


@pytest.mark.parametrize(
    "override", ["scale=0", "scale=0.01", "scale=nan", "scale=5", "precision=duoble"]
)
def test_a_value_out_of_range_is_refused_by_name(preset, override):
    with pytest.raises(UsageError, match=f"preprocessing.{override.partition('=')[0]}"):
        preset("default", override)


@pytest.mark.parametrize(
    "step",
    [
        {"operation": "opening", "radius": 2},
        {"operation": "window"},
        {"operation": "wiener", "size": "large"},
        {"operation": "wiener", "size": -1},
    ],
)
def test_a_value_that_an_operation_rejects_is_refused_by_name(micrograph, step):
    with pytest.raises(UsageError, match=r"^preprocessing.steps.odd: .+$"):
        apply_step(micrograph.image, "odd", step, 24)


@pytest.mark.parametrize("diameter", [7.9, 513])
def test_absurd_working_diameter_is_refused(diameter):
    with pytest.raises(UsageError, match="working_diameter"):
        PreprocessingConfig(diameter, "n", {"n": {"operation": "normalise"}})


def test_too_small_micrograph_is_refused(preset, micrograph):
    config = preset("none")
    assert preprocess(micrograph, 100, config).image.shape == (48, 63)
    with pytest.raises(MicrographError, match="260x200 pixels is smaller than two particle"):
        preprocess(micrograph, 100.5, config)


def test_margins_are_scaled_and_neutralised(micrograph):
    image = np.pad(micrograph.image, ((40, 0), (0, 20)), mode="edge")
    scaled = to_working_scale(Micrograph("m", Path("m"), image), 0.5)
    np.testing.assert_allclose(scaled.margins, (20, 0, 0, 10), atol=1.5)
    assert scaled.scale == 0.5
    assert scaled.image[:18].std() < 0.01 * scaled.image[25:].std()


def test_grey_values_of_the_file_do_not_matter(preset, micrograph):
    config = preset("default")
    other = Micrograph("m", Path("m"), micrograph.image * 37 + 1000)
    for until in ("standardise", None):
        found = preprocess(other, 24, config, until).image
        expected = preprocess(micrograph, 24, config, until).image
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("name", ["default", "matlab", "legacy_mrc", "none"])
def test_blank_micrograph_stays_finite(preset, name):
    blank = Micrograph("blank", Path("blank.mrc"), np.full((300, 300), 7.0, np.float32))
    assert np.isfinite(preprocess(blank, 40.0, preset(name)).image).all()
