"""The training set is balanced, and no pixel of one split is in another."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from deepcryopicker._conf import CONF_DIR
from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.class_set.split import assign_splits
from deepcryopicker.class_set.training_set import SPLITS, build_training_set
from deepcryopicker.errors import NothingUsableError, UsageError
from deepcryopicker.frames import to_original
from deepcryopicker.types import Candidates, Micrograph, Picks

DIAMETER, SIZE = 24.0, 43
SHAPE = (260, 300)
SCALE = 0.5
GRID = np.array([(x, y) for y in range(30, 231, 50) for x in range(30, 271, 60)], float)
LABELS = np.resize(["top", "side", "irregular"], len(GRID))


def configure(name, **changes):
    settings = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "class-set" / f"{name}.yaml"))
    del settings["defaults"]
    return ClassSetConfig(**settings | {"samples_per_class": 60} | changes)


def labelled(image, labels=LABELS, good=None):
    picks = Picks.create(
        to_original(GRID[:, 0], SCALE), to_original(GRID[:, 1], SCALE), label=labels
    )
    good = np.ones(len(GRID), bool) if good is None else good
    candidates = Candidates(
        picks=picks,
        good=good,
        reason=np.where(good, "", "touching"),
        coverage=np.zeros_like(image),
        clusters=np.zeros(image.shape, np.uint8),
        mask=np.zeros(image.shape, bool),
        scale=SCALE,
    )
    return Micrograph("m", Path("m"), image, scale=SCALE), candidates


def constants(count):
    return [labelled(np.full(SHAPE, index + 1, np.float32)) for index in range(count)]


def build(found, config, strata=None, seed=0):
    strata = ["a"] * len(found) if strata is None else strata
    return build_training_set(found, strata, DIAMETER, SIZE, config, seed)


@pytest.mark.parametrize("name", ["four_no_negative", "four_no_background", "five"])
@pytest.mark.parametrize("seed", range(3))
def test_no_micrograph_is_in_two_splits(name, seed):
    """Every pixel of a micrograph holds its number."""
    found = build(constants(8), configure(name), ["a", "b"] * 4, seed)
    values = {split: set(np.unique(found.windows[found.split == split])) for split in SPLITS}
    for one, other in combinations(SPLITS, 2):
        assert not values[one] & values[other]
    assert set.union(*values.values()) == set(range(1, 9))


@pytest.mark.parametrize("count", [1, 2])
def test_no_particle_is_in_two_splits_of_few_micrographs(count):
    """Every pixel has a value of its own; what is compared is the particle-sized centre."""
    size = SHAPE[0] * SHAPE[1]
    images = [np.arange(size).reshape(SHAPE).astype(np.float32) + i * size for i in range(count)]
    found = build([labelled(image) for image in images], configure("five"))
    half = int(DIAMETER) // 2 - 1
    middle = slice(SIZE // 2 - half, SIZE // 2 + half + 1)
    values = {
        split: set(np.unique(found.windows[found.split == split][:, middle, middle]))
        for split in SPLITS
    }
    for one, other in combinations(SPLITS, 2):
        assert values[one]
        assert not values[one] & values[other]


@pytest.mark.parametrize("name", ["four_no_negative", "four_no_background", "five"])
def test_classes_are_balanced_in_every_split(name):
    config = configure(name)
    found = build(constants(10), config)
    assert found.classes == tuple(config.classes)
    assert found.windows.shape[1:] == (SIZE, SIZE)
    assert found.windows.dtype == np.float32
    assert found.target.dtype == np.int64
    for split, share in zip(SPLITS, (0.64, 0.16, 0.2), strict=True):
        counts = np.bincount(found.target[found.split == split], minlength=len(config.classes))
        assert counts.tolist() == [round(60 * share)] * len(config.classes)


def particle_images(count):
    """Micrographs whose value tells the distance to the nearest particle and its class."""
    row, column = np.indices(SHAPE)
    distance = np.hypot(column[..., None] - GRID[:, 0], row[..., None] - GRID[:, 1])
    return [labelled(distance.min(axis=-1).astype(np.float32)) for _ in range(count)]


def test_windows_are_centred_on_what_their_class_says():
    config = configure("five")
    found = build(particle_images(6), config)
    centre = found.windows[:, SIZE // 2, SIZE // 2]
    for index, name in enumerate(config.classes):
        distance = centre[found.target == index]
        if name == "background":
            assert distance.min() >= config.background_distance * DIAMETER - 1
        elif name == "negative":
            near, far = np.array(config.off_centre) * DIAMETER
            assert distance.min() >= 0.95 * near - 1
            assert distance.max() <= far + 1
        else:
            np.testing.assert_array_equal(distance, 0)


def test_shapes_keep_their_names():
    """The image holds the class of the nearest particle."""
    row, column = np.indices(SHAPE)
    nearest = np.hypot(column[..., None] - GRID[:, 0], row[..., None] - GRID[:, 1]).argmin(axis=-1)
    image = (np.arange(len(GRID)) % 3)[nearest].astype(np.float32)
    found = build([labelled(image) for _ in range(5)], configure("four_no_negative"))
    shape = found.target < 3
    np.testing.assert_array_equal(found.windows[shape, SIZE // 2, SIZE // 2], found.target[shape])


def test_without_negatives_off_centre_windows_are_background():
    for share in (0.0, 0.5, 1.0):
        config = configure("four_no_negative", off_centre_share=share)
        found = build(particle_images(6), config)
        background = found.windows[found.target == 3, SIZE // 2, SIZE // 2]
        # Off-centre places lie within 0.8 diameters, empty ones from 0.75 on.
        near = (background <= 0.8 * DIAMETER + 1).mean()
        assert near == pytest.approx(share, abs=0.25)


def test_bad_candidates_are_never_particles():
    image = np.zeros(SHAPE, np.float32)
    good = np.arange(len(GRID)) % 2 == 0
    for (x, y), fine in zip(GRID.astype(int), good, strict=True):
        image[y, x] = 1 if fine else -1
    found = build([labelled(image, good=good) for _ in range(5)], configure("five"))
    centre = found.windows[:, SIZE // 2, SIZE // 2]
    assert (centre[found.target < 3] == 1).all()
    assert (centre[found.target >= 3] != -1).all()


def test_same_seed_gives_the_same_set():
    one, same, other = (build(particle_images(5), configure("five"), seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.windows, same.windows)
    np.testing.assert_array_equal(one.split, same.split)
    assert one.windows.shape != other.windows.shape or (one.windows != other.windows).any()


def test_missing_class_is_left_out_rather_than_invented():
    found = build(
        [labelled(np.ones(SHAPE, np.float32), ["top"] * len(GRID)) for _ in range(5)],
        configure("four_no_negative"),
    )
    assert set(found.target) == {0, 3}


def test_no_good_candidates_is_an_error():
    nobody = np.zeros(len(GRID), bool)
    found = [labelled(np.ones(SHAPE, np.float32), good=nobody) for _ in range(5)]
    with pytest.raises(NothingUsableError, match="no particles for the"):
        build(found, configure("five"))


def test_no_background_is_an_error():
    found = constants(5)
    for _, candidates in found:
        candidates.coverage[:] = 1
    with pytest.raises(NothingUsableError, match="no background for the"):
        build(found, configure("four_no_negative", off_centre_share=0.0))


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": ["top", "backgrund"]},
        {"classes": ["background"]},
        {"classes": ["top", "side"]},
        {"samples_per_class": 7},
        {"validation": 0.5, "test": 0.5},
        {"off_centre": [0.8, 0.4]},
    ],
)
def test_absurd_settings_are_refused(changes):
    with pytest.raises(UsageError, match="class_set"):
        configure("five", **changes)


def test_micrographs_are_split_as_assign_splits_says():
    """The command relies on it to keep out of its scores what was trained on."""
    strata = ["a", "a", "b", "a", "b", "b", "a"]
    config = configure("five")
    for seed in range(3):
        found = build(constants(7), config, strata, seed)
        splits = assign_splits(strata, config.validation, config.test, seed)
        for number, split in enumerate(splits, 1):
            assert set(found.split[found.windows[:, 0, 0] == number]) == {split}
