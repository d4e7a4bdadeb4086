"""What may be typed for a search, and what Optuna makes of it."""

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.errors import PrunedError, UsageError
from deepcryopicker.search.pruning import watch_epochs
from deepcryopicker.search.study import (
    STUDY,
    as_override,
    distribution_of,
    open_study,
    own_values,
)
from deepcryopicker.trainer.curves import EPOCH_AP


def parsed(text):
    return OverridesParser.create().parse_override(text)


@pytest.mark.parametrize(
    ("typed", "distribution"),
    [
        ("a=interval(0.001,0.01)", FloatDistribution(0.001, 0.01)),
        ("a=tag(log,interval(0.0001,0.01))", FloatDistribution(0.0001, 0.01, log=True)),
        ("a=int(interval(1,8))", IntDistribution(1, 8)),
        ("a=tag(log,int(interval(1,64)))", IntDistribution(1, 64, log=True)),
        ("a=range(1,5)", IntDistribution(1, 4)),
        ("a=range(0.5,1.5,0.25)", FloatDistribution(0.5, 1.25, step=0.25)),
        ("a=choice(x,y)", CategoricalDistribution(["x", "y"])),
        ("a=32,64", CategoricalDistribution(["32", "64"])),
        ("a=choice([1,2],[3])", CategoricalDistribution(["[1,2]", "[3]"])),
        ("a=glob", None),
        ("a=[1,2]", None),
    ],
)
def test_values_become_distributions(typed, distribution):
    assert distribution_of(parsed(typed)) == distribution


@pytest.mark.parametrize("typed", ["a=interval(2,1)", "a=tag(log,interval(0,1))"])
def test_impossible_intervals_are_refused_with_their_key(typed):
    with pytest.raises(UsageError, match=r"^a: "):
        distribution_of(parsed(typed))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00123456789, "k=0.00123457"),
        (1e-7, "k=1e-07"),
        (3, "k=3"),
        ("x", "k=x"),
        (True, "k=True"),
    ],
)
def test_values_are_written_as_they_would_be_typed(value, text):
    assert as_override("k", value) == text
    assert parsed(text).value() == (value if not isinstance(value, float) else float(text[2:]))


def test_the_configuration_itself_is_the_first_trial():
    searched = {
        "rate": FloatDistribution(0.001, 0.1),
        "size": CategoricalDistribution(["32", "64"]),
        "list": CategoricalDistribution(["[1,2]", "null"]),
    }
    own = {"rate": 0.004, "size": 64, "list": [1, 2]}
    assert own_values(searched, own) == {"rate": 0.004, "size": "64", "list": "[1,2]"}
    assert own_values(searched, {**own, "list": None})["list"] == "null"
    assert own_values(searched, {**own, "rate": 1.0}) is None
    assert own_values(searched, {**own, "size": 8}) is None


def test_a_study_is_found_again_in_its_folder(tmp_path):
    study = open_study(tmp_path, 0)
    study.tell(study.ask({"a": IntDistribution(1, 3)}), 0.5)
    again = open_study(tmp_path)
    assert again.best_value == 0.5
    assert (tmp_path / STUDY).is_file()


@pytest.fixture
def searched(tmp_path):
    """A study of five trials with average precisions of 0.5 and 0.9, and a sixth that runs."""
    study = open_study(tmp_path, 0)
    for _ in range(5):
        trial = study.ask()
        for epoch in range(2):
            trial.report(0.5 + 0.4 * epoch, epoch)
        study.tell(trial, 0.9)
    study.ask()
    (tmp_path / "5").mkdir()
    return tmp_path


def test_a_training_below_the_median_of_its_epoch_is_stopped(searched):
    report = watch_epochs(searched / "5")
    report({"epoch": 0.0, EPOCH_AP: 0.6})
    with pytest.raises(PrunedError, match="pruned after 2 epochs"):
        report({"epoch": 1.0, EPOCH_AP: 0.8})


def test_a_resumed_training_reports_an_epoch_once(searched):
    watch_epochs(searched / "5")({"epoch": 0.0, EPOCH_AP: 0.6})
    watch_epochs(searched / "5")({"epoch": 0.0, EPOCH_AP: 0.1})
    assert open_study(searched).get_trials()[5].intermediate_values == {0: 0.6}


def test_trainings_outside_of_a_search_are_not_watched(searched, tmp_path):
    assert watch_epochs(tmp_path / "elsewhere") is None
    assert watch_epochs(searched / "0") is None  # has ended
    assert watch_epochs(searched / "17") is None
    assert open_study(searched).get_trials()[0].state == TrialState.COMPLETE


SPACES = sorted(path.stem for path in (CONF_DIR / "search").glob("*.yaml"))


@pytest.mark.parametrize("name", SPACES)
def test_every_value_of_a_search_space_is_one_of_its_command(name):
    """The configuration itself lies within, and so do the ends of every interval."""
    command = {"labeler": "label", "network": "train", "picker": "pick"}[name]
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        config = compose(command, [f"+search={name}", "dataset=klh"], return_hydra_config=True)
        params = config.hydra.sweeper.params
        searched = {key: distribution_of(parsed(f"{key}={value}")) for key, value in params.items()}
        own = {
            key: config.hydra.runtime.choices.get(key, OmegaConf.select(config, key))
            for key in searched
        }
        assert own_values(searched, own) is not None
        for key, one in searched.items():
            for value in getattr(one, "choices", None) or (one.low, one.high):
                registry.validated(compose(command, [as_override(key, value), "dataset=klh"]))
    assert config.hydra.mode.name == "MULTIRUN"
