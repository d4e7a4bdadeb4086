"""``label``: candidates with a verdict, masks, pictures, and the images of every stage."""

import csv
import math
import shutil

import cv2
import numpy as np
import pytest
import yaml

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.io.coordinates.formats import read_picks

DIAMETER = 59.1
SHAPE = (384, 448)
STEMS = [f"apoferritin_{index:03d}" for index in range(3)]
SIMULATES = "structure"
LABELERS = sorted({path.stem for path in (CONF_DIR / "labeler").iterdir()} - {SIMULATES})
CLUSTERING = {"fcm", "kmeans", "super_kmeans"}  # as ibc, but slower
SCORES = ("precision", "recall", "f1", "best_f1", "class_accuracy", "purity", "yield")


def rows(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def steps_of(preset):
    return yaml.safe_load((CONF_DIR / "preprocessing" / f"{preset}.yaml").read_text())["steps"]


def read(path):
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, path
    return image


@pytest.fixture(scope="session")
def in_folder(simulated):
    """Overrides for the simulated micrographs as anybody's folder, without truth."""
    return [
        "dataset=folder",
        f"dataset.micrographs={simulated / 'micrographs'}",
        f"dataset.diameter={DIAMETER}",
    ]


@pytest.fixture(scope="session")
def with_truth(simulated, in_folder):
    return [*in_folder, f"dataset.coordinates={simulated / 'coordinates'}"]


@pytest.fixture(scope="session")
def labelled(shell, with_truth):
    """By the defaults, with all there is to see."""
    return shell(
        "label", *with_truth, "preprocessing.save_stages=true", "overlays=2", run="labelled"
    )


@pytest.fixture(scope="session")
def by_mask(shell, with_truth):
    """The authors' chain, at half size, and clustering."""
    chain = ["preprocessing=matlab", "labeler=ibc", "preprocessing.save_stages=true"]
    return shell("label", *with_truth, *chain, run="by_mask")


BOTH = pytest.mark.parametrize("run", ["labelled", "by_mask"])


@BOTH
def test_it_succeeds_and_says_where(request, run):
    answer = request.getfixturevalue(run)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1] == f"run folder: {answer.folder}"


@BOTH
def test_every_candidate_is_good_or_has_a_reason(request, run):
    folder = request.getfixturevalue(run).folder
    files = sorted((folder / "picks").iterdir())
    assert [path.stem for path in files] == STEMS
    for path in files:
        candidates = rows(path)
        assert list(candidates[0]) == ["x", "y", "score", "class", "diameter", "good", "reason"]
        for row in candidates:
            assert (row["good"], row["reason"] == "") in {("1", True), ("0", False)}
        assert {row["good"] for row in candidates} == {"0", "1"}


@BOTH
def test_candidates_are_coordinates_like_any_others(request, run):
    folder = request.getfixturevalue(run).folder
    for stem in STEMS:
        picks = read_picks(folder / "picks" / f"{stem}.csv")
        assert len(picks) == len(rows(folder / "picks" / f"{stem}.csv"))
        assert ((picks.score >= 0) & (picks.score <= 1)).all()
        assert set(picks.label) <= {"top", "side", "irregular"}
        assert ((picks.x > -0.5) & (picks.x < SHAPE[1] - 0.5)).all()
        assert ((picks.y > -0.5) & (picks.y < SHAPE[0] - 0.5)).all()
        assert ((picks.diameter > 0.5 * DIAMETER) & (picks.diameter < 1.5 * DIAMETER)).all()


def test_the_files_of_the_contract_are_there(labelled):
    expected = [
        "config.yaml",
        "metrics.json",
        "status.json",
        "summary.csv",
        "plan.json",
        *(f"picks/{stem}.csv" for stem in STEMS),
        *(f"outcomes/{stem}.csv" for stem in STEMS),
        *(f"masks/{stem}.png" for stem in STEMS),
        *(f"panels/{stem}.png" for stem in STEMS[:2]),  # as many as overlays
        *(f"stages/{stem}.png" for stem in STEMS),
        *(f"stages/{stem}/{step}.png" for stem in STEMS for step in steps_of("default")),
        *(f"stages/{stem}/rescaled.png" for stem in STEMS),
    ]
    there = {
        path.relative_to(labelled.folder).as_posix()
        for path in labelled.folder.rglob("*")
        if path.is_file() and ".hydra" not in path.parts
    }
    assert there == set(expected)


def test_stages_are_left_out_unless_asked_for(shell, in_folder):
    answer = shell("label", *in_folder, "labeler=log", "overlays=0", run="plain")
    left = {path.name for path in answer.folder.iterdir()} - {".hydra"}
    known = {"config.yaml", "masks", "metrics.json", "picks", "status.json", "summary.csv"}
    assert left == {*known, "plan.json"}
    # Nor are there scores without truth.
    (row,) = answer.metrics["labels"]
    assert row.keys() == {"what", "micrographs", "candidates", "good"}


