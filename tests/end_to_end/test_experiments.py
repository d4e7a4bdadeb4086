"""Experiments of the paper's tables, as small as they go: where they stop, and what they leave."""

import csv
import json

import pytest
import yaml

from deepcryopicker.preprocessing.scaling import grid_factor

pytestmark = pytest.mark.thorough

SMALL = (
    "dataset=simulated",
    "dataset.kinds=[apoferritin]",
    "dataset.micrographs_per_kind=3",
    "dataset.shape=[384,448]",
)


@pytest.fixture(autouse=True)
def _no_real_data(monkeypatch):
    """What composes names the real micrographs, but must not need them."""
    monkeypatch.setenv("DEEPCRYOPICKER_DATA", "/nowhere")


def rows(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("given", "parameters"),
    [([], 58_274_500), (["class-set=five"], 58_278_597)],
)
def test_table_9_lists_the_papers_network(shell, given, parameters):
    answer = shell("train", "+experiment=paper/table9", *given, run=f"table9_{parameters}")
    assert (answer.code, answer.err) == (0, "")
    table = rows(answer.folder / "layers.csv")
    assert len(table) == 13
    assert sum(int(row["parameters"]) for row in table) == parameters
    assert answer.metrics["parameters"] == parameters
    printed = [line.split() for line in answer.out.splitlines() if line.strip()]
    numbered = [line for line in printed if line[0].isdigit()]
    assert [line[0] for line in numbered] == [str(number) for number in range(1, 14)]
    # Written and printed alike, but for the commas.
    for row, line in zip(table, numbered, strict=True):
        assert row["operation"].split() == line[1 : 1 + len(row["operation"].split())]
        assert row["output"] in line
    assert str(parameters) in answer.out.replace(",", "")
    assert not files(answer.folder) & {"model.safetensors", "samples.csv", "data.csv"}


def test_table_4_measures_the_patches_of_the_micrographs(shell):
    """A simulated dataset with the name of one of the paper, whose numbers stand beside."""
    answer = shell("train", "+experiment=paper/table4", *SMALL, run="table4")
    assert (answer.code, answer.err) == (0, "")
    (row,) = rows(answer.folder / "scales.csv")
    assert (row["what"], row["micrograph"]) == ("apoferritin, top", "448x384")
    side, factor = float(row["side"]), float(row["factor"])
    assert 1.0 < side / float(row["diameter"]) < 1.8
    assert factor * side <= 227 < (factor + 0.125) * side
    assert (row["paper_side"], row["paper_factor"]) == ("94", "2.375")
    assert answer.metrics["scales"]["apoferritin, top"]["factor"] == factor
    assert files(answer.folder).isdisjoint({"samples.csv", "layers.csv", "data.csv"})


def test_the_papers_method_runs_from_end_to_end(shell):
    """With a narrow network and few windows: every step of the method leaves its mark."""
    answer = shell(
        "train",
        "+experiment=paper/method",
        *SMALL,
        "dataset.kinds=[klh]",
        "dataset.shape=[512,640]",
        "model.channels=[4,4,4,4,4]",
        "model.wide=[16]",
        "class_set.samples_per_class=40",
        "trainer.epochs=2",
        "trainer.epoch_windows=1",
        "picker.step=48",
        "picker.floor=0",
        run="method",
    )
    assert (answer.code, answer.err) == (0, "")
    plan = json.loads((answer.folder / "plan.json").read_text(encoding="utf-8"))
    assert plan["labeler of klh"]["value"] == "shapes in masks of intensity clusters"
    assert "score of the network at the threshold" not in plan  # it is the network's own
    side = plan["patch of klh"]["value"]
    card = yaml.safe_load((answer.folder / "model.yaml").read_text(encoding="utf-8"))
    factor = grid_factor(card["preprocessing"]["patch"] * card["diameter"], 227)
    assert factor * side <= 227.01 < (factor + 0.125) * side
    reasons = {row["reason"] for path in answer.folder.glob("labels/*.csv") for row in rows(path)}
    assert "less round than average" in reasons  # Algorithm 1
    assert {row["what"] for row in rows(answer.folder / "samples.csv")} == {
        "top",
        "side",
        "irregular",
        "background",
    }
    picks = [row for path in answer.folder.glob("picks/*.csv") for row in rows(path)]
    assert picks
    half = 227 / 2 / factor  # windows lie inside
    assert min(float(row["x"]) for row in picks) > half - 1
    assert max(float(row["x"]) for row in picks) < 640 - half + 1
    assert answer.metrics["f1"] is not None


def test_table_8_has_the_papers_minutes_beside_ours(shell, monkeypatch):
    monkeypatch.setattr("deepcryopicker.paper.speed_table.SIZES", (64, 128))
    given = ("model=compact", "picker.device=cpu")
    answer = shell("train", "+experiment=paper/table8", *given, run="table8")
    assert (answer.code, answer.err) == (0, "")
    table = rows(answer.folder / "speed.csv")
    assert [row["side"] for row in table] == ["64", "128"]
    assert [row["windows"] for row in table] == ["64", "256"]
    assert {row["paper"] for row in table} == {"15.7"}
    for row in table:
        assert float(row["sliding"]) > 0
        assert float(row["ratio"]) == float(row["sliding"]) / float(row["dense"])
    assert "15.700" in answer.out
    assert "sliding is extrapolated" in answer.out
    assert set(answer.metrics["speed"]) == {"cpu_64", "cpu_128"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("picker.stride=3",), "picker.stride=3 is not a divisor or a multiple"),
        (("picker.precision=float16", "picker.device=cpu"), "picker.precision=float16"),
        (("until=speed", "picker=log"), "until=speed compares picker=dense"),
    ],
)
def test_a_scan_that_cannot_be_is_refused_before_anything_is_done(shell, given, words):
    answer = shell("train", *SMALL, *given, run=f"refused_{len(words)}")
    assert answer.code == 2
    assert words in answer.err
    assert "learning" not in answer.out


