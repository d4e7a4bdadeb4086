"""A run killed while it trains: the same command continues, and ends with the same weights."""

import csv
import subprocess
import sys
import time

import pytest

SMALL = (
    "dataset.kinds=[apoferritin]",
    "dataset.micrographs_per_kind=3",
    "dataset.shape=[384,448]",
    "class_set.samples_per_class=64",
    "trainer.epochs=8",
    "trainer.epoch_windows=300",  # so that there is time to kill it
    "trainer.patience=8",
    "until=weights",
    "logger=csv",
    "overlays=0",
)
DEADLINE = 400.0  # seconds


def start(folder, run):
    command = [sys.executable, "-m", "deepcryopicker.train", *SMALL, f"hydra.run.dir={run}"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)


def epochs(folder):
    path = folder / "training" / "metrics.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as stream:
        return [int(row["epoch"]) for row in csv.DictReader(stream)]


@pytest.mark.slow  # the parts of this are in tests/trainer and tests/pipeline/training
def test_killed_training_continues_to_the_same_weights(tmp_path):
    undisturbed = start(tmp_path, "undisturbed")
    out, _ = undisturbed.communicate(timeout=DEADLINE)
    assert undisturbed.returncode == 0
    assert "continues after" not in out

    killed = start(tmp_path, "killed")
    deadline = time.monotonic() + DEADLINE
    while len(epochs(tmp_path / "killed")) < 3:
        assert time.monotonic() < deadline
        assert killed.poll() is None
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    done = len(epochs(tmp_path / "killed"))
    assert done < 8
    assert not (tmp_path / "killed" / "model.safetensors").exists()

    resumed = start(tmp_path, "killed")
    out, _ = resumed.communicate(timeout=DEADLINE)
    assert resumed.returncode == 0
    assert "training continues after epoch" in out
    assert epochs(tmp_path / "killed") == list(range(8))
    for name in ("model.safetensors", "model.yaml", "training/metrics.csv", "samples.csv"):
        one, other = ((tmp_path / run / name).read_bytes() for run in ("undisturbed", "killed"))
        assert one == other
    assert list((tmp_path / "killed" / "training").glob("*.ckpt")) == []
