"""What network and labeler see, and that no step of the chain runs twice."""

import inspect
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.preprocessing.steps import OPERATIONS, preprocess, to_model_scale
from deepcryopicker.types import Micrograph

DIAMETER = 40.0
STEPS = {
    "flatten": {"operation": "flatten", "sigma_diameters": 1.5},
    "standardise": {"operation": "standardise"},
    "blur": {"operation": "gaussian", "sigma_diameters": 0.1},
    "opening": {"operation": "opening", "radius": 1},
}


@pytest.fixture
def micrograph():
    image = np.random.default_rng(0).normal(100, 9, (200, 260)).astype(np.float32)
    return Micrograph("m", Path("m.mrc"), image)


@pytest.fixture
def calls(monkeypatch):
    """Count the calls of every operation."""
    counted = Counter()

    def counting(name, operation):
        def call(image, **parameters):
            counted[name] += 1
            return operation(image, **parameters)

        call.__signature__ = inspect.signature(operation)
        return call

    for name, operation in list(OPERATIONS.items()):
        monkeypatch.setitem(OPERATIONS, name, counting(name, operation))
    return counted


def config(**changes):
    return PreprocessingConfig(
        **{"working_diameter": 20, "model_input": "standardise", "steps": STEPS} | changes
    )


@pytest.mark.parametrize("model_input", STEPS)
@pytest.mark.parametrize("scale", [None, 0.8])
def test_views_are_the_chain_s_stages(micrograph, model_input, scale):
    chosen = config(model_input=model_input, scale=scale)
    preprocessed = Preprocessed(micrograph, DIAMETER, chosen)
    seen = preprocess(micrograph, DIAMETER, chosen, until=model_input)
    for found, expected in (
        (preprocessed.flat, to_model_scale(seen, DIAMETER, chosen)),
        (preprocessed.enhanced, preprocess(micrograph, DIAMETER, chosen)),
    ):
        assert (found.scale, found.margins) == (expected.scale, expected.margins)
        np.testing.assert_array_equal(found.image, expected.image)


@pytest.mark.parametrize(
    "order",
    [("flat", "enhanced"), ("enhanced", "flat"), ("rescaled", "enhanced"), ("flat", "rescaled")],
)
def test_no_step_runs_twice(micrograph, calls, order):
    preprocessed = Preprocessed(micrograph, DIAMETER, config())
    for view in (*order, *order, "flat"):
        getattr(preprocessed, view)
    assert set(calls.values()) == {1}


def test_steps_run_when_they_are_needed(micrograph, calls):
    preprocessed = Preprocessed(micrograph, DIAMETER, config())
    assert not calls
    _ = preprocessed.flat
    assert set(calls) == {"flatten", "standardise"}
    _ = preprocessed.enhanced
    assert set(calls) == {"flatten", "standardise", "gaussian", "opening"}


def test_flat_has_the_network_s_scale_whatever_that_of_the_chain(micrograph):
    preprocessed = Preprocessed(micrograph, DIAMETER, config(scale=0.8, precision="double"))
    assert preprocessed.flat.scale * DIAMETER == preprocessed.working_diameter == 20
    assert preprocessed.flat.image.shape == (100, 130)
    assert preprocessed.flat.image.dtype == np.float32
    assert preprocessed.enhanced.scale == 0.8
    assert preprocessed.enhanced.image.shape == (160, 208)


def test_both_are_the_same_where_the_network_sees_the_last_step(micrograph):
    preprocessed = Preprocessed(micrograph, DIAMETER, config(model_input="opening"))
    np.testing.assert_array_equal(preprocessed.flat.image, preprocessed.enhanced.image)


def test_network_sees_the_step_before_the_one_left_out(micrograph):
    without = Preprocessed(micrograph, DIAMETER, config(skip="standardise"))
    before = Preprocessed(micrograph, DIAMETER, config(model_input="flatten"))
    np.testing.assert_array_equal(without.flat.image, before.flat.image)


