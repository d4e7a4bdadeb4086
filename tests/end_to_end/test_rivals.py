"""Rivals beside each other: a missing or failing one leaves the rest alone and is rerun alone."""

import csv
import os
import shutil
import sys

import pytest

from deepcryopicker.io.coordinates.formats import read_picks

pytestmark = pytest.mark.thorough

BENCHMARK = ("+experiment=benchmark/ribosome", "held_out=0.34", "overlays=0", "logger=csv")
SMALL = (
    "dataset=simulated",
    "dataset.kinds=[apoferritin]",
    "dataset.micrographs_per_kind=3",
    "dataset.shape=[384,448]",
)
# As much of RELION's picker as we speak to: picks on a diagonal, with its own figures of merit.
FAKE = """#!{python}
import sys
from pathlib import Path
given = sys.argv[1:]
if "--version" in given:
    sys.exit(print("RELION version: 3.1.9"))
value = lambda key: given[given.index(key) + 1]
for line in Path(value("--i")).read_text().splitlines():
    name = line.split()[-1] if line.endswith(".mrc") else None
    if name:
        path = Path(value("--odir")) / name.replace(".mrc", "_autopick.star")
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = "rlnCoordinateX rlnCoordinateY rlnAutopickFigureOfMerit".split()
        rows = [f"{{50 * i}} {{50 * i}} {{0.2 * i}}" for i in range(1, 7)]
        head = ["data_", "", "loop_", *(f"_{{c}} #{{n}}" for n, c in enumerate(columns, 1))]
        path.write_text("\\n".join([*head, *rows, ""]))
"""


@pytest.fixture
def bin_folder(tmp_path, monkeypatch):
    """A PATH with nothing of RELION or Topaz on it, to which programs can be added."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("git", "env"):
        (folder / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("DEEPCRYOPICKER_DATA", "/nowhere")
    monkeypatch.setattr("deepcryopicker.rivals.programs.topaz._OWN", tmp_path)
    return folder


def install(folder, text=FAKE):
    path = folder / "relion_autopick"
    path.write_text(text.format(python=sys.executable))
    path.chmod(0o755)


def sweep(shell, name, *given, dataset=SMALL, rivals="log,relion_log"):
    params = f"hydra.sweeper.params={{experiment/rival@_global_:'{rivals}'}}"
    folder = shell.folder / name
    answer = shell(
        "train", *BENCHMARK, *dataset, *given, params, f"hydra.sweep.dir={folder}", run=name
    )
    with (folder / "sweep.csv").open(encoding="utf-8") as stream:
        return answer, list(csv.DictReader(stream))


def test_a_missing_rival_is_one_line_and_an_empty_row_until_it_is_installed(shell, bin_folder):
    answer, rows = sweep(shell, "missing")
    assert answer.code == 0
    assert answer.err.splitlines() == [
        "error: RELION is not installed: no relion_autopick on the PATH",
        "`make relion` installs it on Debian, as root",
    ]
    assert [row["status"] for row in rows] == ["done", "not installed"]
    assert (float(rows[0]["f1"]) > 0, rows[1]["f1"]) == (True, "")

    install(bin_folder)
    answer, again = sweep(shell, "missing")
    assert (answer.code, answer.err) == (0, "")
    assert "job 0: already finished" in answer.out
    assert again[0].items() >= rows[0].items()
    assert [row["status"] for row in again] == ["done", "done"]
    assert (again[1]["program"], again[1]["label_use"]) == ("RELION 3.1.9", "none")


def test_a_killed_rival_leaves_the_rest_and_is_rerun_alone(shell, bin_folder):
    install(bin_folder, "#!/bin/sh\n[ $1 = --version ] || kill -9 $$\n")
    answer, rows = sweep(shell, "killed", rivals="relion_log,log")
    assert answer.code == 3
    assert answer.err.startswith("error: relion_autopick failed with exit code -9: no output")
    assert [row["status"] for row in rows] == ["failed", "done"]
    install(bin_folder)
    answer, again = sweep(shell, "killed", rivals="relion_log,log")
    assert answer.code == 0
    assert again[1].items() >= rows[1].items()
    assert "job 1: already finished" in answer.out
    assert "job 0: already finished" not in answer.out


def test_all_missing_is_a_failure(shell, bin_folder):
    answer, rows = sweep(shell, "none", rivals="relion_log,topaz_pretrained")
    assert answer.code == 1
    assert [row["status"] for row in rows] == ["not installed"] * 2


def test_another_input_is_another_result(shell, bin_folder, simulated, tmp_path):
    for name in ("micrographs", "coordinates"):
        shutil.copytree(simulated / name, tmp_path / name)
    dataset = (
        "dataset=folder",
        f"dataset.micrographs={tmp_path}/micrographs",
        f"dataset.coordinates={tmp_path}/coordinates",
        "dataset.diameter=75",
    )
    _, before = sweep(shell, "inputs", dataset=dataset, rivals="log,auto")
    for path in sorted((tmp_path / "coordinates").iterdir()):
        lines = path.read_text().splitlines()
        path.write_text("\n".join(lines[:-2]) + "\n")
        os.utime(path)
    answer, after = sweep(shell, "inputs", dataset=dataset, rivals="log,auto")
    assert "already finished" not in answer.out
    assert int(after[0]["truth"]) == int(before[0]["truth"]) - 2  # one of three is held out


def test_scores_of_a_program_are_mapped_and_positions_are_its_own(shell, bin_folder):
    install(bin_folder)
    sweep(shell, "mapped", rivals="relion_log")
    (path,) = (shell.folder / "mapped" / "0" / "picks").rglob("*.csv")
    picks = read_picks(path)
    assert picks.x.tolist() == picks.y.tolist() == [50, 100, 150, 200, 250, 300]
    fom = picks.x / 250
    assert picks.score.tolist() == pytest.approx(0.5 + fom / (1 + fom) / 2, abs=1e-6)
    left = {path.name for path in (shell.folder / "mapped" / "0" / "program").iterdir()}
    assert "relion_autopick.log" in left
    assert "micrographs" not in left  # copies of what the user has


def test_everything_is_scored_on_what_is_held_out(shell, bin_folder):
    """And a network of ours trained on the truth learns from the rest."""
    short = (
        "trainer.epochs=1",
        "trainer.epoch_windows=1",
        "class_set.samples_per_class=32",
        "rounds=1",
    )
    dataset = (*SMALL, "dataset.micrographs_per_kind=5", "held_out=0.2")
    answer, rows = sweep(shell, "held", *short, dataset=dataset, rivals="log,labels")
    assert (answer.code, answer.err) == (0, "")
    assert {row["micrographs"] for row in rows} == {"1"}
    assert len({row["truth"] for row in rows}) == 1
    folders = [shell.folder / "held" / str(job) for job in (0, 1)]
    (tested,) = {path.stem for folder in folders for path in (folder / "picks").iterdir()}
    labelled = {path.stem for path in (folders[1] / "labels").iterdir()}
    assert len(labelled) == 4
    assert tested not in labelled
    assert rows[1]["label_use"].endswith(" picks")
