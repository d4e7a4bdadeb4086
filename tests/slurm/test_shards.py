"""Shards of `pick` as an array of SLURM jobs; the last to end puts them together."""

import csv
import subprocess
import sys

import pytest

from tests.nights import DONE_IN_DOUBT, Night, files_of, picked

pytestmark = pytest.mark.slurm

SLURM = ("hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1")


def pick(desk, *overrides):
    """Type a command on the login node; exit code and errors."""
    done = subprocess.run(
        [sys.executable, "-m", "deepcryopicker.pick", *overrides],
        cwd=desk.folder,
        env=desk.cluster.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return done.returncode, done.stderr


def test_shards_of_a_job_array_add_up_to_one_run(desk, tmp_path_factory):
    night = Night.make(tmp_path_factory.mktemp("night"), 8)
    assert pick(desk, *night.overrides, "hydra.run.dir=whole") == (DONE_IN_DOUBT, "")
    shards = ("shard=1/4,2/4,3/4,4/4", *SLURM, "hydra.sweep.dir=parts")
    assert pick(desk, "-m", *night.overrides, *shards) == (DONE_IN_DOUBT, "")

    whole, parts = desk.folder / "whole", desk.folder / "parts"
    each = [picked(parts / name) for name in "0123"]
    assert sorted(name for part in each for name in part) == picked(whole) == picked(parts)
    with (parts / "sweep.csv").open(encoding="utf-8") as stream:
        assert [row["status"] for row in csv.DictReader(stream)] == ["some failed or doubtful"] * 4
    expected, found = files_of(whole), files_of(parts)
    for name in ("summary.csv", "metrics.json"):
        assert found[name] == expected[name]
    for name in ("autopick.star", "micrographs.star", "particles.star"):
        of_parts = found[f"relion/{name}"].replace(b"parts/", b"whole/")
        assert of_parts == expected[f"relion/{name}"]
