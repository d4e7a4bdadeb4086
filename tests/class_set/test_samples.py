"""The samples are balanced, and no pixel of one split is in another."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from deepcryopicker.class_set.heat import heat_targets
from deepcryopicker.class_set.samples import SPLITS, draw_samples
from deepcryopicker.class_set.sampling_sites import find_sites
from deepcryopicker.class_set.split import BLOCKS, assign_splits, shares_of
from deepcryopicker.errors import NothingUsableError, UsageError
from deepcryopicker.frames import to_working
from deepcryopicker.types import Candidates, Picks

from .common import (
    DIAMETER,
    GRID,
    LABELS,
    SCALE,
    SHAPE,
    SIZE,
    candidates,
    configure,
    cut_all,
    draw,
    sites_of,
)

NAMES = ["four_no_negative", "four_no_background", "five", "binary"]
MIDDLE = SIZE // 2


def constants(count):
    return [np.full(SHAPE, index + 1, np.float32) for index in range(count)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rotations", ["fill", "all", "none"])
def test_no_micrograph_is_in_two_splits(name, rotations):
    """Every pixel of a micrograph holds its number."""
    config = configure(name, rotations=rotations)
    samples = draw([candidates()] * 8, config, ["a", "b"] * 4)
    windows = cut_all(samples, constants(8))
    values = {split: set(np.unique(windows[samples.split == split])) for split in SPLITS}
    for one, other in combinations(SPLITS, 2):
        assert not values[one] & values[other]
    assert set.union(*values.values()) == set(range(1, 9))


@pytest.mark.parametrize("count", [1, 2])
def test_no_particle_is_in_two_splits_of_few_micrographs(count):
    """Every pixel has a value of its own; these micrographs are too small for bands of a window."""
    size = SHAPE[0] * SHAPE[1]
    images = [np.arange(size).reshape(SHAPE).astype(np.float32) + i * size for i in range(count)]
    samples = draw([candidates()] * count, configure("five"))
    windows = cut_all(samples, images)
    half = int(DIAMETER) // 2 - 1
    middle = slice(MIDDLE - half, MIDDLE + half + 1)
    beyond = {image.mean() for image in images}  # what windows show beyond the edges
    values = {
        split: set(np.unique(windows[samples.split == split][:, middle, middle])) - beyond
        for split in SPLITS
    }
    for one, other in combinations(SPLITS, 2):
        assert values[one]
        assert not values[one] & values[other]


def test_guard_bands_never_leave_a_split_without_particles():
    """On a small micrograph, they can cover all of a block."""
    config = configure("five")
    sites = [
        replace(one, guard=np.zeros(len(one.x), bool)) for one in sites_of([candidates()], config)
    ]
    covered = [replace(one, guard=np.ones(len(one.x), bool)) for one in sites]
    without, within = (draw_samples(each, ["a"], config, 0) for each in (sites, covered))
    np.testing.assert_array_equal(without.site, within.site)
    assert set(within.split) == set(SPLITS)


def test_windows_of_different_blocks_share_nothing():
    """A micrograph large enough for bands as wide as a window."""
    rng = np.random.default_rng(0)
    shape, diameter, window = (2000, 2400), 48.0, 86.0
    places = rng.uniform(60, 1900, (600, 2))
    sites = find_sites(
        Candidates(
            picks=Picks.create(*places.T),
            good=np.ones(600, bool),
            reason=np.full(600, ""),
            coverage=np.zeros((100, 120), np.float32),
            clusters=np.zeros((0, 0), np.uint8),
            mask=np.zeros((0, 0), bool),
            scale=0.05,
        ),
        shape,
        diameter,
        window,
        configure("four_no_negative"),
        rng,
    )
    config = configure("four_no_negative", samples_per_class=400)
    samples = draw_samples([sites], ["a"], config, seed=0)
    xy = np.column_stack([samples.x, samples.y])
    for one, other in combinations(SPLITS, 2):
        a, b = xy[samples.split == one], xy[samples.split == other]
        apart = np.abs(a[:, None] - b).max(axis=-1)  # windows are squares
        assert apart.min() >= window


def test_a_split_by_copy_leaks():
    """What it is there for: rotated copies of one place on both sides."""
    shared = {}
    for split_by in ("micrograph", "copy"):
        config = configure("five", split_by=split_by, rotations="all")
        samples = draw([candidates()] * 8, config)
        sites = [set(samples.site[samples.split == name].tolist()) for name in ("train", "test")]
        shared[split_by] = len(sites[0] & sites[1]) / len(sites[1])
    assert shared["micrograph"] == 0
    assert shared["copy"] > 0.5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("split_by", ["micrograph", "copy"])
def test_classes_are_balanced_in_every_split(name, split_by):
    config = configure(name, split_by=split_by)
    samples = draw([candidates()] * 10, config)
    for split, share in zip(SPLITS, (0.64, 0.16, 0.2), strict=True):
        counts = np.bincount(samples.target[samples.split == split], minlength=len(config.classes))
        assert counts.tolist() == [round(60 * share)] * len(config.classes)


@pytest.mark.parametrize(("test", "counts"), [(0.2, (960, 240, 300)), (0.3, (840, 210, 450))])
def test_the_papers_numbers(test, counts):
    """80/20 of its methods, and 70/30 (1050 and 450 of each class) of its text."""
    config = configure("five", samples_per_class=1500, test=test)
    samples = draw([candidates()] * 20, config)
    for split, count in zip(SPLITS, counts, strict=True):
        found = np.bincount(samples.target[samples.split == split], minlength=5)
        # 160 particles of a class in four turns; the others are repeats.
        assert found.max() <= count
        assert shares_of(config)[split] * 1500 == pytest.approx(count)


def test_rotations():
    config = configure("five", samples_per_class=400, rotations="all")
    samples = draw([candidates()] * 10, config)
    train = samples[(samples.split == "train") & (samples.target == 0)]
    per_site = {
        site: sorted(train.quarter_turns[train.site == site].tolist()) for site in train.site
    }
    assert sum(used == [0, 1, 2, 3] for used in per_site.values()) >= len(per_site) - 1
    none = draw([candidates()] * 10, configure("five", rotations="none"))
    assert (none.quarter_turns == 0).all()


def test_copies_fill_up_only_what_is_short():
    """40 places of each shape on the training micrographs."""
    labels = np.where(np.arange(len(GRID)) < 2, "side", "top")
    samples = draw([candidates(labels)] * 10, configure("five"))
    train = samples[samples.split == "train"]
    assert set(train.quarter_turns[train.kind == "top"]) == {0}
    assert set(train.quarter_turns[train.kind == "side"]) == {0, 1, 2, 3}


def test_windows_are_centred_on_what_their_class_says():
    config = configure("five")
    row, column = np.indices(SHAPE)
    distance = np.hypot(column[..., None] - GRID[:, 0], row[..., None] - GRID[:, 1])
    image = distance.min(axis=-1).astype(np.float32)
    samples = draw([candidates()] * 6, config)
    centre = cut_all(samples, [image] * 6)[:, MIDDLE, MIDDLE]
    for index, name in enumerate(config.classes):
        found = centre[samples.target == index]
        if name == "background":
            assert found.min() >= 0.75 * DIAMETER - 1
        elif name == "negative":
            near, far = np.array(config.off_centre) * DIAMETER
            assert found.min() >= 0.95 * near - 1
            assert found.max() <= far + 1
        else:
            np.testing.assert_array_equal(found, 0)


def test_shapes_keep_their_names():
    """The image holds the class of the nearest particle."""
    row, column = np.indices(SHAPE)
    nearest = np.hypot(column[..., None] - GRID[:, 0], row[..., None] - GRID[:, 1]).argmin(axis=-1)
    image = (np.arange(len(GRID)) % 3)[nearest].astype(np.float32)
    samples = draw([candidates()] * 5, configure("four_no_negative"))
    shape = samples.target < 3
    found = cut_all(samples, [image] * 5)[shape, MIDDLE, MIDDLE]
    np.testing.assert_array_equal(found, samples.target[shape])


def test_a_binary_set_takes_every_shape_for_a_particle():
    samples = draw([candidates()] * 6, configure("binary", samples_per_class=200))
    assert set(samples.kind[samples.target == 0]) == {"top", "side", "irregular"}
    assert set(samples.kind[samples.target == 1]) == {"empty", "off-centre"}


def test_without_negatives_off_centre_windows_are_background():
    for share in (0.0, 0.5, 1.0):
        samples = draw([candidates()] * 6, configure("four_no_negative", off_centre_share=share))
        background = samples.kind[samples.target == 3]
        assert (background == "off-centre").mean() == pytest.approx(share, abs=0.01)


def test_rejected_candidates_are_not_negatives():
    """Many of them are particles."""
    good = np.arange(len(GRID)) % 2 == 0
    found = candidates(good=good)
    [sites] = sites_of([found], configure("five"))
    places = np.column_stack([sites.x, sites.y])
    rejected = found.picks.positions[~good]
    doubtful = sites.kind == "doubtful"
    np.testing.assert_array_equal(places[doubtful], rejected)
    assert np.hypot(*np.moveaxis(places[~doubtful][:, None] - rejected, -1, 0)).min() > 0


def test_no_windows_are_cut_at_doubtful_candidates():
    good = np.arange(len(GRID)) % 2 == 0
    samples = draw([candidates(good=good)] * 6, configure("five"))
    assert "doubtful" not in samples.kind


def contaminated(count, others="touching"):
    """The first few places of a micrograph are contaminants, every second one is a particle."""
    number = np.arange(len(GRID))
    good = (number % 2 == 0) & (number >= count)
    reason = np.where(good, "", np.where(number < count, "contaminant", others))
    return replace(candidates(good=good), reason=reason)


def kinds(samples, target, split="train"):
    """Shares of the kinds of windows in a class."""
    members = samples.kind[(samples.target == target) & (samples.split == split)]
    return {name: (members == name).mean() for name in set(members)}


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("five", 4, {"contaminant": 0.3, "off-centre": 0.7}),
        ("binary", 1, {"empty": 0.5, "contaminant": 0.15, "off-centre": 0.35}),
        ("four_no_negative", 3, {"empty": 0.5, "contaminant": 0.15, "off-centre": 0.35}),
    ],
)
def test_contaminants_have_a_share_of_the_off_centre_windows(name, target, expected):
    config = configure(name, contaminant_share=0.3, samples_per_class=160)
    samples = draw([contaminated(9)] * 8, config)
    found = kinds(samples, target)
    assert set(found) == set(expected)
    for kind, share in expected.items():
        assert found[kind] == pytest.approx(share, abs=0.02)
    # A contaminant is nobody's neighbour, and no particle is called one.
    contaminants = samples[samples.kind == "contaminant"]
    assert set(contaminants.target) == {target}
    assert (contaminants.near == -1).all()
    assert not contaminants.heat.any()


@pytest.mark.parametrize(("rotations", "orientations"), [("fill", 4), ("all", 4), ("none", 1)])
def test_the_few_contaminants_are_used_once_in_each_orientation(rotations, orientations):
    """One on each of five training micrographs; the windows left over are off-centre ones."""
    config = configure("five", contaminant_share=1.0, samples_per_class=160, rotations=rotations)
    samples = draw([contaminated(1)] * 8, config)
    train = samples[samples.split == "train"]
    micrographs = len(set(train.micrograph))
    chosen = train[train.kind == "contaminant"]
    assert len(set(zip(chosen.site, chosen.quarter_turns, strict=True))) == len(chosen)
    assert len(chosen) == orientations * micrographs
    negative = train.kind[train.target == 4]
    assert set(negative) == {"contaminant", "off-centre"}
    assert len(negative) == (train.target == 0).sum()


@pytest.mark.parametrize("name", ["five", "four_no_negative"])
def test_without_contaminants_their_share_changes_nothing(name):
    good = np.arange(len(GRID)) % 2 == 0
    one, other = (
        draw([candidates(good=good)] * 6, configure(name, contaminant_share=share))
        for share in (0.0, 0.7)
    )
    for column in ("x", "y", "kind", "quarter_turns", "target", "split"):
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column))


def test_contaminants_are_left_out_where_they_have_no_share():
    samples = draw([contaminated(9)] * 6, configure("five", contaminant_share=0.0))
    assert "contaminant" not in samples.kind
    assert set(kinds(samples, 4)) == {"off-centre"}


def touching():
    """Every particle has another beside it, 0.7 diameters away."""
    found = candidates()
    picks = found.picks
    other = replace(picks, x=picks.x + 0.7 * DIAMETER / SCALE)
    count = 2 * len(picks)
    return replace(
        found, picks=picks.joined(other), good=np.ones(count, bool), reason=np.full(count, "")
    )


@pytest.mark.parametrize(
    ("name", "target", "share"), [("five", 4, 0.3), ("four_no_negative", 3, 0.3), ("five", 4, 0.0)]
)
def test_places_between_touching_particles_have_a_share(name, target, share):
    config = configure(name, between_share=share, samples_per_class=160)
    samples = draw([touching()] * 8, config)
    beside = 1.0 if name == "five" else config.off_centre_share
    assert kinds(samples, target).get("between", 0) == pytest.approx(share * beside, abs=0.02)
    chosen = samples[samples.kind == "between"]
    assert set(chosen.target) <= {target}
    left = to_working(chosen.x, SCALE) - 0.35 * DIAMETER
    np.testing.assert_allclose(np.abs(left[:, None] - GRID[:, 0]).min(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(chosen.heat, np.exp(-0.5 * (0.35 / 0.15) ** 2))


@pytest.mark.parametrize("times", [0.5, 1.0, 2.0])
def test_the_background_has_as_many_windows_as_configured(times):
    config = configure("four_no_negative", background_windows=times, samples_per_class=40)
    samples = draw([candidates()] * 6, config)
    counts = np.bincount(samples.target, minlength=4)
    assert counts[3] == pytest.approx(times * counts[:3].max(), abs=2)
    assert counts[:3].max() == pytest.approx(40, abs=2)


def test_unbalanced_classes_are_as_frequent_as_their_particles():
    labels = np.where(np.arange(len(LABELS)) % 4, "top", "irregular")
    found = [candidates(labels)] * 6
    config = configure("four_no_negative", balanced=False, samples_per_class=40)
    samples = draw(found, config)
    top, side, irregular, background = np.bincount(samples.target, minlength=4)
    frequency = (labels == "top").mean()
    assert top / (top + irregular) == pytest.approx(frequency, abs=0.03)
    assert side == 0
    assert top + irregular == pytest.approx(2 * 40, abs=4)
    assert background == pytest.approx(40, abs=2)


def test_where_no_particles_touch_nothing_lies_between():
    one, other = (
        draw([candidates()] * 6, configure("five", between_share=share)) for share in (0.0, 0.7)
    )
    assert "between" not in other.kind
    np.testing.assert_array_equal(one.x, other.x)


@pytest.mark.parametrize(("edge", "trained_on"), [(None, 0), (0.5, 0), (0.2, 1), (0.0, 2)])
def test_particles_that_are_cut_a_little_may_be_trained_on(edge, trained_on):
    """One has its centre 0.3, another 0.1 diameters from the edge."""
    found = candidates()
    x = found.picks.x.copy()
    x[[0, 5]] = 0.3 * DIAMETER / SCALE, SHAPE[1] / SCALE - 1 - 0.1 * DIAMETER / SCALE
    cut = np.isin(np.arange(len(x)), [0, 5])
    found = replace(
        found,
        picks=replace(found.picks, x=x),
        good=~cut,
        reason=np.where(cut, "cut by the edge", ""),
    )
    [sites] = sites_of([found], configure("four_no_negative", edge=edge))
    particles = np.isin(sites.kind, ["top", "side", "irregular"])
    assert np.isin(x[[0, 5]], sites.x[particles]).sum() == trained_on
    assert particles.sum() == len(x) - 2 + trained_on
    doubtful = {"doubtful"} if trained_on < 2 else set()
    assert set(sites.kind) == {"top", "side", "irregular", "off-centre", "empty"} | doubtful


@pytest.mark.parametrize("edge", [-0.1, 0.6])
def test_no_more_than_half_a_diameter_is_left_out_at_the_edge(edge):
    with pytest.raises(UsageError, match=r"class_set.edge must lie in \[0, 0.5\]"):
        configure("five", edge=edge)


def test_small_datasets_are_not_crowded_out():
    """One of six micrographs; each has eight or nine particles of a class."""
    strata = ["small"] * 3 + ["large"] * 15
    samples = draw([candidates()] * 18, configure("five", samples_per_class=50), strata)
    train = samples[(samples.split == "train") & (samples.target == 0)]
    from_small = train.micrograph < 3
    sites = len(set(train.site[from_small].tolist()))
    assert sites == LABELS.tolist().count("top")  # all that there are on one micrograph


def test_heat_falls_off_around_particles():
    config = configure("four_no_negative", off_centre=[0.05, 0.8], samples_per_class=300)
    samples = draw([candidates()] * 6, config)
    heat = heat_targets(samples, config.classes)
    np.testing.assert_allclose(heat.sum(axis=1), 1, rtol=1e-6)
    particles = samples.target < 3
    np.testing.assert_array_equal(heat[particles], np.eye(4)[samples.target[particles]])
    empty = samples.kind == "empty"
    np.testing.assert_array_equal(heat[empty, 3], 1)
    shifted = samples.kind == "off-centre"
    away = np.hypot(
        (samples.x[shifted, None] + 0.5) / 2 - 0.5 - GRID[:, 0],
        (samples.y[shifted, None] + 0.5) / 2 - 0.5 - GRID[:, 1],
    )
    expected = np.exp(-0.5 * (away.min(axis=1) / DIAMETER / 0.15) ** 2)
    np.testing.assert_allclose(1 - heat[shifted, 3], expected, atol=1e-5)
    shape = np.array(["top", "side", "irregular"])[heat[shifted, :3].argmax(axis=1)]
    tall = expected > 1e-3
    np.testing.assert_array_equal(shape[tall], LABELS[away.argmin(axis=1)][tall])


def test_same_seed_gives_the_same_samples():
    one, same, other = (draw([candidates()] * 5, configure("five"), seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.x, same.x)
    np.testing.assert_array_equal(one.split, same.split)
    assert len(one) != len(other) or (one.x != other.x).any()


def test_missing_class_is_left_out_rather_than_invented():
    samples = draw([candidates(["top"] * len(GRID))] * 5, configure("four_no_negative"))
    assert set(samples.target) == {0, 3}


def test_units_are_micrographs_or_blocks():
    samples = draw([candidates()] * 5, configure("five"))
    np.testing.assert_array_equal(samples.unit, samples.micrograph * BLOCKS)
    samples = draw([candidates()] * 2, configure("five"))
    assert len(set(samples.unit.tolist())) > 8


@pytest.mark.parametrize("split_by", ["micrograph", "copy"])
def test_no_good_candidates_is_an_error(split_by):
    nobody = candidates(good=np.zeros(len(GRID), bool))
    with pytest.raises(NothingUsableError, match="no particles for the"):
        draw([nobody] * 5, configure("five", split_by=split_by))


def test_no_background_is_an_error():
    covered = candidates(coverage=np.ones(SHAPE, np.float32))
    with pytest.raises(NothingUsableError, match="no background for the"):
        draw([covered] * 5, configure("four_no_negative", off_centre_share=0.0))


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": ["top", "backgrund"]},
        {"classes": ["background"]},
        {"classes": ["top", "side"]},
        {"classes": ["particle", "top", "background"]},
        {"samples_per_class": 7},
        {"test": 1.0},
        {"validation": 0.0},
        {"off_centre": [0.8, 0.4]},
        {"rotations": "some"},
        {"split_by": "particle"},
        {"augmented": 1.5},
        {"contaminant_share": 1.1},
        {"contaminant_share": -0.1},
    ],
)
def test_absurd_settings_are_refused(changes):
    with pytest.raises(UsageError, match=f"class_set.{next(iter(changes))}"):
        configure("five", **changes)


def test_micrographs_are_split_as_assign_splits_says():
    """The command relies on it to score only what is held out."""
    strata = ["a", "a", "b", "a", "b", "b", "a"]
    config = configure("five")
    for seed in range(3):
        samples = draw([candidates()] * 7, config, strata, seed)
        splits = assign_splits(strata, config, seed)
        np.testing.assert_array_equal(samples.split, splits[samples.micrograph, 0])
