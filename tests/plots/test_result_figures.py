"""Figures are written, reproducible and show what they were given; tables hold the numbers."""

import csv
import io

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from deepcryopicker.evaluation.metrics import Curve
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.plots import result_figures as figures
from deepcryopicker.plots.result_figures import (
    precision_recall_figure,
    sample_sheet,
    training_figure,
)
from deepcryopicker.plots.result_tables import make_table, score_table
from deepcryopicker.types import TrainingSet

CURVE = Curve(np.array([0.9, 0.6, 0.2]), np.array([1.0, 0.8, 0.5]), np.array([0.2, 0.5, 0.7]))
EMPTY = Curve(np.zeros(0), np.zeros(0), np.zeros(0))


@pytest.fixture
def drawn(monkeypatch):
    """Collect the figures instead of writing them."""
    kept = []
    monkeypatch.setattr(figures, "save_figure", lambda figure, path: kept.append(figure))
    return kept


def training_set(count: int = 40, size: int = 16) -> TrainingSet:
    windows = np.random.default_rng(0).normal(0, 1, (count, size, size)).astype(np.float32)
    target = np.where(np.arange(count) % 4 == 3, 2, 0)  # the class in the middle is empty
    split = np.array(["train", "validation", "test"])[np.arange(count) % 3]
    heat = np.eye(3, dtype=np.float32)[target]
    number, group = np.arange(count), np.full(count, "a")
    return TrainingSet(
        windows, target, heat, split, group, number, number, ("top", "side", "background")
    )


def test_same_numbers_same_file(tmp_path):
    for name in ("a.png", "b.png"):
        precision_recall_figure(tmp_path / name, {"ours": CURVE, "theirs": EMPTY})
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.info.keys() <= {"dpi", "Software"}
        assert min(image.size) > 400
    assert len(list(tmp_path.iterdir())) == 2


def test_curve_and_mark(drawn, tmp_path):
    precision_recall_figure(tmp_path / "pr.png", {"ours": CURVE}, threshold=0.5)
    lines = drawn[0].axes[0].get_lines()
    (curve,) = [line for line in lines if line.get_label() == "ours"]
    np.testing.assert_allclose(curve.get_xydata(), np.column_stack([CURVE.recall, CURVE.precision]))
    marks = [line for line in lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert [mark.get_xydata().tolist() for mark in marks] == [[[0.5, 0.8]]]


def test_a_threshold_for_each_curve(drawn, tmp_path):
    curves = {"ours": CURVE, "theirs": CURVE, "without": CURVE}
    levels = {"ours": 0.5, "theirs": float(CURVE.threshold[0])}
    precision_recall_figure(tmp_path / "pr.png", curves, levels)
    lines = drawn[0].axes[0].get_lines()
    marks = [line for line in lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert [mark.get_xydata().tolist() for mark in marks] == [
        [[0.5, 0.8]],
        [[CURVE.recall[0], CURVE.precision[0]]],
    ]


def test_no_curves_and_unreached_threshold(tmp_path):
    precision_recall_figure(tmp_path / "none.png", {}, threshold=None)
    precision_recall_figure(tmp_path / "high.png", {"ours": CURVE}, threshold=0.95)
    assert len(list(tmp_path.iterdir())) == 2


def test_training_curves_skip_empty_cells_and_sort_into_panels(drawn, tmp_path):
    rows = [
        {
            "epoch": "0",
            "train_loss": "2.0",
            "val_loss": "",
            "val_acc": "",
            "lr": "1e-3",
            "note": "x",
        },
        {"epoch": "1", "train_loss": "1.0", "val_loss": "1.5", "val_acc": "0.7", "lr": "1e-4"},
    ]
    training_figure(tmp_path / "training.png", rows)
    panels = {
        axes.get_title(): {
            line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()
        }
        for axes in drawn[0].axes
    }
    assert panels == {
        "Loss": {"train_loss": [[0, 2], [1, 1]], "val_loss": [[1, 1.5]]},
        "Score": {"val_acc": [[1, 0.7]]},
        "Learning rate": {"lr": [[0, 1e-3], [1, 1e-4]]},
    }


@pytest.mark.parametrize(
    ("rows", "points"),
    [
        ([], []),
        ([{"epoch": 0, "loss": 1.0}], [[[0, 1.0]]]),
        ([{"loss": float("nan")}], []),
    ],
)
def test_hardly_any_training_is_an_almost_empty_panel_of_losses(drawn, tmp_path, rows, points):
    training_figure(tmp_path / "training.png", rows)
    (axes,) = drawn[0].axes
    assert axes.get_title() == "Loss"
    assert [line.get_xydata().tolist() for line in axes.get_lines()] == points
    drawn[0].canvas.draw()  # nothing about so few points stops Matplotlib


def test_sample_sheet_shows_each_class_that_has_windows(drawn, tmp_path):
    sample_sheet(tmp_path / "samples.png", training_set(), per_class=5)
    top, background = drawn[0].axes
    assert top.get_title(loc="left") == "top: 30 (10 train, 10 validation, 10 test)"
    assert background.images[0].get_array().shape == (16, 5 * 18 - 2)
    shown = np.asarray(top.images[0].get_array())[:, :16]
    first = training_set().windows[0]
    assert np.corrcoef(shown.ravel(), first.ravel())[0, 1] > 0.98


def test_sample_sheet_is_written(tmp_path):
    sample_sheet(tmp_path / "samples.png", training_set())
    with Image.open(tmp_path / "samples.png") as image:
        assert image.size[0] > image.size[1] > 200


def text_of(table) -> str:
    stream = io.StringIO()
    Console(file=stream, width=100).print(table)
    return stream.getvalue()


def test_score_table_shows_only_known_columns():
    rows = [{"what": "a[1]", "picks": 12, "precision": 0.5, "recall": 0.25, "snr": None}]
    text = text_of(score_table(rows, total={"what": "all", "picks": 12, "precision": 1 / 3}))
    head, first, last = (line.split() for line in text.splitlines() if any(map(str.isalnum, line)))
    assert head == ["Picks", "Precision", "Recall"]
    assert first == ["a[1]", "12", "0.500", "0.250"]
    assert last == ["all", "12", "0.333"]


def test_table_without_rows():
    assert "Score" in text_of(make_table([], {"score": "Score"}))


def test_rows_survive_csv(tmp_path):
    rows = [
        {"name": '=cmd|"x", y', "score": 0.1 + 0.2, "other": 1},
        {"name": "-a\nb", "score": None},
        {"name": "@ü"},
    ]
    write_rows(tmp_path / "new" / "rows.csv", rows, ["score", "name"])
    with (tmp_path / "new" / "rows.csv").open(newline="", encoding="utf-8") as stream:
        back = list(csv.DictReader(stream))
    assert list(back[0]) == ["score", "name"]
    assert [row["name"] for row in back] == ['=cmd|"x", y', "-a\nb", "@ü"]
    assert [row["score"] for row in back] == ["0.30000000000000004", "", ""]
