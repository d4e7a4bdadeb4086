"""Training sets of tiny simulated micrographs, and the tables of what is in them."""

import csv
import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from rich.console import Console

from deepcryopicker.class_set.sampling_sites import Sites
from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.class_set.split import assign_splits
from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.detection.windows import cut
from deepcryopicker.errors import NothingUsableError
from deepcryopicker.frames import to_working
from deepcryopicker.labeler.schema import AutoConfig, LogConfig, TruthConfig
from deepcryopicker.labeler.truth import as_candidates
from deepcryopicker.pipeline.inputs.open_dataset import open_catalogue
from deepcryopicker.pipeline.training.labelled_windows import (
    LabelledMicrograph,
    sites_of,
)
from deepcryopicker.pipeline.training.training_set import (
    collect_labels,
    count_windows,
    describe_splits,
    make_training_set,
    most_labelled,
    only_held_out,
    tabulate_particles,
)
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import SHAPES, Micrograph, Picks, TrainingSet

SIDE = 31


def places(**kinds):
    """Sites of one micrograph, so many of each kind."""
    kind = np.repeat(list(kinds), list(kinds.values()))
    zeros = np.zeros(len(kind))
    return Sites(zeros, zeros, kind, kind, zeros, zeros.astype(int), zeros.astype(bool))


def source(group, diameter, **kinds):
    entry, labels = Entry("m", Path("m.mrc"), group), Picks.empty()
    return LabelledMicrograph(entry, places(**kinds), diameter, labels, np.array([], "<U1"))


def text_of(table):
    stream = io.StringIO()
    Console(file=stream, width=120).print(table)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("groups", "test", "expected"),
    [
        (
            "aaa",
            0.2,
            "labels of 3 micrographs: 1 for training, 1 for validation, 1 for the test; "
            "class_set.test=0 leaves more for training",
        ),
        (
            "aaaaaa",
            0.0,
            "labels of 6 micrographs: 5 for training, 1 for validation, none for the test",
        ),
        (
            "aaa",
            0.0,
            "labels of 3 micrographs, cut into 16 parts each: 38 for training, 10 for validation, "
            "none for the test",
        ),
        (
            "a",
            0.0,
            "labels of 1 micrograph, cut into 16 parts each: 13 for training, 3 for validation, "
            "none for the test",
        ),
        (
            "a" * 12,
            0.2,
            "labels of 12 micrographs: 8 for training, 2 for validation, 2 for the test",
        ),
    ],
)
def test_the_division_of_the_micrographs_is_one_line(groups, test, expected):
    class_set = ClassSetConfig(["top", "background"], test=test)
    config = TrainConfig(labeler=TruthConfig(), class_set=class_set, dataset=None)
    assert describe_splits(list(groups), config) == expected


def test_particles_are_counted_by_dataset_and_shape():
    """Table 1, and the window in each dataset's own pixels."""
    sources = [
        source("klh", 150.0, top=3, side=4, empty=9),
        source("ribosome", 92.0, irregular=11, rejected=2),
        source("klh", 150.0, top=2, side=1, **{"off-centre": 7}),
        source("klh", 160.0, top=1),
    ]
    chain = PreprocessingConfig(24.0, model_input="n", steps={"n": {"operation": "normalise"}})
    text = text_of(tabulate_particles(sources, chain, size=43))
    lines = [line.split() for line in text.splitlines() if any(map(str.isalnum, line))]
    assert "training particles" in text
    assert lines[1:] == [
        ["dataset", "micrographs", "top", "side", "irregular", "window,", "px"],
        # 43 pixels at 24 a particle are 43 / 24 particles; the median diameter counts.
        ["klh", "3", "6", "5", "0", str(round(43 / 24 * 150))],
        ["ribosome", "1", "0", "0", "11", str(round(43 / 24 * 92))],
    ]


NAMES = [f"m{number}" for number in range(10)]


def with_truth(names):
    return Catalogue("all", tuple(Entry(n, Path(f"{n}.mrc"), "g", truth=Path(n)) for n in names))


def sources_of(catalogue):
    return [replace(source("g", 50.0, top=3), entry=entry) for entry in catalogue.entries]


