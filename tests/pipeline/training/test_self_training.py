"""Rounds of training on tiny micrographs: what they leave, how they resume, where they start."""

import csv
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from safetensors.torch import load_file

from deepcryopicker.class_set.split import assign_splits
from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.errors import UsageError
from deepcryopicker.model.schema import TimmConfig
from deepcryopicker.model.weights import WEIGHTS, load_weights
from deepcryopicker.pipeline.inputs.open_dataset import open_catalogue
from deepcryopicker.pipeline.training import calibrate, self_training
from deepcryopicker.pipeline.training.fitting.fit_network import count_rounds, new_network
from deepcryopicker.pipeline.training.train_network import training_folders
from deepcryopicker.pipeline.training.training_set import collect_labels
from deepcryopicker.runs.folder import Run
from deepcryopicker.train import train
from deepcryopicker.trainer.module import WindowClassifier
from deepcryopicker.types import CONTAMINANT, UNCALIBRATED, UNCERTAIN, Picks

pytestmark = pytest.mark.thorough

SIZE = 43


@pytest.fixture(scope="module")
def configure(tmp_path_factory):
    """Compose the configuration of training on four small micrographs with known particles."""
    given = (
        "labeler=truth",
        "dataset.kinds=[apoferritin]",
        "dataset.micrographs_per_kind=4",
        "dataset.shape=[300,340]",
        f"dataset.cache={tmp_path_factory.mktemp('simulated')}",
        "class_set.samples_per_class=40",
        "model.widths=[4,4,6,6,8,8]",
        "trainer.epochs=2",
        "trainer.epoch_windows=1",
        "trainer.device=cpu",
        "picker.device=cpu",
        "logger=csv",
        "baseline=null",
        "overlays=0",
        "until=weights",
    )
    registry.register()

    def composed(*overrides):
        with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
            return registry.validated(compose("train", [*given, *overrides]))

    return composed


def run_in(folder, resumes=False):
    folder.mkdir(exist_ok=True)
    return Run(folder, None, "run", {}, resumes)


def epochs(folder):
    with (folder / "metrics.csv").open() as stream:
        return [int(row["epoch"]) for row in csv.DictReader(stream)]


@pytest.fixture(scope="module")
def twice(configure, tmp_path_factory):
    """Run of two rounds on given labels."""
    folder = tmp_path_factory.mktemp("twice")
    train(configure(), run_in(folder))
    return folder


@pytest.fixture(scope="module")
def once(configure, tmp_path_factory):
    folder = tmp_path_factory.mktemp("once")
    train(configure("rounds=1"), run_in(folder))
    return folder


@pytest.fixture(scope="module")
def sources(configure, tmp_path_factory):
    config = configure()
    run = run_in(tmp_path_factory.mktemp("labels"))
    return collect_labels(open_catalogue(config.dataset), SIZE, config, run)[0]


@pytest.mark.thorough
def test_every_round_has_its_own_curves_and_no_checkpoints_stay(twice):
    first, second = training_folders(twice, 2)
    assert second == twice / "training" / "round_2"
    assert epochs(first) == epochs(second) == [0, 1]
    assert (first / "metrics.csv").read_bytes() != (second / "metrics.csv").read_bytes()
    assert list(twice.rglob("*.ckpt")) == []
    assert [path.name for path in first.iterdir() if path.is_dir()] == ["round_2"]


