"""Particles as shapes in the mask of an intensity cluster: every clustering, right frames."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from scipy.spatial import KDTree

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.dataset.simulator import DOSE, KINDS, simulate
from deepcryopicker.labeler.masks.clustering import (
    fcm_clusters,
    intensity_clusters,
    kmeans_clusters,
)
from deepcryopicker.labeler.masks.mask_labeler import cluster, find_masked, label_by_mask
from deepcryopicker.labeler.masks.superpixels import superpixel_clusters
from deepcryopicker.labeler.schema import (
    FcmConfig,
    IbcConfig,
    KmeansConfig,
    MaskConfig,
    SuperKmeansConfig,
)
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.preprocessing.steps import preprocess
from deepcryopicker.types import NO_MARGINS, Margins, Micrograph

CONFIGS = {
    "ibc": IbcConfig,
    "kmeans": KmeansConfig,
    "fcm": FcmConfig,
    "super_kmeans": SuperKmeansConfig,
}
every_clustering = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
DIAMETER = 24.0
PLACES = np.array([(40.0, 30.0), (100.0, 80.0), (30.0, 90.0)])


def discs(scale=1.0, margins=NO_MARGINS, places=PLACES):
    """Dark discs on a brighter ground with some grain: two intensities."""
    row, column = np.indices((120, 150))
    distance = np.hypot(column[..., None] - places[:, 0], row[..., None] - places[:, 1])
    grain = np.random.default_rng(0).normal(0, 0.03, row.shape)
    image = np.where(distance.min(axis=-1) > DIAMETER / 2, 0.8, 0.2) + grain
    return Micrograph("m", Path("m"), image.astype(np.float32), scale=scale, margins=margins)


@cache
def simulated():
    """Simulate apoferritin, run the default chain on it: the last stage and the truth."""
    settings = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "preprocessing" / "default.yaml"))
    del settings["defaults"]
    truth = simulate(KINDS["apoferritin"], (800, 960), DOSE, 11)
    micrograph = Micrograph("apoferritin", Path("a.mrc"), truth.image, truth.pixel_size)
    return preprocess(micrograph, truth.diameter[0], PreprocessingConfig(**settings)), truth


@every_clustering
@pytest.mark.parametrize("scale", [1.0, 0.4, 2.0])
def test_dark_discs_are_found_in_original_pixels(config, scale):
    found = label_by_mask(discs(scale), DIAMETER, config(clusters=2))
    assert found.good.all()
    assert set(found.picks.label) == {"top"}
    expected = sorted(((PLACES + 0.5) / scale - 0.5).tolist())
    picks = sorted(zip(found.picks.x, found.picks.y, strict=True))
    np.testing.assert_allclose(picks, expected, atol=1 / scale)
    np.testing.assert_allclose(found.picks.diameter, DIAMETER / scale, rtol=0.1)
    assert found.scale == scale


@every_clustering
def test_mask_holds_the_discs(config):
    masked = find_masked(discs(), DIAMETER, config(clusters=2))
    drawn = discs().image < 0.5
    assert (masked.mask & drawn).sum() / (masked.mask | drawn).sum() > 0.9
    assert (masked.clusters[drawn] == 0).mean() > 0.98
    assert (masked.clusters[~drawn] == 1).mean() > 0.98


@every_clustering
def test_featureless_micrograph_has_no_candidates(config):
    blank = Micrograph("blank", Path("b.mrc"), np.full((200, 300), 0.5, np.float32))
    found = label_by_mask(blank, DIAMETER, config())
    assert len(found.picks) == len(found.good) == len(found.reason) == 0
    assert not found.mask.any()


@pytest.mark.parametrize(
    ("config", "clustering"),
    [
        (IbcConfig(clusters=3), lambda image: intensity_clusters(image, 3)),
        (KmeansConfig(clusters=5), lambda image: kmeans_clusters(image, 5)),
        (FcmConfig(clusters=3), lambda image: fcm_clusters(image, 3)),
        (SuperKmeansConfig(clusters=5), lambda image: superpixel_clusters(image, 5, 0.25 * 400)),
    ],
)
def test_configuration_decides_the_clustering(config, clustering):
    image = np.random.default_rng(0).gamma(2, 1, (80, 90)).astype(np.float32)
    np.testing.assert_array_equal(cluster(image, 400, config), clustering(image))


def test_configuration_without_a_clustering_is_an_error():
    with pytest.raises(TypeError, match="MaskConfig"):
        cluster(discs().image, 400, MaskConfig())


def test_small_components_are_left_out():
    row, column = np.indices((120, 150))
    image = discs().image
    for x, radius in ((120, 5), (135, 8)):  # 0.17 and 0.44 particle areas
        image[np.hypot(column - x, row - 60) < radius] = 0.2
    mask = find_masked(Micrograph("m", Path("m"), image), DIAMETER, IbcConfig()).mask
    assert not mask[60, 120]
    assert mask[60, 135]


def test_discs_at_the_invalid_border_are_cut():
    found = label_by_mask(discs(margins=Margins(left=30)), DIAMETER, IbcConfig())
    reasons = dict(zip(found.picks.x.round(-1), found.reason, strict=True))
    assert reasons == {40: "cut by the edge", 30: "cut by the edge", 100: ""}


@every_clustering
def test_good_candidates_of_a_simulated_micrograph_are_particles(config):
    working, truth = simulated()
    found = label_by_mask(working, DIAMETER, config())
    good = found.picks[found.good]
    assert len(good) >= 0.15 * len(truth.x)
    centres = KDTree(np.column_stack([truth.x, truth.y]))
    distance, index = centres.query(np.column_stack([good.x, good.y]))
    hit = distance <= 0.3 * truth.diameter[0]
    assert hit.mean() >= 0.8
    assert len(set(index[hit])) == hit.sum()
    offset = np.column_stack([good.x - truth.x[index], good.y - truth.y[index]])[hit]
    np.testing.assert_allclose(np.median(offset, axis=0), 0, atol=0.05 * truth.diameter[0])
    assert np.median(good.diameter) == pytest.approx(truth.diameter[0], rel=0.2)


@every_clustering
def test_candidates_are_consistent(config):
    working, _ = simulated()
    found = label_by_mask(working, DIAMETER, config())
    np.testing.assert_array_equal(found.good, found.reason == "")
    assert found.coverage.shape == found.mask.shape == found.clusters.shape == working.image.shape
    assert ((found.picks.score >= 0) & (found.picks.score <= 1)).all()
    assert len(found.picks) > found.good.sum() > 0
    assert 0.05 < found.mask.mean() < 0.7
    assert working.image[found.mask].mean() < working.image[~found.mask].mean() - 0.2
