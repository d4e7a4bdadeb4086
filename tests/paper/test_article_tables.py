"""Tables that `train` shows without training anything."""

import csv
import json

import cv2
import numpy as np
import pytest
import torch

from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.config.schemas import STOPS, TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import NothingUsableError
from deepcryopicker.model.build import build_network
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.paper import article_tables
from deepcryopicker.paper.article_tables import describe
from deepcryopicker.pipeline.inputs.training_input import TrainingInput
from deepcryopicker.runs.folder import Run

CLASSES = ClassSetConfig(["top", "side", "background"])


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, None, "run", {"seed": 0})


def configure(until, **others):
    return TrainConfig(
        until=until, class_set=CLASSES, model=CompactConfig(), **{"dataset": None, **others}
    )


def rows(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(
    "until", [stop for stop in STOPS if stop not in ("scales", "network", "speed")]
)
def test_a_stop_that_needs_work_is_left_to_it(run, until):
    assert not describe(configure(until), run)
    assert list(run.folder.iterdir()) == []


def test_the_parameters_of_the_layers_are_those_of_the_network(run, capsys):
    assert describe(configure("network"), run)
    table = rows(run.folder / "layers.csv")
    network = build_network(CompactConfig(), 3)
    expected = sum(one.numel() for one in network.parameters())
    assert sum(int(row["parameters"] or 0) for row in table) == expected
    assert json.loads((run.folder / "metrics.json").read_text())["parameters"] == expected
    assert "layers for 3 classes: top, side, background" in capsys.readouterr().out
    assert torch.get_default_device().type != "meta"  # only within


def test_the_scales_are_printed_and_written(run, capsys, monkeypatch, tmp_path):
    path = tmp_path / "m.png"
    cv2.imwrite(str(path), np.zeros((1200, 1240), np.uint8))
    catalogue = Catalogue("paper", (Entry("m", path, "apoferritin", 60.0),))
    given = TrainingInput.whole(catalogue)
    monkeypatch.setattr(article_tables, "open_training_input", lambda *_: given)
    measured = {"apoferritin": (60.0, {"top": 94.0})}
    monkeypatch.setattr(article_tables, "measure_patches", lambda *_: measured)
    config = configure("scales", preprocessing=None, labeler=None)
    assert describe(config, run, catalogue)
    (row,) = rows(run.folder / "scales.csv")
    assert float(row["factor"]) == 2.375
    assert row["scaled_micrograph"] == "2946x2850"
    written = json.loads((run.folder / "metrics.json").read_text())["scales"]
    assert written["apoferritin, top"]["factor"] == 2.375
    assert "2.375" in capsys.readouterr().out


def test_no_scale_is_made_up_where_nothing_is_found(run, monkeypatch):
    given = TrainingInput.whole(Catalogue("paper", ()))
    monkeypatch.setattr(article_tables, "open_training_input", lambda *_: given)
    monkeypatch.setattr(article_tables, "measure_patches", lambda *_: {})
    with pytest.raises(NothingUsableError, match="found no particles to measure"):
        describe(configure("scales", preprocessing=None, labeler=None), run)


def test_the_speed_is_that_of_the_configured_network(run, monkeypatch):
    seen = []
    monkeypatch.setattr(article_tables, "prepare_network", lambda config: ("network", config))
    monkeypatch.setattr(article_tables, "show_speed", lambda *given: seen.append(given))
    config = configure("speed")
    assert describe(config, run)
    assert seen == [(config, run, ("network", config))]
