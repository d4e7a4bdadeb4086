"""Sweeps continue where they stopped, leave the results of other sweeps, and end with a table."""

import csv
import json

import pytest
from hydra.core.plugins import Plugins

from deepcryopicker.dataset.schema import SimulatedConfig
from deepcryopicker.dataset.simulated import open_simulated
from deepcryopicker.errors import NothingUsableError


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Three folders for micrographs; there is nothing in the third."""
    root = tmp_path_factory.mktemp("folders")
    cache = str(root / "simulated")
    settings = SimulatedConfig("s", ["apoferritin"], 2, [300, 320], cache=cache)
    catalogue = open_simulated(settings, lambda items, description: items)
    for name, entry in zip("ab", catalogue.entries, strict=True):
        (root / name).mkdir()
        (root / name / "one.mrc").write_bytes(entry.path.read_bytes())
    (root / "c").mkdir()
    return root


@pytest.fixture
def typed(folders):
    return [
        "dataset=folder",
        "dataset.diameter=59",
        "labeler=log",
        f"dataset.micrographs={folders / 'a'},{folders / 'b'},{folders / 'c'}",
    ]


def rows(answer):
    with (answer.folder / "sweep.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def written(folder):
    """When each result was written; `multirun.yaml` is Hydra's note of what was typed."""
    return {
        path.relative_to(folder): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {"multirun.yaml", "refused.json"}
    }


def status(answer, job):
    return json.loads((answer.folder / str(job) / "status.json").read_text())


@pytest.fixture
def commands(shell):
    """The table of commands that the shell looks into."""
    return type(shell).__call__.__globals__["COMMANDS"]


@pytest.fixture
def first(shell, typed, folders, request):
    (folders / "c" / "one.mrc").unlink(missing_ok=True)
    return shell("label", *typed, run=request.node.name, sweep=True)


@pytest.mark.thorough
def test_a_job_that_fails_does_not_stop_the_others(first, folders):
    assert first.code == 3
    assert [status(first, job)["exit_code"] for job in range(3)] == [0, 0, 2]
    assert status(first, 0)["error"] is None
    assert str(folders / "c") in status(first, 2)["error"]
    assert "\n" not in status(first, 2)["error"]
    table = rows(first)
    assert [row["status"] for row in table] == ["done", "done", "failed"]
    assert [row["dataset.micrographs"] for row in table] == [str(folders / x) for x in "abc"]
    assert float(table[0]["labels.folder.candidates"]) > 0
    assert table[2]["error"] == status(first, 2)["error"]
    assert "failed: " in first.out
    assert first.out.splitlines()[-1] == f"sweep folder: {first.folder}"
    assert "already finished" not in first.out


@pytest.mark.thorough
def test_the_same_command_runs_again_only_what_failed(first, shell, typed, folders, request):
    before = written(first.folder)
    (folders / "c" / "one.mrc").write_bytes((folders / "a" / "one.mrc").read_bytes())
    again = shell("label", *typed, run=request.node.name, sweep=True)
    after = written(first.folder)
    assert (again.code, again.err) == (0, "")
    for job in "01":
        assert f"job {job}: already finished, see {first.folder / job}" in again.out.splitlines()
        assert {k: v for k, v in before.items() if k.parts[0] == job} == {
            k: v for k, v in after.items() if k.parts[0] == job
        }
    assert [row["status"] for row in rows(again)] == ["done"] * 3
    assert rows(again)[2]["labels.folder.candidates"] == rows(again)[0]["labels.folder.candidates"]
    assert "to start anew" not in again.out

    third = shell("label", *typed, run=request.node.name, sweep=True)
    assert third.code == 0
    assert "all jobs had already finished; to start anew, delete the folder" in third.out


@pytest.mark.thorough
def test_another_sweep_in_the_same_folder_is_refused(first, shell, typed, request):
    before = written(first.folder)
    other = shell("label", *typed, "labeler.clip=3", run=request.node.name, sweep=True)
    assert other.code == 1
    assert other.err.splitlines()[:2] == [
        f"error: labeler.clip is 3.0 here, but 2.0 in the run in {first.folder / '0'}",
        "choose another folder for this sweep: hydra.sweep.dir=OTHER",
    ]
    assert other.err.count("error: ") == 3  # the failed job's folder is not given away either
    assert written(first.folder) == before

    invalid = shell("label", *typed, "seed=-1", run=request.node.name, sweep=True)
    assert invalid.code == 1
    assert written(first.folder) == before

    again = shell("label", *typed, run=request.node.name, sweep=True)
    assert again.code == 3
    assert list(first.folder.rglob("refused.json")) == []


