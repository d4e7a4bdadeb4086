"""The table of a sweep is made from the folders of its jobs, whatever process they ran in."""

import csv
import io
import json
import math

import pytest
from matplotlib.colors import to_hex
from rich.console import Console

from deepcryopicker.io.files.tables import flatten
from deepcryopicker.plots import sweep_figure as figures
from deepcryopicker.plots.result_figures import COLOURS
from deepcryopicker.plots.sweep_table import (
    WIDTH,
    headlines,
    of_datasets,
    short_names,
    sweep_table,
)
from deepcryopicker.runs.saved_config import difference
from deepcryopicker.runs.status import (
    REFUSED,
    STATUS,
    FolderContent,
    Outcome,
    combine,
    content_of_folder,
    read_outcome,
)
from deepcryopicker.runs.sweep import Sweep, finish, list_jobs, tabulate

METRICS = {
    "f1": 0.8,
    "patches": {
        "accuracy": 0.99,
        "accuracy_interval": [0.98, 0.995],
        "groups": {"klh": {"accuracy": 0.97}},
    },
    "labels": [{"what": "klh", "f1": 0.6, "good": 12}],
    "per_micrograph": [{"micrograph": "a", "f1": 1.0}],
    "baseline": None,
    "complete": True,
    "provenance": {"version": "1", "seed": 3},
}
FLAT = {
    "f1": 0.8,
    "patches.accuracy": 0.99,
    "patches.accuracy_low": 0.98,
    "patches.accuracy_high": 0.995,
    "patches.groups.klh.accuracy": 0.97,
    "labels.klh.f1": 0.6,
    "labels.klh.good": 12,
}


def leave(folder, code=0, error=None, metrics=None, timings=None, reference=None):
    """Write what a job leaves."""
    folder.mkdir(parents=True)
    Outcome(code, 1.5, error).write(folder / STATUS)
    if metrics is not None:
        (folder / "metrics.json").write_text(json.dumps(metrics))
    if timings is not None:
        (folder / "timings.json").write_text(json.dumps(timings))
    if reference is not None:
        (folder / "config.yaml").write_text(json.dumps({"seed": 0, "reference": reference}))


@pytest.fixture
def sweep(tmp_path):
    """Four jobs: done, done in part, failed with what an earlier attempt left, never begun."""
    timings = {"training": 12.5, "picking": 2}
    of_a = {"patches.accuracy": {"model=a": 0.9}}
    leave(
        tmp_path / "0",
        0,
        None,
        METRICS,
        timings,
        of_a,
    )
    leave(
        tmp_path / "1",
        3,
        None,
        {**METRICS, "f1": 0.5},
        None,
        of_a,
    )
    leave(tmp_path / "2", 1, "no micrograph could be used", METRICS)
    planned = [[f"model={name}", "seed=4"] for name in "abcd"]
    return Sweep(tmp_path, planned, {})


def test_a_row_describes_a_job_completely(sweep):
    rows, varied = tabulate(list_jobs(sweep))
    assert varied == ["model"]  # the seed does not vary
    assert rows[0] == {
        "job": 0,
        "status": "done",
        "model": "a",
        "paper.patches.accuracy": 0.9,
        **FLAT,
        "seconds.training": 12.5,
        "seconds.picking": 2,
        "error": None,
    }


def test_what_failed_has_a_row_without_numbers(sweep):
    rows, _ = tabulate(list_jobs(sweep))
    assert [row["status"] for row in rows] == [
        *("done", "some failed or doubtful", "failed", "not finished"),
    ]
    assert [row["f1"] for row in rows] == [0.8, 0.5, None, None]
    assert [row["paper.patches.accuracy"] for row in rows] == [0.9, None, None, None]
    assert [row["error"] for row in rows] == [None, None, "no micrograph could be used", None]


def test_without_published_numbers_there_is_no_column_for_them(tmp_path):
    leave(tmp_path / "0", metrics={"f1": 1.0}, reference={})
    rows, _ = tabulate(list_jobs(Sweep(tmp_path, [["seed=1"]], {})))
    assert list(rows[0]) == ["job", "status", "f1", "error"]


