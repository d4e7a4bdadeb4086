"""``train``: what it writes, that it repeats itself, sweeps, and unreadable micrographs."""

import csv
import json
import os
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
import yaml

from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.class_set.split import assign_splits
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.star.relion_star import read_star

from .conftest import SHORT, SMALL

CHEAP = (
    "trainer.epochs=1",
    "trainer.epoch_windows=1",
    "class_set.samples_per_class=32",
    "logger=csv",
    "baseline=null",
    "overlays=0",
)
STEMS = [f"apoferritin_{index:03d}" for index in range(3)]


def rows(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_it_ends_with_the_run_folder(trained):
    assert (trained.code, trained.err) == (0, "")
    assert trained.out.splitlines()[-1] == f"run folder: {trained.folder}"


def test_what_it_says_fits_a_log_file(trained):
    assert "\x1b" not in trained.out
    # Doubts are one line each, however long, so that a search finds them whole.
    lines = [one for one in trained.out.splitlines()[:-1] if not one.startswith("warning: ")]
    assert max(map(len, lines)) <= 150
    assert "apoferritin, network" in trained.out
    assert "apoferritin, log (baseline)" in trained.out


@pytest.mark.parametrize("stem", STEMS)
def test_picks_are_candidates_in_the_agreed_columns(trained, stem):
    path = trained.folder / "picks" / f"{stem}.csv"
    assert path.read_text().splitlines()[0] == "x,y,score,class,diameter,size,contrast"
    picks = read_picks(path)
    assert len(picks) > 0
    assert ((picks.score >= 0) & (picks.score <= 1)).all()
    assert set(picks.label) <= {"top", "side", "irregular"}
    assert ((picks.x > -0.5) & (picks.x < 447.5) & (picks.y > -0.5) & (picks.y < 383.5)).all()
    assert picks.diameter == pytest.approx(59.09, abs=0.01)
    sure = picks[picks.score >= 0.5]
    assert np.median(sure.size) == pytest.approx(59.09, rel=0.25)
    assert np.median(sure.contrast) > 0.2  # in the preprocessed micrograph


@pytest.mark.parametrize("stem", STEMS)
def test_box_and_star_hold_the_picks_above_the_threshold(trained, stem):
    picks = read_picks(trained.folder / "picks" / f"{stem}.csv")
    picked = picks[picks.score >= 0.5]
    (star,) = (trained.folder / "relion").rglob(f"{stem}_autopick.star")
    for other in (read_picks(trained.folder / "box" / f"{stem}.box"), read_star(star)):
        assert other.x == pytest.approx(picked.x, abs=0.51)
        assert other.y == pytest.approx(picked.y, abs=0.51)


def test_the_files_of_the_contract_are_there(trained):
    expected = [
        "config.yaml",
        "metrics.json",
        "model.safetensors",
        "model.yaml",
        "precision_recall.png",
        "relion/autopick.star",
        "relion/micrographs.star",
        "relion/particles.star",
        "samples.png",
        "status.json",
        "summary.csv",
        "training.png",
        "confusion.png",
        "data.csv",
        "patches.png",
        "samples.csv",
        "timings.json",
        "training/metrics.csv",
        "baseline/summary.csv",
        *(f"outcomes/{stem}.csv" for stem in STEMS),
        *(f"baseline/outcomes/{stem}.csv" for stem in STEMS),
        *(f"labels/{stem}.csv" for stem in STEMS),
        *(f"overlays/{stem}.png" for stem in STEMS),
        *(f"label_overlays/{stem}.png" for stem in STEMS),
        *(f"baseline/picks/{stem}.csv" for stem in STEMS),
    ]
    assert [name for name in expected if not (trained.folder / name).is_file()] == []
    assert len(list(trained.folder.glob("wandb/offline-run-*/*.wandb"))) == 1
    assert not (trained.folder / "failures.csv").exists()
    assert list(trained.folder.rglob(".*.tmp-*")) == []


def test_pictures_show_the_whole_micrograph(trained):
    for stem in STEMS:
        picture = cv2.imread(str(trained.folder / "overlays" / f"{stem}.png"))
        assert picture.shape[0] >= 384  # and a legend below
        assert picture.shape[1:] == (448, 3)


def test_the_metrics_are_of_every_micrograph(trained):
    metrics = trained.metrics
    assert metrics["micrographs"] == 3
    assert metrics["failures"] == 0
    assert metrics["candidates"] == sum(
        len(read_picks(path)) for path in (trained.folder / "picks").iterdir()
    )
    for key in ("precision", "recall", "f1", "average_precision"):
        assert 0 <= metrics[key] <= 1
    assert metrics["radius"] == pytest.approx(130 / 2.2 / 2)
    assert list(metrics["groups"]) == ["apoferritin"]
    assert metrics["baseline"]["micrographs"] == 3
    assert metrics["labels"][0]["good"] > 0


def test_the_summary_has_a_row_for_each_micrograph(trained):
    summary = rows(trained.folder / "summary.csv")
    assert [row["micrograph"] for row in summary] == STEMS
    for row in summary:
        picks = read_picks(trained.folder / "picks" / f"{row['micrograph']}.csv")
        assert int(row["candidates"]) == len(picks)
        assert int(row["picks"]) == (picks.score >= 0.5).sum()


def test_the_curves_have_a_row_for_each_epoch(trained):
    curves = rows(trained.folder / "training" / "metrics.csv")
    losses = [row["validation_loss"] for row in curves if row.get("validation_loss")]
    assert len(losses) == 5


def test_the_configuration_in_the_run_folder_is_the_one_used(trained):
    settings = yaml.safe_load((trained.folder / "config.yaml").read_text())
    assert settings["trainer"]["epochs"] == 5
    assert settings["dataset"]["shape"] == [384, 448]
    card = yaml.safe_load((trained.folder / "model.yaml").read_text())
    assert card["preprocessing"]["steps"] == settings["preprocessing"]["steps"]
    assert card["classes"] == settings["class_set"]["classes"]


@pytest.mark.thorough
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(trained, shell):
    # In a process of its own, as a user would repeat it.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HYDRA", "WANDB"))}
    again = subprocess.run(
        [sys.executable, "-m", "deepcryopicker.train", *SMALL, *SHORT, "hydra.run.dir=again"],
        cwd=shell.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.splitlines()[-1] == f"run folder: {shell.folder / 'again'}"
    for name, content in trained.picks().items():
        assert (shell.folder / "again" / "picks" / name).read_bytes() == content


@pytest.mark.thorough
def test_the_run_is_repeated_from_its_folder(trained, shell):
    given = ["--config-dir", str(trained.folder), "--config-name", "config"]
    again = shell("train", *given, run="from_folder")
    assert (again.code, again.err) == (0, "")
    assert again.picks() == trained.picks()
    configurations = [(one.folder / "config.yaml").read_bytes() for one in (again, trained)]
    assert configurations[0] == configurations[1]


@pytest.fixture(scope="session")
def sweep(shell, trained):
    """Two seeds, and an impossible third."""
    return shell("train", "seed=1,2,-1", *SMALL, *SHORT, run="sweep", sweep=True)


@pytest.mark.thorough
def test_a_sweep_continues_after_an_impossible_job(sweep):
    assert sweep.code == 3
    assert sweep.err == "error: seed must lie in [0, 2**32), got -1\n"
    done = [path.parent.name for path in sorted(sweep.folder.glob("*/metrics.json"))]
    assert done == ["0", "1"]


@pytest.mark.thorough
def test_jobs_of_a_sweep_are_tracked_one_by_one(sweep):
    runs = sorted(sweep.folder.glob("*/wandb/offline-run-*"))
    assert [path.parent.parent.name for path in runs] == ["0", "1"]
    assert len({path.name.rsplit("-", 1)[1] for path in runs}) == 2


@pytest.mark.thorough
def test_another_seed_gives_other_picks(sweep, trained):
    picks = [
        (folder / "picks" / f"{STEMS[0]}.csv").read_bytes()
        for folder in (trained.folder, sweep.folder / "0", sweep.folder / "1")
    ]
    assert len(set(picks)) == 3


@pytest.fixture(scope="session")
def no_labels(shell, partly_damaged):
    """Somebody's folder with a damaged file, and no diameter given."""
    given = f"dataset.micrographs={partly_damaged}"
    return shell("train", "+experiment=no_labels", given, *SHORT, run="no_labels")


@pytest.mark.thorough
def test_a_diameter_that_was_not_given_is_estimated(no_labels):
    (row,) = rows(no_labels.folder / "diameters.csv")
    # A shell is measured to its dark wall, which is at two thirds of its outer diameter.
    assert 0.65 * 59.1 <= float(row["diameter"]) <= 1.1 * 59.1


@pytest.mark.thorough
def test_the_estimated_diameter_is_said_and_used(no_labels, trained):
    (row,) = rows(no_labels.folder / "diameters.csv")
    assert list(row) == ["what", "diameter", "contrast"]
    assert row["what"] == "folder"
    assert 0 <= float(row["contrast"]) <= 1
    said = f"particle diameter estimated at {float(row['diameter']):g} pixels, contrast "
    assert said in no_labels.out
    assert "not its accuracy" in " ".join(no_labels.out.split())
    assert "confidence" not in no_labels.out
    for summary in rows(no_labels.folder / "summary.csv"):
        assert float(summary["diameter"]) == float(row["diameter"])
    card = yaml.safe_load((no_labels.folder / "model.yaml").read_text())
    if no_labels.metrics["network"] == "trained":
        assert card["diameter"] == float(row["diameter"])
    else:  # the general weights, which are for any
        assert card["diameter"] is None
    assert not (trained.folder / "diameters.csv").exists()  # it was known


@pytest.mark.thorough
def test_an_unreadable_micrograph_is_skipped_and_said_once(no_labels, partly_damaged):
    assert no_labels.code == 3
    assert sorted(no_labels.picks()) == [f"{stem}.csv" for stem in STEMS]
    skipped = [line for line in no_labels.out.splitlines() if line.startswith("SKIP")]
    assert len(skipped) == 1
    assert skipped[0].startswith(f"SKIP {partly_damaged / 'cut.mrc'}: ")
    assert "1 micrograph skipped, see failures.csv" in no_labels.out
    (failure,) = rows(no_labels.folder / "failures.csv")
    assert failure["micrograph"] == "cut"
    assert failure["reason"] in skipped[0]
    assert no_labels.metrics["failures"] == 1


@pytest.mark.thorough
def test_without_truth_there_are_counts_and_no_scores(no_labels):
    metrics = no_labels.metrics
    assert metrics["micrographs"] == 3
    assert metrics["picks"] <= metrics["candidates"]
    assert "f1" not in metrics
    assert "Precision" not in no_labels.out


@pytest.mark.thorough
def test_network_trained_on_the_truth_is_scored_on_other_micrographs(shell, trained):
    answer = shell("train", "labeler=truth", *SMALL, *CHEAP, run="truth")
    assert (answer.code, answer.err) == (0, "")
    (kept_out,) = answer.metrics["per_micrograph"]
    splits = assign_splits(["apoferritin"] * 3, ClassSetConfig(["top", "background"]), 0)[:, 0]
    assert kept_out["micrograph"] == STEMS[splits.tolist().index("test")]
    assert answer.metrics["micrographs"] == 1
    assert answer.metrics["micrographs_without_truth"] == 2
    assert "picks are not scored" not in answer.out
    assert sorted(answer.picks()) == [f"{stem}.csv" for stem in STEMS]  # all are picked
    (group,) = answer.metrics["labels"]
    assert group["micrographs"] == 3
    assert group["precision"] == group["recall"] == 1
    # What was switched off is not there.
    there = {path.name for path in answer.folder.iterdir()}
    assert there.isdisjoint({"wandb", "baseline", "overlays"})


@pytest.mark.thorough
def test_network_trained_on_the_truth_of_two_is_not_scored(shell, trained):
    few = [SMALL[0], "dataset.micrographs_per_kind=2", "dataset.shape=[640,768]"]
    answer = shell("train", "labeler=truth", *few, *CHEAP, run="truth_of_two")
    assert (answer.code, answer.err) == (0, "")
    assert "all micrographs were used for training: picks are not scored" in answer.out
    assert answer.metrics["micrographs"] == 2
    assert "f1" not in answer.metrics
    assert len(answer.picks()) == 2


def test_training_on_the_truth_needs_coordinates(shell, partly_damaged):
    given = ["dataset=folder", f"dataset.micrographs={partly_damaged}"]
    answer = shell("train", "labeler=truth", *given, run="no_truth_to_train")
    assert answer.code == 2
    assert answer.err == (
        "error: labeler=truth needs given coordinates: set dataset.coordinates=DIR\n"
    )
    assert answer.out == ""  # no diameter was estimated first


@pytest.mark.slow
@pytest.mark.real
def test_real_apoferritin_is_picked_without_labels(shell, real_data, monkeypatch):
    monkeypatch.setenv("DEEPCRYOPICKER_DATA", str(real_data.resolve()))
    answer = shell("train", "+experiment=apoferritin", run="apoferritin")
    assert answer.code == 0
    metrics = json.loads((answer.folder / "metrics.json").read_text())
    assert metrics["micrographs"] == 12
    assert metrics["threshold"] == 0.5
    assert metrics["f1"] >= 0.93


@pytest.mark.parametrize(
    ("command", "given", "lines"),
    [
        (
            "train",
            [*SMALL, *SHORT, "dataset.kinds=[ribosome]"],
            [
                "error: dataset.kinds is [ribosome] here, but [apoferritin] in the run in {}",
                "choose another folder, hydra.run.dir=OTHER, or remove that one first",
            ],
        ),
        (
            "report",
            ["report.runs=[.]"],
            [
                "error: this is a run of report, but {} holds a run of train",
                "choose another folder: hydra.run.dir=OTHER",
            ],
        ),
    ],
)
def test_the_folder_of_another_run_is_refused_and_not_touched(
    shell, trained, command, given, lines, tmp_path
):
    folder = tmp_path / "used"
    shutil.copytree(trained.folder, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    answer = shell(command, *given, run=folder)
    assert answer.code == 2
    assert answer.err.splitlines() == [line.format(folder) for line in lines]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_plan_says_what_the_data_decided(trained):
    plan = json.loads((trained.folder / "plan.json").read_text())
    assert plan["rounds of training"] == {"value": 1, "why": "labels are found"}
    assert {"diameter of apoferritin", "labeler of apoferritin"} <= set(plan)
    assert plan["labeler of apoferritin"]["value"] in ("blobs", "class averages")
    threshold = plan["score of the network at the threshold"]
    assert 0 < threshold["value"] < 1
    assert "labels of the program's own in 3 micrographs" in threshold["why"]