@BOTH
def test_a_row_for_each_micrograph_and_its_sums(request, run):
    answer = request.getfixturevalue(run)
    summary = rows(answer.folder / "summary.csv")
    assert [row["micrograph"] for row in summary] == STEMS
    for row in summary:
        candidates = rows(answer.folder / "picks" / f"{row['micrograph']}.csv")
        assert int(row["candidates"]) == len(candidates)
        assert int(row["good"]) == sum(candidate["good"] == "1" for candidate in candidates)
        assert int(row["good_hits"]) + int(row["good_false"]) <= int(row["good"])
        assert float(row["diameter"]) == DIAMETER
    (group,) = answer.metrics["labels"]
    assert (group["what"], group["micrographs"]) == ("folder", 3)
    for key in ("candidates", "good"):
        assert group[key] == sum(int(row[key]) for row in summary)


@BOTH
def test_the_metrics_are_those_of_the_files(request, run, shell, simulated):
    """Scored again by ``evaluate``, which knows nothing of labelers."""
    answer = request.getfixturevalue(run)
    (group,) = answer.metrics["labels"]
    again = shell(
        "evaluate",
        f"evaluate.picks={answer.folder / 'picks'}",
        f"evaluate.truth={simulated / 'coordinates'}",
        f"evaluate.radius={DIAMETER / 2}",
        "evaluate.threshold=0",
        run="labels_evaluated",
    )
    assert (again.code, again.err) == (0, "")
    for key in ("precision", "recall", "f1", "best_f1"):
        assert group[key] == pytest.approx(again.metrics[key], abs=1e-9)
    summary = rows(answer.folder / "summary.csv")
    hits, false, truth = (
        sum(int(row[key]) for row in summary) for key in ("good_hits", "good_false", "truth")
    )
    assert truth == sum(
        len(read_picks(simulated / "coordinates" / f"{stem}.csv")) for stem in STEMS
    )
    assert group["purity"] == pytest.approx(hits / (hits + false))
    assert group["yield"] == pytest.approx(hits / truth)
    assert set(SCORES) <= group.keys()
    assert all(0 <= group[key] <= 1 for key in SCORES)


def test_the_defaults_label_well(labelled):
    """Small and noisy micrographs; the real ones have limits of their own."""
    (group,) = labelled.metrics["labels"]
    assert group["class_accuracy"] >= 0.95
    assert group["f1"] >= 0.7
    assert group["purity"] >= 0.8


@pytest.mark.parametrize(("run", "scale"), [("labelled", 24 / DIAMETER), ("by_mask", 0.5)])
def test_masks_are_black_and_white_at_the_scale_of_the_labeler(request, run, scale):
    folder = request.getfixturevalue(run).folder
    for stem in STEMS:
        mask = read(folder / "masks" / f"{stem}.png")
        assert mask.shape == tuple(math.ceil(side * scale) for side in SHAPE)
        assert set(np.unique(mask)) == {0, 255}


@BOTH
def test_candidates_lie_on_the_mask(request, run):
    """A flipped or shifted mask would not be under them."""
    folder = request.getfixturevalue(run).folder
    for stem in STEMS:
        mask = read(folder / "masks" / f"{stem}.png") > 0
        picks = read_picks(folder / "picks" / f"{stem}.csv")
        row = ((picks.y + 0.5) * mask.shape[0] / SHAPE[0]).astype(int)
        column = ((picks.x + 0.5) * mask.shape[1] / SHAPE[1]).astype(int)
        assert mask[row, column].mean() >= 0.8 > mask.mean() + 0.2


def test_as_many_panels_as_asked_for(labelled):
    panels = sorted((labelled.folder / "panels").iterdir())
    assert [path.stem for path in panels] == STEMS[:2]
    for path in panels:
        assert read(path).std() > 10


@pytest.mark.parametrize(("run", "preset"), [("labelled", "default"), ("by_mask", "matlab")])
def test_every_stage_is_a_picture_of_16_bit(request, run, preset):
    answer = request.getfixturevalue(run)
    shape = read(answer.folder / "masks" / f"{STEMS[0]}.png").shape
    for stem in STEMS:
        folder = answer.folder / "stages" / stem
        assert {path.stem for path in folder.iterdir()} == {"rescaled", *steps_of(preset)}
        for path in folder.iterdir():
            stage = read(path)
            assert stage.dtype == np.uint16
            assert stage.shape == shape
            assert stage.max() > stage.min()
        assert read(folder.with_suffix(".png")).ndim == 3