@pytest.mark.parametrize("scale", [None, 0.8])
def test_on_the_grid_the_working_diameter_is_the_true_one(micrograph, scale):
    """20 / 40 is a multiple of 0.125, 20 / 44 is not."""
    for diameter, expected in ((40.0, 20.0), (44.0, 16.5)):
        preprocessed = Preprocessed(micrograph, diameter, config(scaling="grid", scale=scale))
        assert preprocessed.working_diameter == preprocessed.flat.scale * diameter == expected
        assert preprocessed.flat.image.shape == (
            expected / diameter * 200,
            -(-expected * 260 // diameter),
        )


@pytest.mark.parametrize("scale", [None, 0.8])
@pytest.mark.parametrize("factor", [0.6, 1.25])
def test_views_at_another_scale(micrograph, factor, scale):
    """Larger particles in a larger image, after the same steps."""
    preprocessed = Preprocessed(micrograph, DIAMETER, config(scale=scale))
    other = preprocessed.at(factor)
    assert other.working_diameter == pytest.approx(factor * 20)
    assert other.flat.scale == pytest.approx(factor * preprocessed.flat.scale)
    height, width = other.flat.image.shape
    assert (height, width) == (int(np.ceil(100 * factor)), int(np.ceil(130 * factor)))
    assert other.micrograph is preprocessed.micrograph


def test_at_its_own_scale_nothing_is_computed_again(micrograph, calls):
    preprocessed = Preprocessed(micrograph, DIAMETER, config())
    whole = preprocessed.enhanced.image
    once = calls.copy()
    assert set(once.values()) == {1}
    np.testing.assert_array_equal(preprocessed.at(1.0).enhanced.image, whole)
    assert preprocessed.at(1.0).flat.image is preprocessed.flat.image
    assert calls == once
    _ = preprocessed.at(1.5).flat
    assert calls != once


@pytest.mark.parametrize("left_out", [None, "flatten"])
def test_rescaled_is_what_the_first_step_gets(micrograph, left_out):
    preprocessed = Preprocessed(micrograph, DIAMETER, config(model_input="flatten", skip=left_out))
    _ = preprocessed.flat
    expected = preprocess(micrograph, DIAMETER, config(), until="rescaled")
    assert preprocessed.rescaled.scale == expected.scale == 0.5
    np.testing.assert_array_equal(preprocessed.rescaled.image, expected.image)
    assert (preprocessed.flat.image is preprocessed.rescaled.image) == (left_out == "flatten")


@pytest.fixture
def lean(micrograph):
    """A preprocessed micrograph without its pixels, and a list with an entry for every reading."""
    whole, readings = Preprocessed(micrograph, DIAMETER, config()), []
    assert not whole.is_blank
    _ = whole.flat

    def again():
        readings.append(micrograph.name)
        return micrograph

    return whole, whole.without_pixels(again), readings


def test_stages_stay_where_pixels_are_given_up(lean, calls):
    whole, without, readings = lean
    assert without.flat is whole.flat
    assert without.rescaled is whole.rescaled
    assert without.standard is without.flat
    assert not without.is_blank
    assert without.micrograph.image.shape == whole.micrograph.image.shape
    assert np.isnan(without.micrograph.image).all()
    assert not readings
    assert not calls


def test_what_needs_the_pixels_reads_them_again(lean):
    whole, without, readings = lean
    np.testing.assert_array_equal(without.enhanced.image, whole.enhanced.image)
    np.testing.assert_array_equal(without.at(0.6).flat.image, whole.at(0.6).flat.image)
    assert without.whole is whole.micrograph
    assert len(readings) == 3


def test_other_pixels_are_not_taken_for_the_micrograph_s(lean, micrograph):
    _, without, _ = lean
    with pytest.raises(ValueError, match="has its pixels"):
        replace(without, micrograph=micrograph)
