"""Sweeps through SLURM: three jobs, a job that is killed and continued, and what is refused."""

import csv
import json
import re

import pytest

from tests.slurm.cluster import wait_until

pytestmark = pytest.mark.slurm

# A node of two cores, each for one job.
SLURM = ("hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1")
EPOCHS = 150  # some twenty seconds
LONG = f"trainer.patience={EPOCHS}"
SHORT = "trainer.epochs=1"


def rows(path):
    """Rows of a table; none while it is not there."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def outcome(folder):
    return json.loads((folder / "status.json").read_text())["exit_code"]


@pytest.fixture(scope="session")
def three(desk):
    """Three seeds, one more than the node has cores."""
    answer = desk("-m", "seed=1,2,3", SHORT, *SLURM, "hydra.sweep.dir=three")
    assert (answer.code, answer.err) == (0, "")
    return desk.folder / "three"


def test_every_job_of_a_sweep_has_its_run_folder(three):
    for name in "012":
        assert outcome(three / name) == 0
        assert (three / name / "metrics.json").is_file()
        assert len(list((three / name / "picks").glob("*.csv"))) == 3


def test_the_sweep_ends_with_a_table_of_its_jobs(three):
    table = rows(three / "sweep.csv")
    assert [(row["job"], row["seed"], row["status"]) for row in table] == [
        ("0", "1", "done"),
        ("1", "2", "done"),
        ("2", "3", "done"),
    ]


def test_the_jobs_were_one_array_of_the_cluster(three, cluster):
    logs = sorted((three / ".submitit").glob("*/*_0_log.out"))
    names = [path.parent.name for path in logs]
    (array,) = {name.partition("_")[0] for name in names}
    assert names == [f"{array}_{index}" for index in range(3)]
    states = ("squeue", "--noheader", "--array", "--states=all", "--format=%T", f"--jobs={array}")
    # A result is there a moment before SLURM has put the job away.
    wait_until(lambda: cluster.ask(*states).split() == ["COMPLETED"] * 3, 30, "all have completed")
    for index, path in enumerate(logs):
        said = path.read_text()
        assert f"JobEnvironment(job_id={array}_{index}," in said
        assert f"run folder: {three / str(index)}\n" in said  # what a run says is in its log


@pytest.fixture(scope="session")
def undisturbed(desk):
    """The long training at one go, with as many threads."""
    answer = desk("-m", f"trainer.epochs={EPOCHS}", LONG, *SLURM, "hydra.sweep.dir=undisturbed")
    assert (answer.code, answer.err) == (0, "")
    return desk.folder / "undisturbed" / "0"


def test_a_killed_job_is_reported_and_continues_with_the_same_command(desk, cluster, undisturbed):
    command = ("-m", f"trainer.epochs={EPOCHS},1", LONG, *SLURM, "hydra.sweep.dir=killed")
    long, short = (desk.folder / "killed" / name for name in "01")
    curves = long / "training" / "metrics.csv"

    launched = desk.start(*command)
    wait_until(lambda: len(rows(curves)) >= 5 or launched.poll() is not None, 120, "it trains")
    (log,) = (desk.folder / "killed" / ".submitit").glob("*_0/*_log.out")
    cluster.ask("scancel", "--signal=KILL", log.parent.name)
    answer = desk.finish(launched, 120)

    assert answer.code == 3
    assert len(answer.err.splitlines()) == 2
    assert answer.err.startswith("error: SLURM killed jobs before they finished")
    assert f"hydra.sweep.dir={desk.folder / 'killed'}" in answer.err
    # The other one was waited for.
    assert outcome(short) == 0
    table = rows(desk.folder / "killed" / "sweep.csv")
    assert [row["status"] for row in table] == ["not finished", "done"]
    assert not (long / "status.json").exists()
    reached = len(rows(curves))
    assert 5 <= reached < EPOCHS
    earlier = (short / "status.json").stat().st_mtime_ns

    seen = []
    launched = desk.start(*command)
    while launched.poll() is None and len(seen) < 3000:
        seen.append(len(rows(curves)))
        wait_until(lambda: launched.poll() is not None or len(rows(curves)) > seen[-1], 120, "more")
    answer = desk.finish(launched)

    assert (answer.code, answer.err) == (0, "")
    assert min(seen) == reached  # it never began again
    assert [int(row["epoch"]) for row in rows(curves)] == list(range(EPOCHS))
    assert rows(curves) == rows(undisturbed / "training" / "metrics.csv")
    weights = (long / "model.safetensors").read_bytes()
    assert weights == (undisturbed / "model.safetensors").read_bytes()
    assert (short / "status.json").stat().st_mtime_ns == earlier  # done, and left alone
    table = rows(desk.folder / "killed" / "sweep.csv")
    assert [row["status"] for row in table] == ["done", "done"]


def test_a_sweep_that_still_runs_is_not_sent_again(desk, cluster):
    command = ("-m", f"trainer.epochs={EPOCHS}", LONG, *SLURM, "hydra.sweep.dir=twice")
    launched = desk.start(*command)
    sent = desk.folder / "twice" / ".submitit"
    (path,) = wait_until(lambda: list(sent.glob("*/*_submitted.pkl")), 60, "the job is sent")
    job = path.parent.name
    answer = desk(*command)
    assert answer.code == 2
    assert answer.err.startswith("error: the sweep in twice is still running")
    assert f"scancel {job}\n" in answer.err
    cluster.ask("scancel", job)
    assert desk.finish(launched, 120).code == 1  # its only job was lost


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("hydra.launcher.partition=nowhere", "invalid partition specified: nowhere"),
        ("hydra.launcher.mem_gb=999", "Memory specification can not be satisfied"),
    ],
)
def test_what_slurm_rejects_is_reported(desk, override, reason):
    answer = desk("-m", "seed=1,2", *SLURM, override, "hydra.sweep.dir=refused")
    assert answer.code == 2
    refused = [line for line in answer.err.splitlines() if not line.startswith("sbatch: ")]
    assert refused[0] == f"error: SLURM rejected the jobs: {reason}"
    assert re.search(r"hydra\.launcher\.partition", refused[1])