def configure_labels(labeler, **changes):
    class_set = ClassSetConfig(["top", "background"], test=0.3, **changes)
    return TrainConfig(labeler=labeler, class_set=class_set, dataset=None)


def test_truth_that_was_trained_on_is_kept_out_of_the_scores():
    """Exactly the micrographs of the test windows keep theirs."""
    whole, config = with_truth(NAMES), configure_labels(TruthConfig())
    split = assign_splits(["g"] * len(NAMES), config.class_set, config.seed)[:, 0]
    left = only_held_out(whole, sources_of(whole), config)
    assert [entry.name for entry in left.entries] == NAMES  # all of them are picked
    assert {e.name for e in left.entries if e.truth} == {
        name for name, of in zip(NAMES, split, strict=True) if of == "test"
    }
    assert sum(entry.truth is not None for entry in left.entries) == 3


@pytest.mark.parametrize(("split_by", "test"), [("micrograph", 1), ("copy", 0)])
def test_truth_that_was_not_learnt_from_is_scored(split_by, test, capsys):
    """Of ten micrographs four were labelled; six are new to the network."""
    whole, config = with_truth(NAMES), configure_labels(TruthConfig(), split_by=split_by)
    left = only_held_out(whole, sources_of(whole)[:4], config)
    assert all(entry.truth for entry in left.entries[4:])
    assert sum(entry.truth is not None for entry in left.entries[:4]) == test
    assert "6 micrographs with truth beyond those learnt from" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("labeler", "given", "most"),
    [
        (LogConfig(), None, 64),
        (TruthConfig(), None, 1500),
        (LogConfig(), 200, 200),
        (TruthConfig(), 12, 12),
    ],
)
def test_given_labels_are_learnt_from_as_far_as_they_add_windows(labeler, given, most):
    config = replace(configure_labels(labeler), max_label_micrographs=given)
    assert most_labelled(config) == most


@pytest.mark.parametrize("labeler", [AutoConfig(), LogConfig()])
def test_labels_found_without_the_truth_leave_all_of_it_to_the_scores(labeler):
    whole = with_truth(NAMES)
    assert only_held_out(whole, sources_of(whole), configure_labels(labeler)) == whole


@pytest.mark.parametrize(("names", "changes"), [(NAMES, {"split_by": "copy"}), (NAMES[:2], {})])
def test_where_every_micrograph_was_trained_on_none_is_scored(names, changes, capsys):
    """Split by copy, or so few micrographs that blocks of each are trained on."""
    whole = with_truth(names)
    left = only_held_out(whole, sources_of(whole), configure_labels(TruthConfig(), **changes))
    assert not any(entry.truth for entry in left.entries)
    assert "picks are not scored" in capsys.readouterr().out


def test_windows_are_counted_by_class_and_split():
    """Table 2: three places of the first class make six windows; the second class has none."""
    split = np.array(["train", "train", "train", "validation", "validation", "test", "train"])
    target = np.array([0, 0, 0, 0, 0, 0, 2])
    site = np.array([5, 5, 5, 8, 8, 9, 4])
    count = len(site)
    heat, unit, group = np.eye(3, dtype=np.float32)[target], site, np.full(count, "a")
    windows = np.zeros((count, 3, 3), np.float32)
    classes = ("top", "side", "background")
    assert count_windows(TrainingSet(windows, target, heat, split, group, unit, site, classes)) == [
        {"what": "top", "places": 3, "train": 3, "validation": 2, "test": 1},
        {"what": "side", "places": 0, "train": 0, "validation": 0, "test": 0},
        {"what": "background", "places": 1, "train": 1, "validation": 0, "test": 0},
    ]


@pytest.fixture(scope="module")
def configure(tmp_path_factory):
    """Compose the configuration of training on four small micrographs with known particles."""
    cache = tmp_path_factory.mktemp("simulated")
    given = (
        "labeler=truth",
        "dataset.kinds=[apoferritin]",
        "dataset.micrographs_per_kind=4",
        "dataset.shape=[300,340]",
        f"dataset.cache={cache}",
        "class_set.samples_per_class=60",
        "overlays=0",
    )
    registry.register()

    def composed(*overrides):
        with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
            return registry.validated(compose("train", [*given, *overrides]))

    return composed