def test_the_sweep_leaves_table_and_picture(sweep):
    assert finish(sweep) == 3
    with (sweep.folder / "sweep.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["job"] for row in rows] == ["0", "1", "2", "3"]
    assert [row["model"] for row in rows] == ["a", "b", "c", "d"]
    assert rows[1]["f1"] == "0.5"
    assert (sweep.folder / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_a_refused_sweep_leaves_the_table_of_the_other(sweep):
    finish(sweep)
    before = (sweep.folder / "sweep.csv").read_bytes()
    Outcome(2, 0.0, "seed is 5 here, but 4").write(sweep.folder / "0" / REFUSED)
    assert finish(sweep) == 3  # job 1 has results
    assert (sweep.folder / "sweep.csv").read_bytes() == before


def test_jobs_of_other_sweepers_are_found_in_their_folders(tmp_path):
    for number in (0, 2, 10):
        leave(tmp_path / str(number), metrics={"f1": number / 10})
        (tmp_path / str(number) / ".hydra").mkdir()
        (tmp_path / str(number) / ".hydra" / "overrides.yaml").write_text(f"- seed={number}\n")
    (tmp_path / ".submitit").mkdir()
    rows, varied = tabulate(list_jobs(Sweep(tmp_path, None, {})))
    assert varied == ["seed"]
    assert [(row["job"], row["seed"], row["f1"]) for row in rows] == [
        (0, "0", 0.0),
        (2, "2", 0.2),
        (10, "10", 1.0),
    ]


def test_all_numbers_are_found_and_nothing_else():
    metrics = {key: value for key, value in METRICS.items() if key != "provenance"}
    assert flatten(metrics) == FLAT


@pytest.mark.parametrize("pair", [[None, None], [1, 2, 3], "text", []])
def test_an_invalid_interval_gives_no_number(pair):
    assert flatten({"accuracy_interval": pair}) == {}


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([0, 0], 0),
        ([0, 1], 3),
        ([0, 2], 3),
        ([0, None], 3),
        ([0, 3], 3),
        ([3, 3], 3),
        ([3, 1], 3),
        ([1, 1], 1),
        ([2, 2], 1),
        ([2], 1),
        ([None], 1),
        ([1, None], 1),
    ],
)
def test_exit_code_of_a_sweep(codes, expected):
    assert combine([None if code is None else Outcome(code, 1.0) for code in codes]) == expected


def test_a_refusal_is_later_than_the_run_in_the_folder(tmp_path):
    assert read_outcome(tmp_path) is None
    Outcome(0, 2.0).write(tmp_path / STATUS)
    assert read_outcome(tmp_path) == Outcome(0, 2.0, None)
    Outcome(2, 0.1, "no").write(tmp_path / REFUSED)
    assert read_outcome(tmp_path) == Outcome(2, 0.1, "no")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, FolderContent.FINISHED),
        (3, FolderContent.FINISHED),
        (1, FolderContent.UNFINISHED),
        (2, FolderContent.UNFINISHED),
        (None, FolderContent.UNFINISHED),
    ],
)
def test_a_folder_holds_the_run_until_its_configuration_is_another(tmp_path, code, expected):
    settings = {"seed": 1, "labeler": {"clip": 2.0, "scale": None, "range": [0.5, 1e-05]}}
    assert content_of_folder(tmp_path, settings) is FolderContent.NOTHING
    if code is not None:
        Outcome(code, 1.0).write(tmp_path / STATUS)
    assert content_of_folder(tmp_path, settings) is FolderContent.NOTHING  # refused before
    text = (
        "defaults: [_label]\nseed: 1\nlabeler:\n  clip: 2.0\n  scale: null\n  range: [0.5, 1e-05]\n"
    )
    (tmp_path / "config.yaml").write_text(text + "hydra: {job: {name: label}}\n")
    assert content_of_folder(tmp_path, settings) is expected
    assert content_of_folder(tmp_path, {**settings, "seed": 2}) is FolderContent.ANOTHER
    assert content_of_folder(tmp_path, {**settings, "overlays": 2}) is FolderContent.ANOTHER


