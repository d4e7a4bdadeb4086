"""The data decide: class averages for round and square particles, blobs for the others."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from scipy import ndimage
from scipy.spatial import KDTree

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.dataset.simulator import DOSE, KINDS, simulate
from deepcryopicker.labeler.detectors import auto
from deepcryopicker.labeler.detectors.auto import find_seeds, learn_auto, learn_averages
from deepcryopicker.labeler.detectors.averages import radial_profile
from deepcryopicker.labeler.detectors.blobs import learn_blobs
from deepcryopicker.labeler.detectors.detector import Detector, Limits, label_by_detector
from deepcryopicker.labeler.detectors.responses import AverageFilter, BlobFilter
from deepcryopicker.labeler.schema import AutoConfig, LogConfig
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Micrograph

DIAMETER = 60.0  # original pixels
SHAPE = (700, 800)


@cache
def chain(scale=None):
    """Return the default preprocessing, at a scale of its own if one is given."""
    settings = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "preprocessing" / "default.yaml"))
    del settings["defaults"]
    return PreprocessingConfig(**settings, scale=scale)


@cache
def places(seed):
    """Return jittered places well inside, (N, 2)."""
    x, y = np.meshgrid(np.arange(60, SHAPE[1] - 50, 95), np.arange(60, SHAPE[0] - 50, 95))
    jitter = np.random.default_rng(seed).uniform(-10, 10, (x.size, 2))
    return np.column_stack([x.ravel(), y.ravel()]) + jitter


def drawn(seed, squares=0.0, scale=None):
    """Dark rings and a share of hollow squares, tilted, in noise: image and labels."""
    rng = np.random.default_rng(seed)
    image = rng.normal(0, 2.0, SHAPE)
    row, column = np.indices(SHAPE)
    label = np.where(rng.uniform(size=len(places(seed))) < squares, "side", "top")
    for (x, y), name in zip(places(seed), label, strict=True):
        angle = rng.uniform(0, np.pi)
        along = (column - x) * np.cos(angle) + (row - y) * np.sin(angle)
        across = (row - y) * np.cos(angle) - (column - x) * np.sin(angle)
        if name == "top":
            size = np.hypot(along, across)
        else:
            size = np.maximum(np.abs(along), np.abs(across))
        image -= 0.2 * (size <= DIAMETER / 2) + 1.5 * ((size <= DIAMETER / 2) & (size >= 23))
    image = ndimage.gaussian_filter(image, 0.7).astype(np.float32)
    return Preprocessed(Micrograph("m", Path("m"), image), DIAMETER, chain(scale)), label


@cache
def simulated(kind):
    """Simulate as many micrographs as a run learns from, with their truth."""
    truths = [simulate(KINDS[kind], (640, 768), DOSE, seed) for seed in range(8)]
    preprocessed = [
        Preprocessed(Micrograph(kind, Path(kind), t.image, t.pixel_size), t.diameter[0], chain())
        for t in truths
    ]
    return preprocessed, truths


def labels(detector):
    """Return the classes that a detector knows."""
    return [template.label for template in detector.filter.templates]


def nearest(picks, x, y):
    """Distance of each pick to the nearest place, and its index."""
    return KDTree(np.column_stack([x, y])).query(np.column_stack([picks.x, picks.y]))


@pytest.mark.parametrize("scale", [None, 0.6])
def test_seeds_are_windows_centred_on_particles(scale):
    preprocessed, _ = drawn(0, scale=scale)
    seeds = find_seeds([preprocessed], AutoConfig())
    assert len(seeds.windows) >= 0.4 * len(places(0))
    assert seeds.windows.shape[1:] == (49, 49)
    assert (seeds.label == "top").mean() >= 0.5
    dark = np.maximum(-seeds.windows.mean(axis=0), 0) * (np.hypot(*np.indices((49, 49)) - 24) < 14)
    np.testing.assert_allclose(ndimage.center_of_mass(dark), (24, 24), atol=0.5)
    assert np.median(seeds.area) == pytest.approx(1, abs=0.25)


@pytest.mark.thorough
def test_seeds_of_all_micrographs_are_taken_together():
    one, other = (find_seeds([drawn(seed)[0]], AutoConfig()) for seed in (0, 1))
    both = find_seeds([drawn(0)[0], drawn(1)[0]], AutoConfig())
    for column in ("windows", "label", "angle", "area"):
        expected = np.concatenate([getattr(one, column), getattr(other, column)])
        np.testing.assert_array_equal(getattr(both, column), expected)


@pytest.mark.thorough
def test_rings_are_found_by_their_average():
    detector = learn_auto([drawn(0)[0], drawn(1)[0]], AutoConfig())
    assert labels(detector) == ["top"]
    profile = radial_profile(detector.filter.templates[0].image)
    assert profile[8:12].mean() < profile[:4].mean() - 0.5
    assert profile[14:18].mean() > 0
    found = label_by_detector(drawn(2)[0].flat, 24.0, detector)
    distance, index = nearest(found.picks, *places(2).T)
    assert len(set(index[distance < 5])) == len(places(2))
    assert (distance[found.good] < 5).all()


@pytest.mark.thorough
def test_rings_and_squares_are_distinguished():
    sample = [drawn(seed, squares=0.5)[0] for seed in range(3)]
    detector = learn_averages(sample, find_seeds(sample, AutoConfig()), AutoConfig())
    assert sorted(labels(detector)) == ["side", "top"]
    preprocessed, label = drawn(3, squares=0.5)
    picks = label_by_detector(preprocessed.flat, 24.0, detector).picks
    distance, index = nearest(picks, *places(3).T)
    assert len(set(index[distance < 6])) >= 0.95 * len(label)
    assert (picks.label == label[index])[distance < 6].mean() > 0.9


@pytest.mark.thorough
def test_shapes_rarer_than_configured_are_not_particles():
    sample = [drawn(0)[0]]
    seeds = find_seeds(sample, AutoConfig())
    assert learn_averages(sample, seeds, AutoConfig(rarest_shape=0.15)) is not None
    shapeless = find_seeds([drawn(0)[0]], AutoConfig())
    shapeless.label[:] = "irregular"
    assert learn_averages(sample, shapeless, AutoConfig(rarest_shape=0.15)) is None
    assert learn_averages(sample, shapeless, AutoConfig(rarest_shape=0.0)) is None


def test_a_few_round_seeds_are_enough_where_their_average_separates_clearly():
    """The decision must not hang on one seed more or less."""
    sample = [drawn(0)[0], drawn(1)[0]]
    seeds = find_seeds(sample, AutoConfig())
    kept = np.flatnonzero(seeds.label == "top")[:4]
    seeds.label[np.setdiff1d(np.arange(len(seeds.label)), kept)] = "irregular"
    few = learn_averages(sample, seeds, AutoConfig())
    assert few is not None
    assert few.total_separation > 1.25 * learn_blobs(sample, LogConfig()).total_separation
    assert labels(few) == ["top"]


@pytest.mark.parametrize(("found", "sides"), [(24, False), (72, True), (80, True)])
def test_rectangles_that_find_fewer_particles_are_accidental(monkeypatch, found, sides):
    """A template of one wrong window raised the threshold of the round particles: 24 of 72 left."""

    def learn(filter_, *_):
        both = len(filter_.templates) == 2
        limits = Limits(0.5, 2.7 if both else 0.5, found if both else 72, 0.5, 0.0, 1.0)
        return Detector(filter_, 0.5, {"top": limits}, 1.0)

    monkeypatch.setattr(auto, "learn_detector", learn)
    sample = [drawn(0)[0]]
    seeds = find_seeds(sample, AutoConfig())
    seeds.label[:2] = "side"
    chosen = learn_averages(sample, seeds, AutoConfig())
    assert (len(chosen.filter.templates) == 2) == sides


def test_micrograph_of_noise_teaches_blobs_of_one_kind():
    image = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    detector = learn_auto(
        [Preprocessed(Micrograph("m", Path("m"), image), DIAMETER, chain())], AutoConfig()
    )
    assert isinstance(detector.filter, BlobFilter)
    assert detector.separation < 0.3


def test_blob_settings_are_those_configured():
    config = AutoConfig(blobs=LogConfig(scale=0.3, distance=0.8), rarest_shape=1.0)
    detector = learn_auto(simulated("beta_galactosidase")[0][:2], config)
    assert detector.filter == BlobFilter(0.3, 2.0)
    assert detector.distance == 0.8


def score(kind, detector):
    """Share of good candidates that are particles, of candidates with the right class, recall."""
    good, right, found, particles = [], [], 0, 0
    for preprocessed, truth in zip(*simulated(kind), strict=True):
        candidates = label_by_detector(preprocessed.flat, 24.0, detector)
        distance, index = nearest(candidates.picks, truth.x, truth.y)
        hit = distance <= 0.4 * truth.diameter[0]
        good += hit[candidates.good].tolist()
        right += (candidates.picks.label == truth.label[index])[hit].tolist()
        found, particles = found + len({*index[hit]}), particles + len(truth.x)
    return np.mean(good), np.mean(right), found / particles


@pytest.mark.parametrize(
    ("kind", "classes", "purity"),
    [
        ("apoferritin", ["top"], 0.95),
        pytest.param("klh", ["side", "top"], 0.85, marks=pytest.mark.thorough),
        ("beta_galactosidase", None, 0.85),
    ],
)
@pytest.mark.thorough
def test_simulated_particles_are_found_by_averages_or_as_blobs(kind, classes, purity):
    detector = learn_auto(simulated(kind)[0], AutoConfig())
    if classes is None:
        assert isinstance(detector.filter, BlobFilter)
    else:
        assert isinstance(detector.filter, AverageFilter)
        assert sorted(labels(detector)) == classes
    good, right, recall = score(kind, detector)
    assert good >= purity
    assert right >= 0.95
    assert recall >= 0.9


@pytest.mark.thorough
def test_roundish_particles_are_found_whether_taken_for_round_or_not():
    good, _, recall = score("ribosome", learn_auto(simulated("ribosome")[0], AutoConfig()))
    assert good >= 0.9
    assert recall >= 0.9