@pytest.mark.thorough
def test_the_folder_of_a_job_is_its_number(shell, typed, folders):
    answer = shell("label", *typed, "hydra.sweep.subdir=x", run="subdir", sweep=True)
    assert answer.code == 1
    assert answer.err.startswith("error: hydra.sweep.subdir cannot be set")


@pytest.mark.thorough
def test_a_job_is_repeated_from_its_folder(first, shell):
    job = first.folder / "1"
    again = shell("label", "--config-dir", str(job), "--config-name", "config", run="job_again")
    assert (again.code, again.err) == (0, "")
    assert again.picks() == {path.name: path.read_bytes() for path in (job / "picks").iterdir()}
    assert (again.folder / "config.yaml").read_bytes() == (job / "config.yaml").read_bytes()


@pytest.mark.thorough
def test_a_slip_beside_a_runs_configuration_is_answered(first, shell):
    job = ["--config-dir", str(first.folder / "1"), "--config-name", "config"]
    for slip, expected in {
        "labeler.clipp=3": "no key called 'labeler.clipp'. Did you mean labeler.clip=3?",
        "labeler.clip=-1": "labeler.clip must be > 0, got -1",
        "labeler.clip=x": "labeler.clip takes a number",
        "dataset.diameterr=4": "Did you mean dataset.diameter=4?",
    }.items():
        answer = shell("label", *job, slip, run="job_slip")
        assert answer.code == 2
        assert expected in answer.err
    answer = shell("pick", *job, run="job_slip")
    assert answer.code == 2
    assert answer.err == (
        "error: this configuration is for label: run python -m deepcryopicker.label\n"
    )


@pytest.mark.thorough
def test_a_run_that_did_not_finish_is_resumed_in_its_folder(
    shell, typed, folders, commands, monkeypatch
):
    resumed, fail = [], [True]

    def label(config, run):
        resumed.append(run.resumes)
        (run.folder / "metrics.json").write_text("{}")
        if fail[0]:
            raise NothingUsableError("nothing")

    monkeypatch.setitem(commands, "label", label)
    single = [*typed[:-1], f"dataset.micrographs={folders / 'a'}"]
    assert shell("label", *single, run="resumed").code == 1  # fresh
    assert shell("label", *single, run="resumed").code == 1
    fail[0] = False
    assert shell("label", *single, "seed=1", run="resumed").code == 2  # another run
    assert shell("label", *single, run="resumed").code == 0
    assert shell("label", *single, run="resumed").code == 0  # was finished
    folder = shell.folder / "resumed"
    (folder / "status.json").unlink()  # as after a lost connection
    assert shell("label", *single, run="resumed").code == 0
    assert resumed == [False, True, True, False, True]


def test_a_run_that_fails_leaves_no_numbers_of_an_earlier_attempt(shell, typed, folders):
    single = [*typed[:-1], f"dataset.micrographs={folders / 'd'}"]
    (folders / "d").mkdir()
    (folders / "d" / "one.mrc").write_bytes((folders / "a" / "one.mrc").read_bytes())
    good = shell("label", *single, run="changing")
    assert (good.code, (good.folder / "metrics.json").is_file()) == (0, True)
    (folders / "d" / "one.mrc").write_bytes(b"damaged")
    bad = shell("label", *single, run="changing")
    assert bad.code == 1
    assert not (bad.folder / "metrics.json").exists()
    assert json.loads((bad.folder / "status.json").read_text())["exit_code"] == 1


@pytest.mark.thorough
def test_an_interrupted_sweep_shows_what_is_done_and_continues(
    shell, typed, folders, commands, monkeypatch
):
    begun = []

    def label(config, run):
        begun.append(run.folder.name)
        if len(begun) == 2:
            raise KeyboardInterrupt
        run.write_metrics({"f1": 0.5})

    monkeypatch.setitem(commands, "label", label)
    stopped = shell("label", *typed, run="interrupted", sweep=True)
    assert stopped.code == 130
    assert [row["status"] for row in rows(stopped)] == ["done", "not finished", "not finished"]
    again = shell("label", *typed, run="interrupted", sweep=True)
    assert again.code == 0
    assert begun == ["0", "1", "1", "2"]


