"""A trained network is kept only where it is at least as good as the general weights."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir

from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.dataset.schema import SimulatedConfig
from deepcryopicker.dataset.simulated import open_simulated
from deepcryopicker.errors import NothingUsableError
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.model.build import build_network
from deepcryopicker.model.weights import GENERAL, Trained, load_weights
from deepcryopicker.picker.folder.assessment import DOUBTFUL, FOUND, NOTHING, Assessment
from deepcryopicker.pipeline.inputs.training_input import TrainingInput
from deepcryopicker.pipeline.training import keep_better
from deepcryopicker.pipeline.training.keep_better import (
    AssessedNetwork,
    assess_network,
    train_or_fall_back,
)
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Picks


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    cache = str(tmp_path_factory.mktemp("simulated"))
    settings = SimulatedConfig("ours", ["ribosome"], 2, [700, 800], cache=cache)
    return open_simulated(settings, lambda jobs, _: jobs)


@pytest.fixture(scope="module")
def config():
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        return registry.validated(compose("train", ["trainer.device=cpu"]))


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run").mkdir()
    return Run(tmp_path / "run", None, "run", {"seed": 0})


def untrained(config):
    """A network with random weights, for particles of one diameter."""
    torch.manual_seed(0)
    classes = tuple(config.class_set.classes)
    network = build_network(config.model, len(classes)).eval()
    return Trained(network, config.model, classes, asdict(config.preprocessing), 60.0, {})


@pytest.fixture
def decide(catalogue, config, run, monkeypatch):
    """Make the training end as given, and return what picks, and the metrics."""

    def decide(outcome):
        def label_and_train(*_):
            if isinstance(outcome, Exception):
                raise outcome
            return outcome, catalogue, {"labels": 3}

        monkeypatch.setattr(keep_better, "label_and_train", label_and_train)
        given = TrainingInput.whole(catalogue)
        trained, scored, metrics = train_or_fall_back(None, given, config, run, Tracker())
        assert scored is catalogue
        return trained, metrics

    return decide


def same(one, other):
    states = one.network.state_dict(), other.network.state_dict()
    return states[0].keys() == states[1].keys() and all(
        torch.equal(states[0][key], states[1][key]) for key in states[0]
    )


def test_the_general_weights_pick_where_nothing_can_be_learned(decide, run, capsys):
    trained, metrics = decide(NothingUsableError("no particles for the validation split\nlook"))
    assert same(trained, load_weights(GENERAL))
    assert same(load_weights(run.folder), trained)
    assert metrics == {"network": "general", "reason": "no particles for the validation split"}
    assert "picking with the general weights: no particles" in capsys.readouterr().out


def test_a_network_that_finds_as_much_in_noise_is_not_kept(decide, config, run, capsys):
    trained, metrics = decide(untrained(config))
    assert same(trained, load_weights(GENERAL))
    assert same(load_weights(run.folder), trained)
    assert (metrics["network"], metrics["labels"]) == ("general", 3)
    assert metrics["reason"].startswith("of the trained network: nothing found")
    assert "picking with the general weights" in capsys.readouterr().out


def test_a_network_as_good_as_the_general_one_is_kept(decide, run):
    trained = load_weights(GENERAL)
    kept, metrics = decide(trained)
    assert kept is trained
    assert metrics["network"] == "trained"
    assert not (run.folder / "model.safetensors").exists()  # the training would have written it


def test_micrographs_that_cannot_be_read_end_the_run(decide, run, catalogue):
    run.failures += [{"path": str(entry.path)} for entry in catalogue.entries]
    with pytest.raises(NothingUsableError):
        decide(NothingUsableError("no micrograph could be used"))


def picked(verdict, count, seed=0):
    """What a network found on one micrograph of 2000 x 2000 pixels."""
    rng = np.random.default_rng(seed)
    picks = Picks.create(*(rng.random((count, 2)) * 2000).T, 0.9)
    assessment = Assessment(verdict, "why", count, count, (0, count), 0.9, 0.9, 0.8)
    return AssessedNetwork(assessment, [picks], [40.0], [(2000, 2000)])


@pytest.mark.parametrize(
    ("ours", "theirs", "kept"),
    [
        (picked(DOUBTFUL, 300), picked(FOUND, 250), True),  # the first 250 are the same
        (picked(DOUBTFUL, 300, seed=1), picked(FOUND, 250), False),
        (picked(DOUBTFUL, 510), picked(FOUND, 250), False),  # twice as many and more
        (picked(NOTHING, 300), picked(DOUBTFUL, 250), False),
        (picked(FOUND, 900, seed=1), picked(FOUND, 250), True),
    ],
)
def test_a_doubtful_network_is_kept_if_it_finds_what_the_general_weights_find(
    decide, config, run, monkeypatch, ours, theirs, kept
):
    found = {"the trained network": ours, "the general weights": theirs}
    monkeypatch.setattr(keep_better, "assess_network", lambda *given: found[given[2]])
    _, metrics = decide(untrained(config))
    assert metrics["network"] == ("trained" if kept else "general")
    agrees = kept and ours.assessment.verdict == DOUBTFUL
    assert (metrics["agreement_with_general"] >= 0.85) == run.vouched == agrees


def test_networks_are_assessed(catalogue, config, run):
    sample = catalogue.entries
    general = assess_network(load_weights(GENERAL), sample, "the general weights", config, run)
    assert general.assessment.verdict == FOUND
    assert general.assessment.precision > 0.9
    found = sum(len(one) for one in general.picks)
    assert found == pytest.approx(general.assessment.picks, rel=0.02)  # which counts in bins
    random = assess_network(untrained(config), sample, "a network", config, run)
    assert random.assessment.verdict == NOTHING
