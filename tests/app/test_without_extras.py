"""A plain installation has none of the optional packages."""

import subprocess
import sys
from pathlib import Path

import mrcfile
import numpy as np

EXTRAS = ("hydra_plugins", "submitit", "optuna", "pyarrow")
BLOCKED = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {EXTRAS}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from deepcryopicker.__main__ import main
sys.exit(main())
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BLOCKED, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_pick_needs_no_optional_package(tmp_path: Path) -> None:
    (tmp_path / "micrographs").mkdir()
    with mrcfile.new(tmp_path / "micrographs" / "noise.mrc") as file:
        file.set_data(np.random.default_rng(0).normal(size=(256, 256)).astype(np.float32))
    data = ["dataset=folder", "dataset.micrographs=micrographs", "dataset.diameter=24"]
    ended = run(tmp_path, "pick", "picker=log", *data, "hydra.run.dir=run")
    assert (tmp_path / "run" / "picks" / "noise.csv").is_file(), ended.stdout + ended.stderr


def test_a_search_without_its_package_says_what_to_install(tmp_path: Path) -> None:
    ended = run(tmp_path, "train", "-m", "hydra/sweeper=optuna", "+experiment=smoke")
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert "Traceback" not in said
    assert "optuna" in said


def test_a_cluster_without_its_package_says_what_to_install(tmp_path: Path) -> None:
    ended = run(tmp_path, "train", "-m", "hydra/launcher=slurm", "+experiment=smoke", "seed=0,1")
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert "Traceback" not in said
    assert "slurm" in said
