"""Searches: jobs that Optuna chooses, resumed after a kill, with the best at the end."""

import csv

import pytest

from deepcryopicker.search.study import open_study


@pytest.fixture(scope="module")
def given(with_coordinates):
    return [
        *with_coordinates,
        "overlays=0",
        "hydra/sweeper=optuna",
        "labeler=log",
        "labeler.distance=interval(0.4,0.9)",
        "labeler.clip=interval(1,4)",
    ]


def search(shell, name, *typed):
    answer = shell("label", *typed, run=name, sweep=True)
    table = answer.folder / "sweep.csv"
    text = table.read_text(encoding="utf-8") if table.is_file() else ""
    rows = list(csv.DictReader(text.splitlines()))
    return answer, rows


def test_a_search_continues_where_it_stopped(shell, given):
    answer, rows = search(shell, "search", *given, "hydra.sweeper.n_trials=2")
    assert (answer.code, answer.err) == (0, "")
    assert [row["job"] for row in rows] == ["0", "1"]
    assert {"labeler.distance", "labeler.clip"} <= set(rows[0])
    before = [study_values(answer.folder)]
    # A trial that was running when the search was killed.
    study = open_study(answer.folder)
    killed = study.ask()
    killed.set_user_attr("overrides", [*given[:5], *given[6:7], "labeler.clip=3"])
    answer, rows = search(shell, "search", *given, "hydra.sweeper.n_trials=4")
    assert answer.code == 0
    assert "job 0: already finished" not in answer.out  # they are not even launched
    assert [row["status"] for row in rows] == ["done"] * 4
    assert study_values(answer.folder)[:2] == before[0]
    assert "search: 4 trials, 0 pruned; best is job " in answer.out


def study_values(folder):
    return [trial.value for trial in open_study(folder).get_trials()]


def test_the_first_trial_is_the_configuration_itself(shell, given):
    typed = [*given[:-1], "labeler.clip=choice(2.0,3.0)", "hydra.sweeper.n_trials=1"]
    answer, _ = search(shell, "own", *typed)
    own = open_study(answer.folder).get_trials()[0]
    assert "fixed_params" in own.system_attrs
    assert "no trial is better than the configuration itself, job 0" in answer.out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["labeler.distance=0.5", "labeler.clip=3"], "a search needs keys with several values"),
        (["labeler.distance=interval(2,1)"], "labeler.distance: "),
        (["hydra.sweeper.n_trials=0"], "hydra.sweeper.n_trials and hydra.sweeper.n_jobs"),
    ],
)
def test_a_search_that_cannot_be_made_is_refused(shell, given, typed, said):
    answer = shell("label", *given[:7], *typed, run="refused_search", sweep=True)
    assert answer.code == 2
    assert said in answer.err