@pytest.mark.parametrize(
    ("there", "here", "expected"),
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ("a.c", "2", "3")),
        ({"a": None}, {"a": True}, ("a", "null", "true")),
        ({"a": [1, "x"]}, {"a": [1, "y"]}, ("a", "[1, x]", "[1, y]")),
        ({}, {"a": 1}, ("a", "(no such key)", "1")),
        ({"a": 1}, {}, ("a", "1", "(no such key)")),
        ({"a": {"b": 1}}, {"a": None}, ("a", "{...}", "null")),
    ],
)
def test_the_first_difference_is_named_as_one_types_it(there, here, expected):
    assert difference(there, here) == expected


def said(rows, varied):
    stream = io.StringIO()
    Console(file=stream, width=200).print(sweep_table(rows, varied, headlines(rows)))
    return stream.getvalue()


def test_the_table_shows_the_choice_the_papers_number_and_the_metric(sweep):
    lines = said(*tabulate(list_jobs(sweep))).splitlines()
    done = next(line for line in lines if " a " in line)
    assert "0.900" in done
    assert "0.990 [0.980, 0.995]" in done
    assert any("failed: no micrograph could be used" in line for line in lines)
    assert any("not finished" in line for line in lines)


def test_the_table_fits_a_log_file_and_keeps_the_most_important_numbers():
    row = {"job": 0, "status": "failed", "model": "m" * 80, "error": "e" * 300, **FLAT}
    row |= {f"patches.groups.species_{index}.accuracy": 0.5 for index in range(20)}
    text = said([row], ["model"])
    assert max(len(line.rstrip()) for line in text.splitlines()) <= WIDTH
    assert "0.990 [0.980, 0.995]" in text
    assert "m…" in text
    assert "e…" in text


def test_a_missing_dataset_is_an_empty_row_and_no_failure(tmp_path):
    """Nor is a missing program, whose error has another exit code."""
    for number, (code, missing) in enumerate([(0, False), (2, True), (1, True)]):
        leave(tmp_path / str(number), metrics={"f1": 0.5})
        Outcome(code, 1.0, "which is not there", missing).write(tmp_path / str(number) / STATUS)
    jobs = list_jobs(Sweep(tmp_path, [[f"dataset={name}"] for name in "abc"], {}))
    rows, _ = tabulate(jobs)
    assert [row["status"] for row in rows] == ["done", "not there", "not installed"]
    assert [row["f1"] for row in rows] == [0.5, None, None]
    assert combine([job.outcome for job in jobs]) == 0


def test_a_metric_is_shown_where_a_number_is_published_for_it():
    key = "protocols.closest.macro.f1"
    rows = [{"job": 0, "status": "done", "f1": 0.5, key: 0.25, f"paper.{key}": 0.75}]
    first, second = headlines(rows)
    assert (first.heading, first.values, first.published) == ("closest macro f1", [0.25], [0.75])
    assert second.heading == "F1"
    assert [one.heading for one in headlines([{"job": 0, "f1": 0.5, key: 0.25}])] == ["F1"]


def test_headlines_come_in_order_of_importance():
    row = {"seconds.training": 1.0, "recall": 1.0, "f1": 1.0, "labels.a.f1": 0.2, **FLAT}
    names = [headline.heading for headline in headlines([row])]
    expected = ["patch accuracy", "F1", "recall", "labels' F1", "training, s"]
    assert names == expected


def test_several_datasets_have_a_table_of_their_own():
    of_one = {"patches.groups.klh.accuracy": 0.9, "patches.groups.klh.accuracy_low": 0.8}
    assert of_datasets([of_one]) == []
    several = of_one | {"patches.groups.ribosome.accuracy": 0.7}
    assert [(one.heading, one.values) for one in of_datasets([several, {}])] == [
        ("klh", [0.9, None]),
        ("ribosome", [0.7, None]),
    ]


