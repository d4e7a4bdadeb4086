"""What public reports typed, and where: odd paths, other working folders, variables of clusters."""

import shutil

import pytest

from .conftest import SMALL
from .test_train import CHEAP

LOG = ("picker=log", "dataset=folder", "dataset.diameter=59", "overlays=0")


@pytest.mark.thorough
@pytest.mark.parametrize("folder", ["50%_dose", "a@b", "x:y", "more+less"])
def test_report_25_signs_in_paths(shell, simulated, folder):
    place = shell.folder / folder
    shutil.copytree(simulated / "micrographs", place)
    answer = shell("pick", *LOG, f"dataset.micrographs={folder}", run=f"signs_{folder[0]}")
    assert (answer.code, answer.err) == (0, "")
    assert answer.metrics["micrographs"] == 3


@pytest.mark.thorough
@pytest.mark.parametrize("folder", ["a=b", "a;b", "!a"])
def test_report_25_signs_that_need_quotes(shell, simulated, folder):
    answer = shell("pick", *LOG, f"dataset.micrographs={folder}", run="quotes")
    assert answer.code == 2
    assert len(answer.err.splitlines()) <= 2


@pytest.mark.thorough
def test_report_27_a_job_in_its_own_folder_finds_no_relative_path(shell, simulated):
    answer = shell(
        "pick", *LOG, "dataset.micrographs=nothing_here", "hydra.job.chdir=true", run="chdir"
    )
    assert answer.code == 2
    assert "nothing_here" in answer.err


@pytest.mark.thorough
def test_report_28_variables_of_clusters_do_not_split_a_training(shell, trained, monkeypatch):
    alone = shell("train", *SMALL, *CHEAP, run="without_variables")
    for name, value in {
        **{"SLURM_NTASKS": "4", "SLURM_PROCID": "3", "SLURM_JOB_NAME": "bash"},
        **{"WORLD_SIZE": "4", "RANK": "2", "LOCAL_RANK": "2", "MASTER_ADDR": "127.0.0.1"},
    }.items():
        monkeypatch.setenv(name, value)
    among = shell("train", *SMALL, *CHEAP, run="with_variables")
    assert (among.code, among.err) == (0, "")
    assert among.picks() == alone.picks()
