"""The picker without a network finds dark discs and puts them into original pixels."""

from pathlib import Path

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from deepcryopicker.picker import log
from deepcryopicker.picker.log import to_score
from deepcryopicker.picker.schema import LogConfig
from deepcryopicker.preprocessing.pipeline import to_working_scale
from deepcryopicker.preprocessing.restore import flatten
from deepcryopicker.types import Margins, Micrograph

DIAMETER = 60.0  # original pixels
SHAPE = (420, 610)
PLACES = np.array([(80.0, 90.0), (300.5, 100.0), (520.0, 330.25), (150.0, 320.0)])


def discs(sign=-1.0):
    row, column = np.indices(SHAPE)
    distance = np.hypot(column[..., None] - PLACES[:, 0], row[..., None] - PLACES[:, 1])
    noise = np.random.default_rng(0).normal(0, 0.3, SHAPE)
    return (sign * (distance.min(axis=-1) < DIAMETER / 2) + noise).astype(np.float32)


def pick(image, scale, margins=None, **config):
    working = to_working_scale(Micrograph("m", Path("m"), image), scale)
    flat = flatten(working.image, 1.5 * DIAMETER * scale)
    working = Micrograph(
        "m", Path("m"), flat, scale=scale, margins=working.margins if margins is None else margins
    )
    return log.pick(working, DIAMETER * scale, LogConfig(**config))


@pytest.mark.parametrize("scale", [0.4, 0.27, 1.0])
def test_dark_discs_are_found_in_original_pixels(scale):
    picks = pick(discs(), scale)
    best = picks[np.arange(4)]
    found = sorted(zip(best.x, best.y, strict=True))
    np.testing.assert_allclose(found, sorted(PLACES.tolist()), atol=1.5)
    assert best.score.min() > 0.5
    np.testing.assert_allclose(picks.diameter, DIAMETER)
    assert set(picks.label) == {"irregular"}
    assert (np.diff(picks.score) <= 0).all()


def test_bright_discs_are_not_picked():
    picks = pick(discs(sign=1.0), 0.4)
    strong = picks[picks.score > 0.5]
    distance = np.hypot(strong.x[:, None] - PLACES[:, 0], strong.y[:, None] - PLACES[:, 1])
    assert distance.min() > DIAMETER / 4


def test_picks_keep_their_distance():
    picks = pick(discs(), 0.4, distance=0.7)
    apart = np.hypot(picks.x[:, None] - picks.x, picks.y[:, None] - picks.y)
    assert apart[~np.eye(len(picks), dtype=bool)].min() >= 0.7 * DIAMETER - 1e-6


def test_margins_hold_no_picks():
    picks = pick(discs(), 0.4, margins=Margins(top=50))
    assert len(picks) > 0
    assert (picks.y * 0.4 >= 49).all()


def test_scores_put_otsus_threshold_at_a_half():
    rng = np.random.default_rng(0)
    response = np.concatenate([rng.uniform(0, 0.2, 300), rng.uniform(0.6, 1, 40)])
    score = to_score(response)
    np.testing.assert_array_equal(score > 0.5, response > threshold_otsu(response))
    assert (np.diff(score[np.argsort(response)]) >= 0).all()
    assert score.min() >= 0
    assert score.max() < 1


@pytest.mark.parametrize("response", [[], [0.3], [0.3, 0.3]])
def test_scores_of_responses_all_alike_are_a_half(response):
    assert to_score(np.array(response)).tolist() == [0.5] * len(response)