def test_training_set_stops_before_the_network(shell):
    answer = shell(
        "train",
        "+experiment=paper/training_set",
        *SMALL,
        "class_set.samples_per_class=64",
        run="training_set",
    )
    assert (answer.code, answer.err) == (0, "")
    found = files(answer.folder)
    assert {"samples.csv", "samples.png", "data.csv", "metrics.json", "config.yaml"} <= found
    assert not [name for name in found if name.endswith((".safetensors", ".ckpt"))]
    assert not [name for name in found if name.startswith(("picks/", "training/", "patches"))]
    table = {row["what"]: row for row in rows(answer.folder / "samples.csv")}
    assert list(table) == ["top", "side", "irregular", "background"]
    windows = [int(table["background"][split]) for split in ("train", "validation", "test")]
    assert windows == [41, 10, 13]
    # Half of each are empty and half off-centre, every place in all four turns: 20 + 21 windows of
    # 5 + 6 places, 5 + 5 of 2 + 2, 6 + 7 of 2 + 2.
    assert int(table["background"]["places"]) == 19
    assert "training particles" in answer.out
    assert "training windows" in answer.out


def test_until_weights_trains_and_tests_but_does_not_pick(shell):
    answer = shell(
        "train",
        "until=weights",
        *SMALL,
        "labeler=truth",
        "trainer.epochs=1",
        "trainer.epoch_windows=1",
        "class_set.samples_per_class=32",
        "logger=csv",
        run="weights",
    )
    assert (answer.code, answer.err) == (0, "")
    found = files(answer.folder)
    assert {"model.safetensors", "model.yaml", "patches.png", "confusion.png"} <= found
    assert {"training.png", "training/metrics.csv", "timings.json"} <= found
    left = ("picks/", "overlays/", "box/", "relion/", "baseline/", "precision_recall")
    assert [name for name in found if name.startswith(left)] == []
    assert [name for name in found if name.endswith(".ckpt")] == []
    patches = answer.metrics["patches"]
    assert 0 <= patches["accuracy"] <= 1
    assert 0 < patches["average_precision"] <= 1
    assert sum(map(sum, patches["confusion"])) == patches["windows"] > 0
    assert list(patches["groups"]) == ["apoferritin"]
    assert "f1" not in answer.metrics


@pytest.fixture(scope="module")
def typed():
    """The sweep over learning rates, but two of them, on three small micrographs."""
    return (
        "+experiment=ablation/learning_rate",
        *SMALL,
        "trainer.epochs=1",
        "trainer.epoch_windows=1",
        "trainer.precision=float32",
        "class_set.samples_per_class=32",
        "class_set.classes=[top,background]",
        "logger=csv",
    )


def sweep(shell, typed):
    """The experiment itself says that it is a sweep."""
    folder = shell.folder / "learning_rate"
    rates = "hydra.sweeper.params={trainer.learning_rate:'1e-4,4e-3'}"
    # The shell sets the folder of a single run, which a sweep does not use.
    answer = shell("train", *typed, rates, f"hydra.sweep.dir={folder}", run="learning_rate")
    return answer, rows(folder / "sweep.csv")


@pytest.fixture(scope="module")
def first(shell, typed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPCRYOPICKER_DATA", "/nowhere")
        return sweep(shell, typed)


def test_a_sweep_ends_with_the_scores_on_test_windows(first):
    answer, table = first
    assert (answer.code, answer.err) == (0, "")
    assert [row["status"] for row in table] == ["done", "done"]
    assert [float(row["trainer.learning_rate"]) for row in table] == [1e-4, 4e-3]
    for row in table:
        accuracy = float(row["patches.accuracy"])
        assert 0 <= accuracy <= 1
        assert 0 < float(row["patches.average_precision"]) <= 1
        by_class = [float(row[f"patches.classes.{x}.accuracy"]) for x in ("top", "background")]
        assert min(by_class) <= accuracy <= max(by_class)
        assert float(row["patches.groups.apoferritin.accuracy"]) == accuracy
        assert float(row["seconds.training"]) > 0
    assert len({row["patches.windows"] for row in table}) == 1  # the same windows
    weights = {path.read_bytes() for path in answer.folder.glob("*/model.safetensors")}
    assert len(weights) == 2  # and other rates
    assert (answer.folder / "sweep.png").is_file()
    assert not list(answer.folder.glob("*/picks"))


def test_the_same_sweep_again_has_nothing_to_do(first, shell, typed):
    def written():
        return {
            path: path.stat().st_mtime_ns
            for path in first[0].folder.glob("[01]/**/*")
            if path.is_file()
        }

    before = written()
    answer, table = sweep(shell, typed)
    assert (answer.code, answer.err) == (0, "")
    for job in range(2):
        said = f"job {job}: already finished, see {answer.folder / str(job)}"
        assert said in answer.out.splitlines()
    assert "all jobs had already finished" in answer.out
    assert table == first[1]
    assert written() == before
