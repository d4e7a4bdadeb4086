"""A search whose trials are jobs of SLURM."""

import csv

import pytest

pytestmark = pytest.mark.slurm

SLURM = ("hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1")
SEARCH = ("hydra/sweeper=optuna", "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=2")


def test_trials_of_a_search_run_as_jobs(desk):
    keys = ("trainer.learning_rate=interval(0.001,0.01)", "trainer.epochs=1")
    answer = desk("-m", *SEARCH, *keys, *SLURM, "hydra.sweep.dir=search")
    assert (answer.code, answer.err) == (0, "")
    folder = desk.folder / "search"
    with (folder / "sweep.csv").open(encoding="utf-8") as stream:
        table = list(csv.DictReader(stream))
    assert [row["status"] for row in table] == ["done"] * 4
    rates = {float(row["trainer.learning_rate"]) for row in table}
    assert len(rates) == 4
    assert min(rates) >= 0.001
    assert max(rates) <= 0.01
    # Two at a time: an array of two jobs, twice.
    arrays = {path.parent.name.partition("_")[0] for path in folder.glob(".submitit/*/*_0_log.out")}
    assert len(arrays) == 2
