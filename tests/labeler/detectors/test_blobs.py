"""Blobs are found without a given scale, in original pixels, dark ones only."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.labeler.detectors.blobs import learn_blobs
from deepcryopicker.labeler.detectors.detector import detect, learn_detector
from deepcryopicker.labeler.detectors.responses import BlobFilter
from deepcryopicker.labeler.schema import LogConfig
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Margins, Micrograph

DIAMETER = 60.0  # original pixels
SHAPE = (420, 610)
PLACES = np.array([(80.0, 90.0), (300.5, 100.0), (520.0, 330.25), (150.0, 320.0)])
CHAIN = PreprocessingConfig(
    working_diameter=24,
    model_input="standardise",
    steps={
        "flatten": {"operation": "flatten", "sigma_diameters": 1.5},
        "standardise": {"operation": "standardise"},
    },
)


def preprocessed(sign=-1.0, diameter=DIAMETER):
    """Blobs, dense in the middle, in noise, where particles of `diameter` are expected."""
    row, column = np.indices(SHAPE)
    distance = np.hypot(column[..., None] - PLACES[:, 0], row[..., None] - PLACES[:, 1])
    noise = np.random.default_rng(0).normal(0, 0.7, SHAPE)
    thickness = np.exp(-((distance.min(axis=-1) / (0.2 * DIAMETER)) ** 2) / 2)
    image = (sign * thickness + noise).astype(np.float32)
    return Preprocessed(Micrograph("m", Path("m"), image), diameter, CHAIN)


def pick(seen, **config):
    detector = learn_blobs([seen], LogConfig(**config))
    return detect(seen.flat, seen.working_diameter, detector)


@pytest.mark.parametrize("diameter", [50.0, 60.0, 70.0])
def test_dark_blobs_are_found_in_original_pixels(diameter):
    picks = pick(preprocessed(diameter=diameter))
    best = picks[np.arange(4)]
    found = sorted(zip(best.x, best.y, strict=True))
    np.testing.assert_allclose(found, sorted(PLACES.tolist()), atol=4)
    assert best.score.min() > 0.5
    np.testing.assert_allclose(picks.diameter, diameter)
    assert set(picks.label) == {"irregular"}
    assert (np.diff(picks.score) <= 0).all()


def test_bright_blobs_are_not_picked():
    picks = pick(preprocessed(sign=1.0))
    distance = np.hypot(picks.x[:, None] - PLACES[:, 0], picks.y[:, None] - PLACES[:, 1])
    assert distance.min() > DIAMETER / 4


@pytest.mark.parametrize("distance", [0.5, 0.9])
def test_picks_keep_their_distance(distance):
    picks = pick(preprocessed(), distance=distance)
    apart = np.hypot(picks.x[:, None] - picks.x, picks.y[:, None] - picks.y)
    assert apart[~np.eye(len(picks), dtype=bool)].min() >= distance * DIAMETER - 1e-6


def test_margins_hold_no_picks():
    seen = preprocessed()
    detector = learn_blobs([seen], LogConfig())
    picks = detect(replace(seen.flat, margins=Margins(top=50)), 24.0, detector)
    assert len(picks) > 0
    assert (picks.y * 0.4 >= 49).all()


def test_given_scale_is_kept():
    assert learn_blobs([preprocessed()], LogConfig(scale=0.3, clip=1.5)).filter == BlobFilter(
        0.3, 1.5
    )


def test_scale_is_the_one_with_the_largest_total_separation():
    seen = preprocessed()
    learned = learn_blobs([seen], LogConfig())
    for scale in (0.14, 0.18, 0.22):
        other = learn_detector(BlobFilter(scale, 2.0), [seen.flat], 24.0, 0.6, LogConfig().typical)
        assert learned.total_separation >= other.total_separation
