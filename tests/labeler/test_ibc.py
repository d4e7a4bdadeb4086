"""The labeler on a simulated micrograph: pure labels, right frame, diameter from the data."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from scipy.spatial import KDTree

from deepcryopicker._conf import CONF_DIR
from deepcryopicker.dataset.simulator import DOSE, KINDS, simulate
from deepcryopicker.labeler.diameter import estimate_diameter
from deepcryopicker.labeler.ibc import label, particle_mask
from deepcryopicker.labeler.schema import IbcConfig
from deepcryopicker.preprocessing.pipeline import preprocess
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Micrograph


@cache
def chain():
    settings = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "preprocessing" / "default.yaml"))
    del settings["defaults"]
    return PreprocessingConfig(**settings)


@cache
def simulated():
    return simulate(KINDS["apoferritin"], (800, 960), DOSE, 11)


@pytest.fixture
def truth():
    return simulated()


@pytest.fixture
def micrograph(truth):
    return Micrograph("apoferritin", Path("a.mrc"), truth.image, truth.pixel_size)


@pytest.fixture
def working(micrograph, truth):
    return preprocess(micrograph, truth.diameter[0], chain())


def test_good_candidates_are_particles(working, truth):
    found = label(working, chain().working_diameter, IbcConfig())
    good = found.picks[found.good]
    assert len(good) >= 0.2 * len(truth.x)
    centres = KDTree(np.column_stack([truth.x, truth.y]))
    distance, index = centres.query(np.column_stack([good.x, good.y]))
    hit = distance <= 0.25 * truth.diameter[0]
    assert hit.mean() >= 0.9
    assert len(set(index[hit])) == hit.sum()
    offset = np.column_stack([good.x - truth.x[index], good.y - truth.y[index]])[hit]
    np.testing.assert_allclose(np.median(offset, axis=0), 0, atol=0.04 * truth.diameter[0])
    assert np.median(good.diameter) == pytest.approx(truth.diameter[0], rel=0.2)


def test_candidates_come_in_original_pixels():
    places = np.array([(40.0, 30.0), (100.0, 80.0)])  # working pixels
    row, column = np.indices((120, 150))
    distance = np.hypot(column[..., None] - places[:, 0], row[..., None] - places[:, 1])
    image = (distance.min(axis=-1) > 12).astype(np.float32)
    found = label(Micrograph("m", Path("m"), image, scale=0.1), 24.0, IbcConfig())
    assert found.good.all()
    picks = sorted(zip(found.picks.x, found.picks.y, strict=True))
    # Working pixel x reaches from 10 x to 10 x + 10 and so is centred on 10 x + 4.5.
    np.testing.assert_allclose(picks, 10 * places + 4.5, atol=2)
    np.testing.assert_allclose(found.picks.diameter, 240, rtol=0.1)


def test_candidates_are_consistent(working):
    found = label(working, chain().working_diameter, IbcConfig())
    np.testing.assert_array_equal(found.good, found.reason == "")
    assert found.coverage.shape == working.image.shape
    assert ((found.picks.score >= 0) & (found.picks.score <= 1)).all()
    assert len(found.picks) > found.good.sum() > 0


def test_mask_is_darker_than_the_rest(working):
    mask = particle_mask(working, chain().working_diameter, IbcConfig())
    assert 0.05 < mask.mean() < 0.7
    assert working.image[mask].mean() < working.image[~mask].mean() - 0.2


def test_featureless_micrograph_has_no_candidates():
    found = label(
        Micrograph("blank", Path("b.mrc"), np.full((200, 300), 0.5, np.float32)), 24, IbcConfig()
    )
    assert len(found.picks) == 0


def test_diameter_is_estimated_from_the_data(micrograph, truth):
    found = estimate_diameter([micrograph], chain(), IbcConfig())
    assert found == pytest.approx(truth.diameter[0], rel=0.3)