def test_scores_of_labels_are_the_mean_over_the_groups_of_a_job():
    rows = [{"labels.a.f1": 0.2, "labels.b.f1": 0.6}, {"labels.c.f1": 0.3}, {}]
    (headline,) = headlines(rows)
    assert headline.values == [pytest.approx(0.4), 0.3, None]


def test_keys_are_shortened_where_that_leaves_them_apart():
    assert short_names(["preprocessing.skip", "seed"]) == ["skip", "seed"]
    assert short_names(["picker.labeler.clip", "labeler.clip"]) == [
        "picker.labeler.clip",
        "labeler.clip",
    ]
    assert short_names(["labeler@picker.labeler"]) == ["labeler@picker.labeler"]
    assert short_names(["experiment/network@_global_", "seed"]) == ["network", "seed"]


@pytest.fixture
def drawn(monkeypatch):
    kept = []
    monkeypatch.setattr(figures, "save_figure", lambda figure, path: kept.append(figure))
    return kept


def of(values, key="model"):
    return [
        {"job": index, "status": "done", key: value, "f1": 0.5 + index / 10}
        for index, value in enumerate(values)
    ]


def drawn_at(axes):
    """Places of our dots and of the paper's crosses."""
    lines = [line for line in axes.lines if line.get_marker() in ("o", "x")]
    return {
        (line.get_marker(), to_hex(line.get_color()).upper()): line.get_xydata().tolist()
        for line in lines
    }


def test_each_choice_has_a_line_in_the_picture(drawn, tmp_path):
    rows = of(["five", "four"])
    rows[1]["paper.f1"] = 0.55
    figures.sweep_figure(tmp_path / "sweep.png", rows, ["model"])
    (axes,) = drawn[0].axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["five", "four"]
    assert axes.get_ylim() == (1.5, -0.5)  # the first one on top
    assert axes.get_xlabel() == "F1"
    assert drawn_at(axes) == {
        ("o", COLOURS[0]): [[0.5, 0], [0.6, 1]],
        ("x", COLOURS[1]): [[0.55, 1]],
    }


@pytest.mark.parametrize(
    ("values", "scale"), [(["3", "1", "2"], "linear"), (["1e-2", "1", "1e-4"], "log")]
)
def test_a_number_that_varies_is_the_axis(drawn, tmp_path, values, scale):
    figures.sweep_figure(tmp_path / "sweep.png", of(values, "trainer.rate"), ["trainer.rate"])
    (axes,) = drawn[0].axes
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_xscale()) == ("rate", "F1", scale)
    pairs = sorted(zip(map(float, values), (0.5, 0.6, 0.7), strict=True))
    assert drawn_at(axes)[("o", COLOURS[0])] == [list(pair) for pair in pairs]


def test_an_interval_is_drawn_to_its_ends(drawn, tmp_path):
    rows = [{"job": 0, "model": "a", **FLAT}]
    figures.sweep_figure(tmp_path / "sweep.png", rows, ["model"])
    (axes,) = drawn[0].axes
    (bars,) = axes.collections
    ends = bars.get_segments()[0][:, 0]
    assert ends.tolist() == pytest.approx([0.98, 0.995])


def test_jobs_without_a_number_are_not_drawn(drawn, tmp_path):
    rows = [*of(["1", "2"]), {"job": 2, "model": "null", "error": "no"}]
    figures.sweep_figure(tmp_path / "sweep.png", rows, ["model"])
    points = drawn_at(drawn[0].axes[0])[("o", COLOURS[0])]
    assert len(points) == 2
    assert all(math.isfinite(value) for point in points for value in point)


def test_without_any_number_an_older_picture_goes(tmp_path):
    (tmp_path / "sweep.png").write_bytes(b"older")
    figures.sweep_figure(tmp_path / "sweep.png", [{"job": 0, "error": "no"}], [])
    assert list(tmp_path.iterdir()) == []