@pytest.mark.parametrize(
    "labeler",
    [
        pytest.param(name, marks=pytest.mark.thorough if name in CLUSTERING else [])
        for name in LABELERS
    ],
)
def test_every_labeler_runs(shell, with_truth, labeler):
    answer = shell("label", *with_truth, f"labeler={labeler}", "overlays=1", run=f"by_{labeler}")
    assert (answer.code, answer.err) == (0, "")
    assert sorted(answer.picks()) == [f"{stem}.csv" for stem in STEMS]
    assert len(list((answer.folder / "masks").iterdir())) == 3
    assert len(list((answer.folder / "panels").iterdir())) == 1
    (group,) = answer.metrics["labels"]
    assert group["candidates"] > 0
    assert set(SCORES) <= group.keys()
    if labeler == "truth":
        assert [group[key] for key in SCORES[:-1]] == [1] * 6
        assert 0 < group["yield"] < 1  # those at the edge are not good


def test_a_labeler_that_simulates_labels_no_given_micrographs(shell, in_folder):
    answer = shell("label", *in_folder, f"labeler={SIMULATES}", run="simulating")
    assert answer.code == 2
    assert answer.err == (
        "error: labeler=structure labels no given micrographs, it simulates others to train on: "
        "choose another labeler, or python -m deepcryopicker.train\n"
    )


def test_the_truth_is_needed_where_it_labels(shell, in_folder):
    answer = shell("label", *in_folder, "labeler=truth", run="no_truth")
    assert answer.code == 2
    assert answer.err == (
        "error: labeler=truth needs given coordinates: set dataset.coordinates=DIR\n"
    )
    assert answer.out == ""


def test_only_micrographs_with_truth_are_labelled_by_it(shell, simulated, in_folder, tmp_path):
    shutil.copy(simulated / "coordinates" / f"{STEMS[1]}.csv", tmp_path)
    given = [*in_folder, f"dataset.coordinates={tmp_path}", "labeler=truth"]
    answer = shell("label", *given, run="some_truth")
    assert answer.code == 0
    assert list(answer.picks()) == [f"{STEMS[1]}.csv"]


def test_an_unreadable_micrograph_is_skipped_and_said_once(shell, partly_damaged):
    given = ["dataset=folder", f"dataset.micrographs={partly_damaged}", "dataset.diameter=59.1"]
    answer = shell("label", *given, run="labels_partly")
    assert answer.code == 3
    assert sorted(answer.picks()) == [f"{stem}.csv" for stem in STEMS]
    assert answer.out.count("SKIP") == 1
    assert "cut.mrc" in (answer.folder / "failures.csv").read_text()


@pytest.mark.thorough
def test_outputs_mirror_sub_folders(shell, simulated, tmp_path):
    for number, path in enumerate(sorted((simulated / "micrographs").iterdir())[:2]):
        (tmp_path / f"grid{number}").mkdir()
        shutil.copy(path, tmp_path / f"grid{number}" / "same.mrc")
    given = ["dataset=folder", f"dataset.micrographs={tmp_path}", "dataset.diameter=59"]
    answer = shell("label", *given, "preprocessing.save_stages=true", run="label_grids")
    assert answer.code == 0
    for number in range(2):
        for name in ("picks/{}.csv", "masks/{}.png", "panels/{}.png", "stages/{}/cec.png"):
            assert (answer.folder / name.format(f"grid{number}/same")).is_file()


@pytest.mark.thorough
def test_a_run_without_each_step_in_turn(shell, simulated, tmp_path):
    """The sweep of the experiment, as it is typed: without -m."""
    shutil.copy(simulated / "micrographs" / f"{STEMS[0]}.mrc", tmp_path)
    answer = shell(
        "label",
        "+experiment=ablation/leave_one_step_out",
        "dataset=folder",
        f"dataset.micrographs={tmp_path}",
        f"dataset.coordinates={simulated / 'coordinates'}",
        "dataset.diameter=59.1",
        "labeler=ibc",
        "preprocessing.save_stages=true",
        "overlays=0",
        f"hydra.sweep.dir={shell.folder / 'without'}",
        run="unused",
    )
    assert (answer.code, answer.err) == (0, "")
    folders = sorted((shell.folder / "without").glob("[0-9]*"), key=lambda path: int(path.name))
    steps = list(steps_of("default"))
    assert len(folders) == 1 + len(steps)
    masks = set()
    for folder, left_out in zip(folders, [None, *steps], strict=True):
        chain = yaml.safe_load((folder / "config.yaml").read_text())["preprocessing"]
        assert chain["skip"] == left_out
        stages = {path.stem for path in (folder / "stages" / STEMS[0]).iterdir()}
        assert stages == {"rescaled", *steps} - {left_out}
        masks.add((folder / "masks" / f"{STEMS[0]}.png").read_bytes())
    assert len(masks) >= 10  # nearly every step makes a difference