@pytest.mark.thorough
def test_the_weights_are_those_of_the_last_round(twice, once):
    trained = load_weights(twice)
    assert trained.calibration.slope > 0
    assert not (once / "training" / "round_2").exists()
    first = (once / "training" / "metrics.csv").read_bytes()
    assert (twice / "training" / "metrics.csv").read_bytes() == first
    one, other = (load_file(folder / WEIGHTS) for folder in (once, twice))
    assert any(not torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(
    ("given", "trainings"),
    [
        ((), 2),
        (("rounds=1",), 1),
        (("rounds=3",), 3),
        (("labeler=auto",), 1),
        (("labeler=auto", "rounds=2"), 2),
    ],
)
def test_given_labels_are_trained_on_twice(configure, given, trainings):
    assert count_rounds(configure(*given)) == trainings


@pytest.mark.parametrize("number", [0, -1, 11])
def test_absurd_numbers_of_rounds_are_refused(configure, number):
    with pytest.raises(UsageError, match=rf"rounds must lie in \[1, 10\], got {number}"):
        configure(f"rounds={number}")


@pytest.mark.parametrize("stop", ["between", "within"])
@pytest.mark.thorough
def test_an_interrupted_second_round_continues_to_the_same_weights(
    twice, configure, tmp_path, monkeypatch, stop
):
    """Killed before the second round, or after its first epoch."""
    step, validate = WindowClassifier.training_step, WindowClassifier.on_validation_end
    steps, done = [0], [0]

    class Killed(Exception):
        pass

    def killed(*_):
        raise Killed

    def counted(self, batch, batch_idx):
        steps[0] += 1
        return step(self, batch, batch_idx)

    def killed_in_the_fourth_epoch(self):
        done[0] += 1
        if done[0] == 4:
            raise Killed
        validate(self)

    with monkeypatch.context() as patch:
        if stop == "between":
            patch.setattr(self_training, "relabel", killed)
        else:
            patch.setattr(WindowClassifier, "on_validation_end", killed_in_the_fourth_epoch)
        with pytest.raises(Killed):
            train(configure(), run_in(tmp_path))
    assert (tmp_path / "training" / "last.ckpt").exists()

    monkeypatch.setattr(WindowClassifier, "training_step", counted)
    train(configure(), run_in(tmp_path, resumes=True))
    whole = -(-_windows(twice) // configure().trainer.batch_size)  # of one epoch
    assert steps[0] == {"between": 2, "within": 1}[stop] * whole
    for name in (WEIGHTS, "model.yaml", "training/metrics.csv", "training/round_2/metrics.csv"):
        assert (tmp_path / name).read_bytes() == (twice / name).read_bytes()
    assert list(tmp_path.rglob("*.ckpt")) == []


def _windows(folder):
    with (folder / "samples.csv").open() as stream:
        return sum(int(row["train"]) for row in csv.DictReader(stream))


# Better labels


def found_by_a_network(sources, monkeypatch, false=(60.0, 70.0)):
    """Let the network find every true particle and one thing more, in that corner."""

    def pick_sources(trained, sources, config, run, description):
        for source in sources:
            if description.startswith("improving") and source.entry.name == lost:
                continue
            preprocessed = calibrate.Preprocessed(
                source.entry.load(), source.diameter, config.preprocessing
            )
            yield source, preprocessed, source.picks.joined(Picks.create(*false, score=0.8))

    lost = sources[1].entry.name
    monkeypatch.setattr(self_training, "pick_sources", pick_sources)


def test_false_picks_become_contaminants_where_labels_are_given(
    sources, configure, tmp_path, monkeypatch
):
    far = min(
        ((x, y) for x in range(40, 300, 5) for y in range(40, 260, 5)),
        key=lambda at: -np.hypot(sources[0].picks.x - at[0], sources[0].picks.y - at[1]).min(),
    )
    found_by_a_network(sources, monkeypatch, far)
    better = self_training.relabel(None, sources, SIZE, configure(), run_in(tmp_path))
    sites = better[0].sites
    places = np.column_stack([sites.x, sites.y])[sites.kind == "contaminant"]
    np.testing.assert_allclose(places, [far])
    before = sources[0].sites
    assert (sites.kind == "top").sum() == (before.kind == "top").sum() > 3
    # Labels are improved in every round from those of the labeler.
    assert better[0].picks is sources[0].picks
    assert better[0].reason is sources[0].reason


def test_a_micrograph_that_cannot_be_picked_again_keeps_its_labels(
    sources, configure, tmp_path, monkeypatch
):
    """Else the others would be split anew, and what is tested on would be trained on."""
    found_by_a_network(sources, monkeypatch)
    better = self_training.relabel(None, sources, SIZE, configure(), run_in(tmp_path))
    assert [one.entry.name for one in better] == [one.entry.name for one in sources]
    assert better[1] is sources[1]
    assert better[0] is not sources[0]


def test_labels_that_nobody_gave_are_agreed_on(configure, tmp_path, monkeypatch):
    """A network that finds nothing doubts every candidate."""
    config = configure("labeler=log", "rounds=2")
    run = run_in(tmp_path)
    sources = collect_labels(open_catalogue(config.dataset), SIZE, config, run)[0]

    def nothing(trained, sources, config, run, description):
        for source in sources:
            preprocessed = calibrate.Preprocessed(
                source.entry.load(), source.diameter, config.preprocessing
            )
            yield source, preprocessed, Picks.empty()

    monkeypatch.setattr(self_training, "pick_sources", nothing)
    better = self_training.relabel(None, sources, SIZE, config, run)
    before, after = (
        sum(np.isin(one.sites.kind, ("top", "side", "irregular")).sum() for one in many)
        for many in (sources, better)
    )
    assert before > 5
    assert after == 0


# Calibration


def test_weights_alone_are_not_calibrated(once):
    assert load_weights(once).calibration == UNCALIBRATED


@pytest.mark.thorough
def test_what_is_to_pick_is_calibrated(configure, tmp_path):
    train(configure("rounds=1", "until=picks"), run_in(tmp_path))
    assert load_weights(tmp_path).calibration != UNCALIBRATED


@pytest.mark.parametrize("labeler", ["truth", "log"])
def test_true_labels_of_test_micrographs_do_not_calibrate(
    once, sources, configure, tmp_path, monkeypatch, labeler
):
    config = configure(f"labeler={labeler}")
    asked = []

    def pick_sources(trained, sources, config, run, description):
        asked.extend(source.entry.name for source in sources)
        return iter(())

    monkeypatch.setattr(calibrate, "pick_sources", pick_sources)
    trained = load_weights(once)
    after = calibrate.calibrate(trained, sources, config, run_in(tmp_path))
    assert after.network is trained.network
    assert after.calibration == UNCALIBRATED  # nothing was picked to calibrate by
    splits = assign_splits([one.entry.group for one in sources], config.class_set, config.seed)
    names = [one.entry.name for one in sources]
    if labeler == "truth":
        names = [name for name, split in zip(names, splits[:, 0], strict=True) if split != "test"]
        assert len(names) == 3
    assert asked == names


# Starting from earlier weights


def test_training_starts_from_given_weights(once, configure):
    """Random weights are the same for the same seed; the given ones are those of the file."""
    stored = load_file(once / WEIGHTS)
    for where in (once, once / WEIGHTS):
        state = new_network(configure(f"start_from={where}", "seed=5")).state_dict()
        assert all(torch.equal(state[key], stored[key]) for key in stored)
    fresh = new_network(configure("seed=5")).state_dict()
    assert any(not torch.equal(fresh[key], stored[key]) for key in stored)


def test_another_picture_of_the_stages_is_the_same_preprocessing(once, configure):
    new_network(configure(f"start_from={once}", "preprocessing.save_stages=true"))


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("model.widths=[4,4,6,6,8,9]", "model"),
        ("model.dropout=0.3", "model"),
        ("class-set=five", r"class_set\.classes"),
        ("class_set.classes=[side,top,irregular,background]", r"class_set\.classes"),
        ("preprocessing.working_diameter=30", "preprocessing"),
    ],
)
def test_weights_of_something_else_are_refused_by_name(once, configure, given, key):
    config = configure(f"start_from={once}", given)
    with pytest.raises(UsageError, match=rf"start_from=.*trained with another {key}; use"):
        new_network(config)