@pytest.fixture(scope="module")
def sources(configure, tmp_path_factory):
    config = configure()
    run = Run(tmp_path_factory.mktemp("labels"), None, "run", {})
    return collect_labels(open_catalogue(config.dataset), SIDE, config, run)[0]


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, None, "run", {})


@pytest.fixture(scope="module")
def plain(configure, sources, tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("plain"), None, "run", {})
    return make_training_set(sources, SIDE, configure(), run), run


def correlations(one, other):
    pairs = zip(one.reshape(len(one), -1), other.reshape(len(other), -1), strict=True)
    return np.array([np.corrcoef(*pair)[0, 1] for pair in pairs])


@pytest.mark.thorough
def test_windows_show_their_places(plain, configure, sources):
    """Each window of a particle is a quarter turn of what is cut at one of its micrograph's."""
    training_set, _ = plain
    assert training_set.windows.shape == (len(training_set.target), SIDE, SIDE)
    assert training_set.windows.dtype == np.float32
    expected = set()
    for one in sources:
        flat = Preprocessed(one.entry.load(), one.diameter, configure().preprocessing).flat
        tops = one.sites.kind == "top"
        x, y = (to_working(position[tops], flat.scale) for position in (one.sites.x, one.sites.y))
        for window in cut(flat.image, np.column_stack([x, y]), SIDE, "mean"):
            expected |= {np.rot90(window, number).tobytes() for number in range(4)}
    tops = training_set.windows[training_set.target == 0]
    assert len(tops) > 20
    assert {window.tobytes() for window in tops} <= expected