def test_what_stops_the_launcher_is_one_line_and_the_table_is_written(shell, typed, monkeypatch):
    def instantiate_launcher(*_, **__):
        raise RuntimeError("a node was lost\nmore of it")

    monkeypatch.setattr(Plugins, "instantiate_launcher", instantiate_launcher)
    answer = shell("label", *typed, run="lost_node", sweep=True)
    assert answer.code == 1
    assert answer.err == (
        "error: launching the jobs failed: RuntimeError: a node was lost, see errors.log\n"
    )
    assert "Traceback" in (answer.folder / "errors.log").read_text()
    assert [row["status"] for row in rows(answer)] == ["not finished"] * 3


def short_sweep(shell, folders, name, *given):
    typed = ["dataset=folder", "dataset.diameter=59", f"dataset.micrographs={folders}"]
    return shell("label", *typed, "overlays=0", *given, run=name, sweep=True)


@pytest.fixture
def copied(folders, tmp_path):
    """A folder of one micrograph that a test may change."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one.mrc").write_bytes((folders / "a" / "one.mrc").read_bytes())
    return tmp_path / "data"


def test_options_of_equal_settings_are_different_runs(shell, copied, request):
    name = request.node.name
    first = short_sweep(shell, copied, name, "labeler=kmeans")
    other = short_sweep(shell, copied, name, "labeler=fcm")
    assert (first.code, other.code) == (0, 1)
    assert "labeler is fcm here, but kmeans in the run" in other.err
    assert "already finished" in short_sweep(shell, copied, name, "labeler=kmeans").out


@pytest.mark.parametrize("change", ["pixels", "added"])
def test_a_finished_job_runs_again_where_its_data_changed(shell, copied, folders, request, change):
    name = f"{request.node.originalname}_{change}"
    short_sweep(shell, copied, name, "labeler=log")
    file = copied / ("one.mrc" if change == "pixels" else "two.mrc")
    file.write_bytes((folders / "b" / "one.mrc").read_bytes())
    again = short_sweep(shell, copied, name, "labeler=log")
    assert "job 0: its input files have changed; it runs again" in again.out
    assert rows(again)[0]["status"] == "done"
    assert int(float(rows(again)[0]["labels.folder.micrographs"])) == 1 + (change == "added")
    assert "already finished" in short_sweep(shell, copied, name, "labeler=log").out


def test_other_code_is_named_and_the_result_kept_unless_redone(shell, copied, request):
    name = request.node.name
    answer = short_sweep(shell, copied, name, "labeler=log")
    path = answer.folder / "0" / "metrics.json"
    document = json.loads(path.read_text())
    document["provenance"]["content"] = "0" * 64
    document["provenance"]["versions"]["numpy"] = "0.1"
    path.write_text(json.dumps(document))
    kept = short_sweep(shell, copied, name, "labeler=log")
    assert "job 0: already finished with other code, numpy 0.1 instead of " in kept.out
    assert "; redo=true runs it again, see " in kept.out
    redone = short_sweep(shell, copied, name, "labeler=log", "redo=true")
    assert (redone.code, "already finished" in redone.out) == (0, False)
    assert json.loads(path.read_text())["provenance"]["content"] != "0" * 64


def test_seeds_are_one_row(shell, copied, request):
    typed = ["dataset=folder", "dataset.diameter=59", f"dataset.micrographs={copied}"]
    typed += ["overlays=0", "labeler=log", "seeds=2"]
    answer = shell("label", *typed, run=request.node.name, sweep=True)
    assert answer.code == 0
    with (answer.folder / "seeds.csv").open(encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["job"], row["seeds"]) == ("0,1", "2")
    low, high = (float(row[f"labels.folder.candidates_{end}"]) for end in ("lowest", "highest"))
    assert low <= float(row["labels.folder.candidates"]) <= high
    assert "means over seeds" in answer.out


@pytest.mark.parametrize("typed", ["seeds=0", "seeds=many"])
def test_seeds_are_counted(shell, copied, typed):
    answer = shell("label", f"dataset.micrographs={copied}", typed, run="no_seeds")
    assert answer.code == 2
    assert f"{typed}: give a number of seeds, such as seeds=3" in answer.err
