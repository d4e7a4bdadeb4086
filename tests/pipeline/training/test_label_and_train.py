"""Whose truth is learnt from and whose is scored, and where a training stops."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.labeler.schema import LogConfig, TruthConfig
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.pipeline.inputs.training_input import TrainingInput
from deepcryopicker.pipeline.training import adapt, label_and_train
from deepcryopicker.runs.folder import Run
from deepcryopicker.trainer.schema import TrainerConfig

NETWORK = SimpleNamespace(window=43)


def catalogue(*names):
    return Catalogue("all", tuple(Entry(n, Path(f"{n}.mrc"), "g", truth=Path(n)) for n in names))


def configure(labeler, **changes):
    class_set = ClassSetConfig(["top", "background"], test=0.3)
    given = {"trainer": TrainerConfig(), **changes}
    return TrainConfig(labeler=labeler, class_set=class_set, dataset=None, **given)


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, None, "run", {"seed": 0})


@pytest.fixture
def stages(monkeypatch):
    """Stand-ins for the stages; the catalogue that was labelled, and whether there was training."""
    seen = SimpleNamespace(labelled=None, trained=False)

    def collect_labels(learnt_from, size, config, run):
        seen.labelled = learnt_from
        return [SimpleNamespace(entry=one) for one in learnt_from.entries], ["row"]

    def train_in_rounds(*given, **named):
        seen.trained = True
        return "trained", "scores"

    monkeypatch.setattr(label_and_train, "collect_labels", collect_labels)
    monkeypatch.setattr(label_and_train, "make_training_set", lambda *given: "set")
    monkeypatch.setattr(label_and_train, "train_in_rounds", train_in_rounds)
    return seen


def work(catalogue, known, scored, config, run):
    given = TrainingInput(catalogue, known, scored)
    return label_and_train.label_and_train(NETWORK, given, config, run, Tracker())


def test_truth_that_was_trained_on_is_not_scored(stages, run):
    whole = catalogue(*"abcdefghij")
    trained, scored, metrics = work(whole, whole, whole, configure(TruthConfig()), run)
    assert (trained, metrics) == ("trained", {"labels": ["row"], "patches": "scores"})
    assert [one.name for one in scored.entries] == list("abcdefghij")
    assert sum(one.truth is not None for one in scored.entries) == 3


def test_labels_without_truth_leave_every_micrograph_to_the_scores(stages, run):
    whole = catalogue(*"abcdefghij")
    assert work(whole, whole, whole, configure(LogConfig()), run)[1] is whole


@pytest.mark.parametrize(
    ("labeler", "learnt_from"), [(TruthConfig(), "known"), (LogConfig(), "all")]
)
def test_only_true_labels_are_confined_to_what_may_be_known(stages, run, labeler, learnt_from):
    """Held-out micrographs may be looked at, but their truth may not; they are scored whole."""
    whole, known, held_out = catalogue(*"abcd"), catalogue(*"ab"), catalogue(*"cd")
    _, scored, _ = work(whole, known, held_out, configure(labeler), run)
    assert stages.labelled is {"known": known, "all": whole}[learnt_from]
    assert scored is held_out
    assert all(one.truth for one in scored.entries)


def test_until_samples_nothing_is_trained(stages, run):
    whole = catalogue(*"abc")
    config = configure(TruthConfig(), until="samples")
    trained, scored, metrics = work(whole, whole, whole, config, run)
    assert (trained, scored, metrics) == (None, whole, {"labels": ["row"]})
    assert not stages.trained


@pytest.mark.parametrize(("labeler", "used"), [(TruthConfig(), "AutoConfig"), (LogConfig(), None)])
def test_adapting_starts_from_the_weights_of_the_run(run, monkeypatch, labeler, used):
    asked, tracked = [], []

    def stand_in(network, given, config, run, tracker):
        asked.append((given.catalogue, given.known, given.scored, config, run))
        tracked.append(tracker)
        (run.folder / "training").mkdir()
        (run.folder / "training" / "last.ckpt").touch()
        return "adapted", given.catalogue, {"labels": []}

    monkeypatch.setattr(adapt, "new_network", lambda config: NETWORK)
    monkeypatch.setattr(adapt, "label_and_train", stand_in)
    run.failures.append({"micrograph": "of the first training"})
    left_out = catalogue("x", "y")
    assert adapt.adapt(left_out, configure(labeler), run) == ("adapted", {"labels": []})
    ((whole, known, scored, config, within),) = asked
    assert whole is known is scored is left_out
    assert type(config.labeler).__name__ == (used or "LogConfig")
    assert config.start_from == str(run.folder)
    assert within.folder == run.folder / "adaptation"
    assert within.failures == []
    assert list(run.folder.rglob("*.ckpt")) == []
    assert type(tracked[0]) is Tracker  # which tracks nothing