def test_tables_and_sheet_are_written(plain, configure):
    training_set, run = plain
    with (run.folder / "samples.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["what"] for row in rows] == list(training_set.classes)
    for row, counted in zip(rows, count_windows(training_set), strict=True):
        assert {key: int(row[key]) for key in ("places", "train", "validation", "test")} == {
            key: counted[key] for key in ("places", "train", "validation", "test")
        }
    assert (run.folder / "samples.png").is_file()
    assert run.failures == []
    np.testing.assert_allclose(training_set.heat.sum(axis=1), 1, atol=1e-6)


def test_no_micrograph_is_in_two_splits(plain):
    training_set, _ = plain
    splits = {
        unit: set(training_set.split[training_set.unit == unit])
        for unit in np.unique(training_set.unit)
    }
    assert all(len(each) == 1 for each in splits.values())
    assert set().union(*splits.values()) == {"train", "validation", "test"}


def test_the_same_twice(plain, configure, sources, run):
    again = make_training_set(sources, SIDE, configure(), run)
    np.testing.assert_array_equal(again.windows, plain[0].windows)


@pytest.mark.parametrize("preprocessing", ["default", "none", "matlab"])
@pytest.mark.thorough
def test_augmented_windows_are_other_versions_of_the_training_windows(
    configure, sources, run, preprocessing
):
    given = [f"preprocessing={preprocessing}"]
    before = make_training_set(sources, SIDE, configure(*given), run)
    after = make_training_set(sources, SIDE, configure(*given, "class_set.augmented=1"), run)
    for name in ("target", "heat", "split", "unit", "site", "group"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    same = (after.windows == before.windows).all(axis=(1, 2))
    np.testing.assert_array_equal(same, before.split != "train")

    trained = before.split == "train"
    likeness = correlations(after.windows[trained], before.windows[trained])
    assert likeness.mean() > 0.3
    tops = trained & (before.target == 0)
    assert correlations(after.windows[tops], before.windows[tops]).mean() > 0.3
    # Not everything is as little changed as by the smoothing alone.
    assert np.ptp(likeness) > 0.05


def test_a_share_of_the_training_windows_is_augmented(plain, configure, sources, run):
    before, _ = plain
    after = make_training_set(sources, SIDE, configure("class_set.augmented=0.3"), run)
    changed = (after.windows != before.windows).any(axis=(1, 2))
    assert not changed[before.split != "train"].any()
    # Of 76 training windows: the standard deviation of the share is 0.05.
    assert changed[before.split == "train"].mean() == pytest.approx(0.3, abs=0.15)


@pytest.mark.thorough
def test_every_step_of_the_chain_is_shown_equally_often(configure, run):
    """Of three versions, rescaled, standardised and blurred, the last one is distinct.

    At an edge, where half a window is the micrograph's mean, it is not.
    """
    blur = "+preprocessing.steps.blur={operation: gaussian, sigma: 8}"
    chain = ("preprocessing=none", blur, "class_set.edge=0.5")
    config = configure(*chain)
    inside = collect_labels(open_catalogue(config.dataset), SIDE, config, run)[0]
    before = make_training_set(inside, SIDE, config, run)
    after = make_training_set(inside, SIDE, configure(*chain, "class_set.augmented=1"), run)
    trained = before.split == "train"
    likeness = correlations(after.windows[trained], before.windows[trained])
    blurred = likeness < 0.6
    assert likeness[blurred].max() + 0.1 < likeness[~blurred].min()
    assert blurred.mean() == pytest.approx(1 / 3, abs=0.16)


@pytest.fixture
def damage(sources, tmp_path):
    """Give the sources with some of their files cut short."""

    def damaged(*numbers):
        path = tmp_path / "cut.mrc"
        path.write_bytes(sources[0].entry.path.read_bytes()[:5000])
        return [
            replace(one, entry=replace(one.entry, path=path)) if index in numbers else one
            for index, one in enumerate(sources)
        ]

    return damaged


def test_a_micrograph_that_cannot_be_read_again_is_left_out(plain, configure, sources, damage, run):
    whole, _ = plain
    micrograph = whole.unit // 16
    trained = np.unique(micrograph[whole.split == "train"])
    lost = int(trained[0])
    assert len(trained) > 1
    rest = make_training_set(damage(lost), SIDE, configure(), run)
    (failure,) = run.failures
    assert (failure["micrograph"], failure["stage"]) == (sources[lost].entry.name, "cut")
    assert (run.folder / "failures.csv").is_file()
    kept = micrograph != lost
    for name in ("windows", "target", "heat", "split", "unit", "site", "group"):
        np.testing.assert_array_equal(getattr(rest, name), getattr(whole, name)[kept])


@pytest.mark.parametrize("split", ["train", "validation"])
def test_without_the_only_micrographs_of_a_split_it_stops(plain, configure, damage, run, split):
    whole, _ = plain
    lost = np.unique(whole.unit[whole.split == split]) // 16
    with pytest.raises(NothingUsableError, match=f"for the {split} split"):
        make_training_set(damage(*lost.tolist()), SIDE, configure(), run)


def test_without_any_readable_micrograph_it_stops(configure, damage, run):
    with pytest.raises(NothingUsableError, match="cutting: no micrograph could be used"):
        make_training_set(damage(0, 1, 2, 3), SIDE, configure(), run)


@pytest.mark.parametrize(
    ("labeler", "edge", "trained_on"),
    [
        (TruthConfig(), None, 3),
        (TruthConfig(), 0.5, 1),
        (TruthConfig(), 0.3, 2),
        (LogConfig(), None, 1),
        (LogConfig(), 0.0, 3),
    ],
)
def test_given_particles_at_edges_are_learned_from(labeler, edge, trained_on):
    """One is in the middle, one a third of a diameter from an edge, one hardly inside."""
    image = np.random.default_rng(0).normal(size=(300, 400)).astype(np.float32)
    chain = PreprocessingConfig(24.0, model_input="n", steps={"n": {"operation": "normalise"}})
    preprocessed = Preprocessed(Micrograph("m", Path("m.mrc"), image), 48.0, chain)
    picks = Picks.create([200.0, 16.0, 300.0], [150.0, 100.0, 298.0], diameter=48.0)
    found = as_candidates(preprocessed, picks, np.array(["", "", ""]))
    classes = ClassSetConfig([*SHAPES, "background"], edge=edge)
    config = SimpleNamespace(labeler=labeler, class_set=classes)
    sites = sites_of(preprocessed, found, SIDE, config, np.random.default_rng(0))
    assert np.isin(sites.kind, SHAPES).sum() == trained_on