def test_weights_of_another_kind_of_network_are_refused(once, configure):
    config = replace(configure(f"start_from={once}"), model=TimmConfig(window=32))
    with pytest.raises(UsageError, match="another model; use model=compact, or"):
        new_network(config)


def test_weights_that_are_not_there_are_missed_by_name(configure, tmp_path):
    with pytest.raises(UsageError, match=r"start_from: there is no .*model\.safetensors"):
        new_network(configure(f"start_from={tmp_path}"))


def test_a_further_round_trains_on_improved_labels_of_the_given_micrographs(configure, monkeypatch):
    """Cut and trained on is the same, and none of what was simulated like them."""
    given, imitation = (SimpleNamespace(imitation=simulated) for simulated in (False, True))
    improved = SimpleNamespace(imitation=False)
    network = SimpleNamespace(window=SIZE)
    monkeypatch.setattr(self_training, "new_network", lambda config: network)

    def relabel(trained, sources, *_):
        assert sources == [given]
        return [improved]

    monkeypatch.setattr(self_training, "relabel", relabel)
    trained_on = []

    def train(network, training_set, sources, number):
        trained_on.append((number, training_set, list(sources)))
        return "trained", None

    self_training.train_in_rounds(
        network, [given, imitation], configure("rounds=2"), None, cut=list, train=train
    )
    assert trained_on == [
        (1, [given, imitation], [given, imitation]),
        (2, [improved], [improved]),
    ]


def test_the_general_weights_spare_particles_that_the_labeler_missed(sources, configure, tmp_path):
    """Half of the labels are hidden, and some are called contaminants."""

    def hidden(source):
        half = np.arange(0, len(source.picks), 2)
        reason = source.reason[half].copy()
        reason[:2] = CONTAMINANT
        return replace(source, picks=source.picks[half], reason=reason)

    given = [hidden(one) for one in sources]
    config = configure("labeler=auto")
    found = self_training.heed_general_weights(given, SIZE, config, run_in(tmp_path / "heed"))
    assert [one.entry.name for one in found] == [one.entry.name for one in sources]
    missed = recovered = 0
    for before, after, whole in zip(given, found, sources, strict=True):
        assert (after.reason[: len(before.picks)] == before.reason).sum() >= len(before.picks) - 2
        assert not (after.reason[len(before.picks) :] != UNCERTAIN).any()
        away = np.hypot(*(whole.picks.positions[1::2, None] - after.picks.positions[None]).T)
        missed += len(whole.picks[np.arange(1, len(whole.picks), 2)])
        recovered += int((away.min(axis=0) < whole.diameter / 2).sum())
    assert recovered > 0.7 * missed
    contaminants = sum(int((one.reason == CONTAMINANT).sum()) for one in found)
    assert contaminants < sum(int((one.reason == CONTAMINANT).sum()) for one in given) / 2
