"""What every command leaves for W&B, read back from offline runs."""

import csv
import json

import pytest

from tests.logger.wandb_records import read_run


@pytest.fixture(scope="module")
def given(with_coordinates):
    return [
        *with_coordinates,
        "overlays=1",
    ]


@pytest.mark.parametrize("command", ["label", "pick"])
def test_a_command_is_one_run_with_scores_pictures_and_files(shell, given, command):
    options = ["picker=log"] if command == "pick" else ["labeler=log"]
    answer = shell(command, *given, *options, "logger=default", run=f"tracked_{command}")
    assert (answer.code, answer.err) == (0, "")
    run = read_run(answer.folder)
    kind = "picker=log" if command == "pick" else "labeler=log"
    assert run.job_type == command
    assert {"dataset=folder", kind} <= set(run.tags)
    assert run.config["choices"]["dataset"] == "folder"
    score = "f1" if command == "pick" else "provenance.seed"
    numbers = answer.metrics if command == "pick" else {score: 0}
    assert run.summary[score] == pytest.approx(numbers[score])
    assert len(run.artifacts["picks"].manifest.contents) == 3


def test_evaluation_has_its_curve(shell, given, simulated):
    picks = shell("pick", *given, "picker=log", run="to_evaluate").folder / "picks"
    truth = simulated / "coordinates"
    typed = [f"evaluate.picks={picks}", f"evaluate.truth={truth}", "evaluate.radius=37"]
    answer = shell("evaluate", *typed, "logger=default", run="tracked_evaluation")
    run = read_run(answer.folder)
    assert run.job_type == "evaluate"
    assert {row[0] for row in run.table("precision_recall")["data"]} == {"picks"}
    assert run.summary["average_precision"] == pytest.approx(answer.metrics["average_precision"])


def test_picking_is_not_tracked_by_default(shell, given):
    answer = shell("pick", *given, "picker=log", run="untracked")
    assert not (answer.folder / "wandb").exists()


def test_a_sweep_is_a_group_and_its_table_a_run_of_its_own(shell, given):
    typed = [*given, "labeler=log,ibc", "logger=default"]
    answer = shell("label", *typed, run="tracked_sweep", sweep=True)
    jobs = [read_run(answer.folder / str(number)) for number in range(2)]
    whole = read_run(answer.folder)
    assert {run.group for run in (*jobs, whole)} == {str(answer.folder)}
    assert whole.job_type == "sweep"
    table = whole.file("sweep")
    with (answer.folder / "sweep.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert table["columns"] == list(rows[0])
    assert [row[0] for row in table["data"]] == [0, 1]
    assert whole.picture("pictures/sweep")
    assert jobs[1].artifacts["data"].use_after_commit  # what the job was made from
    shell("label", *typed, run="tracked_sweep", sweep=True)
    assert read_run(answer.folder).id == whole.id  # the same run, of the same sweep


def test_a_training_has_weights_and_picks_with_what_they_were_made_from(trained):
    run = read_run(trained.folder)
    assert run.job_type == "train"
    assert len(run.epochs) == 5
    assert {epoch["round"] for epoch in run.epochs} == {1}
    assert {"model", "picks", "data"} <= set(run.artifacts)
    assert run.artifacts["data"].use_after_commit
    paths = [entry.local_path for entry in run.artifacts["model"].manifest.contents]
    assert paths == ["model.safetensors", "model.yaml"]
    chart = json.loads(json.dumps(run.table("precision_recall_classes")["data"]))
    assert chart
