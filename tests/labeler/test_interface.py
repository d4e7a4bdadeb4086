"""One interface to all labelers: learn, label, pick."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import KDTree

from deepcryopicker.labeler.detectors.detector import Detector
from deepcryopicker.labeler.detectors.responses import BlobFilter
from deepcryopicker.labeler.interface import MaskLabeler, label, learn, pick
from deepcryopicker.labeler.schema import (
    AutoConfig,
    FcmConfig,
    IbcConfig,
    KmeansConfig,
    LogConfig,
    SuperKmeansConfig,
)
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Micrograph

DIAMETER = 48.0
SHAPE = (400, 520)
CHAIN = PreprocessingConfig(
    working_diameter=24,
    model_input="standardise",
    steps={
        "standardise": {"operation": "standardise"},
        "blur": {"operation": "gaussian", "sigma_diameters": 0.08},
    },
)
MASKS = [IbcConfig(clusters=2), KmeansConfig(clusters=2), FcmConfig(clusters=2)]
MASKS += [SuperKmeansConfig(clusters=2)]
DETECTORS = [LogConfig(), AutoConfig(seeds=IbcConfig(clusters=2))]


def places(seed):
    """Return jittered places, half a diameter and more inside, (N, 2)."""
    x, y = np.meshgrid(np.arange(50, SHAPE[1] - 40, 80), np.arange(50, SHAPE[0] - 40, 80))
    jitter = np.random.default_rng(seed).uniform(-12, 12, (x.size, 2))
    return np.column_stack([x.ravel(), y.ravel()]) + jitter


def preprocessed(seed, squares=0, chain=CHAIN):
    """Dark discs in noise; the first few are squares."""
    row, column = np.indices(SHAPE)
    image = np.random.default_rng(seed).normal(0, 0.3, SHAPE)
    for number, (x, y) in enumerate(places(seed)):
        dx, dy = np.abs(column - x), np.abs(row - y)
        size = np.maximum(dx, dy) if number < squares else np.hypot(dx, dy)
        image -= size <= DIAMETER / 2
    return Preprocessed(Micrograph("m", Path("m"), image.astype(np.float32)), DIAMETER, chain)


def hits(picks, seed):
    """Return which picks lie on a particle, one pick per particle."""
    distance, index = KDTree(places(seed)).query(np.column_stack([picks.x, picks.y]))
    hit = distance < 0.25 * DIAMETER
    assert len(set(index[hit])) == hit.sum()
    return hit


@pytest.mark.thorough
@pytest.mark.parametrize("config", [*MASKS, *DETECTORS], ids=lambda c: type(c).__name__)
def test_every_labeler_finds_the_particles(config):
    labeler = learn([preprocessed(0), preprocessed(1)], config)
    found = label(preprocessed(2), labeler)
    assert found.good.sum() >= 0.4 * len(places(2))
    assert hits(found.picks[found.good], 2).mean() >= 0.95
    assert hits(pick(preprocessed(2), labeler), 2).sum() >= 0.7 * len(places(2))


@pytest.mark.parametrize("config", MASKS, ids=lambda c: type(c).__name__)
def test_mask_configurations_make_mask_labelers(config):
    labeler = learn([preprocessed(0)], config)
    assert isinstance(labeler, MaskLabeler)
    assert labeler.config == config


def test_blob_configuration_makes_a_blob_detector():
    labeler = learn([preprocessed(0)], LogConfig(scale=0.2))
    assert isinstance(labeler, Detector)
    assert labeler.filter == BlobFilter(0.2, 2.0)


def test_rare_shapes_of_the_sample_are_rejected_and_not_picked():
    sample = [preprocessed(0, squares=1), preprocessed(1)]
    labeler = learn(sample, MASKS[0])
    assert labeler.odd == ("side", "irregular")
    found = label(sample[0], labeler)
    assert found.reason[found.picks.label == "side"].tolist() == ["odd shape"]
    assert set(pick(sample[0], labeler).label) == {"top"}


def test_common_shapes_of_the_sample_are_kept():
    sample = [preprocessed(0, squares=10), preprocessed(1, squares=8)]
    labeler = learn(sample, MASKS[0])
    assert labeler.odd == ("irregular",)
    found = label(sample[0], labeler)
    assert (found.picks.label[found.good] == "side").sum() >= 5
    assert set(pick(sample[0], labeler).label) == {"top", "side"}


def test_candidates_are_what_is_picked_at_a_half():
    seen = preprocessed(0)
    labeler = learn([seen], LogConfig())
    picks = pick(seen, labeler)
    np.testing.assert_array_equal(label(seen, labeler).picks.x, picks.x[picks.score >= 0.5])


@pytest.mark.parametrize("config", [MASKS[0], DETECTORS[0]], ids=["mask", "detector"])
@pytest.mark.parametrize("scale", [None, 0.8])
def test_scale_of_the_chain_does_not_move_picks(config, scale):
    seen = preprocessed(3, chain=replace(CHAIN, scale=scale))
    found = label(seen, learn([seen], config))
    best = found.picks[hits(found.picks, 3)]
    _, index = KDTree(places(3)).query(np.column_stack([best.x, best.y]))
    offset = np.column_stack([best.x, best.y]) - places(3)[index]
    np.testing.assert_allclose(np.median(offset, axis=0), 0, atol=1.5)
    np.testing.assert_allclose(np.median(found.picks.diameter), DIAMETER, rtol=0.15)
