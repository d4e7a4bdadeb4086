"""What other programs would read is respelt for Hydra, and nothing else is touched."""

import pytest

from deepcryopicker.app.command_line import respell
from deepcryopicker.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("--picker.threshold=0.3", "picker.threshold=0.3"),
        ("--picker.threshold 0.3", "picker.threshold=0.3"),
        ("--picker.threshold -0.1 -m", "picker.threshold=-0.1 -m"),
        ("--class-set=five --seed 1", "class-set=five seed=1"),
        ("--picker@baseline log", "picker@baseline=log"),
        ("--hydra.run.dir=RUN", "hydra.run.dir=RUN"),
        ("--experiment demo", "+experiment=demo"),
        ("-m --cfg job --config-dir DIR seed=1,2", "-m --cfg job --config-dir DIR seed=1,2"),
        ("--info config ~baseline", "--info config ~baseline"),
        ("--dataset.micrographs=a=b", "dataset.micrographs=a=b"),
    ],
)
def test_dashes_before_a_key_are_left_out(typed, read):
    assert respell(typed.split(), "train") == read.split()


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("report.runs=outputs/a", "report.runs=[outputs/a]"),
        ("report.runs=outputs/a,outputs/b", "report.runs=[outputs/a,outputs/b]"),
        ("--report.runs outputs/a", "report.runs=[outputs/a]"),
        ("report.runs=a=b", "report.runs=['a=b']"),
        ("report.runs='a,b'", "report.runs=['a,b']"),
        ("report.runs=~/a,~/b", "report.runs=[/home/me/a,/home/me/b]"),
        ("report.runs=[a,~/b]", "report.runs=[a,/home/me/b]"),
        ("report.runs=", "report.runs="),
        ("-m report.runs=a,b", "-m report.runs=a,b"),
    ],
)
def test_runs_are_put_into_brackets(monkeypatch, tmp_path, typed, read):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert respell(typed.split(), "report") == read.split()


def test_a_folder_with_a_comma_is_asked_about(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b").mkdir()
    with pytest.raises(UsageError, match=r"one folder or 2: write \"report.runs=\['a,b'\]\""):
        respell(["report.runs=a,b"], "report")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("dataset.micrographs=~/mics/*.mrc", "dataset.micrographs=/home/me/mics/*.mrc"),
        ("dataset.micrographs='~/a b'", "dataset.micrographs='/home/me/a b'"),
        ("picker.weights=~", "picker.weights=/home/me"),
        ("picker.weights=~nobody_of_that_name/a", "picker.weights=~nobody_of_that_name/a"),
        ("picker.weights=a~/b~", "picker.weights=a~/b~"),
        ("~baseline", "~baseline"),
    ],
)
def test_a_tilde_where_a_path_begins_is_the_home_folder(monkeypatch, typed, read):
    monkeypatch.setenv("HOME", "/home/me")
    assert respell([typed], "train") == [read]


@pytest.mark.parametrize(
    ("command", "typed", "answer"),
    [
        ("pick", "--in_mics a.star", "write dataset.micrographs=a.star"),
        ("pick", "--output DIR", "write hydra.run.dir=DIR"),
        ("evaluate", "--radius 30", "write evaluate.radius=30"),
        ("train", "--device cpu", "write trainer.device=cpu or picker.device=cpu"),
        ("train", "--learning-rate=1e-3", "write trainer.learning_rate=1e-3"),
        ("train", "-t", "no option -t; settings are typed as key=value"),
        ("train", "--seed --adapt=true", "--seed needs a value; write seed=VALUE"),
        ("train", "--adapt seed=1", "--adapt needs a value; write adapt=VALUE"),
        ("train", "--cfg", "--cfg/-c: expected one argument; see --hydra-help"),
    ],
)
def test_an_option_that_does_not_exist_is_answered_with_the_key(command, typed, answer):
    with pytest.raises(UsageError) as refused:
        respell(typed.split(), command)
    assert answer in str(refused.value)
    assert "\n" not in str(refused.value)
