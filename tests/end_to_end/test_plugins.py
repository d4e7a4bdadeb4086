"""Components from outside the package: installed, or named on the command line."""

import csv
import dataclasses
import os
import sys
from pathlib import Path

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.plugins import announced, plugin_modules

EXAMPLE = Path(__file__).parents[2] / "examples" / "threshold_labeler.py"
# One of every kind of component, as a user would write them.
MODULE = '''
from dataclasses import dataclass

import numpy as np
from torch import nn

from deepcryopicker.dataset.schema import FolderConfig
from deepcryopicker.model.network import Network
from deepcryopicker.picker.schema import FunctionPickerConfig
from deepcryopicker.plugins import dataset, metric, network, operation, picker
from deepcryopicker.types import Picks


@dataclass
class GridConfig(FunctionPickerConfig):
    """Keys.

    Attributes
    ----------
    step : float
        Distance of neighbours, diameters.
    """

    step: float = 1.0


@picker("grid", GridConfig)
def grid(preprocessed, config):
    height, width = preprocessed.micrograph.image.shape
    step = config.step * preprocessed.diameter
    x, y = np.meshgrid(np.arange(step, width - step, step), np.arange(step, height - step, step))
    return Picks.create(x.ravel(), y.ravel(), 0.9, diameter=preprocessed.diameter)


@dataclass
class TinyConfig:
    channels: int = 4


@network("tiny", TinyConfig)
class Tiny(Network):
    def __init__(self, config, classes):
        super().__init__()
        self.window, self.stride = 23, 2
        self.layers = nn.Sequential(
            nn.Conv2d(1, config.channels, 5, 2), nn.ReLU(), nn.Conv2d(config.channels, classes, 10)
        )

    def forward(self, image):
        return self.layers(image)


@dataclass
class MineConfig(FolderConfig):
    micrographs: str = ""
    root: str = ""


@dataset("mine", MineConfig)
def mine(config):
    return FolderConfig(
        name="mine",
        micrographs=f"{config.root}/micrographs",
        coordinates=f"{config.root}/coordinates",
        diameter=75.0,
    )


@metric("picks_a_micrograph")
def picks_a_micrograph(evaluated, threshold):
    return sum((one.picks.score >= threshold).sum() for one in evaluated) / len(evaluated)


@operation("negative")
def negative(image, times=1.0):
    return -times * image
'''


@pytest.fixture
def clean(monkeypatch):
    """No plugin is left behind by a test."""
    from deepcryopicker.config.groups import SCHEMAS
    from deepcryopicker.config.registry import register

    monkeypatch.delenv(plugin_modules.VARIABLE, raising=False)
    kept = {group: dict(found) for group, found in announced._options.items()}
    functions = {kind: dict(found) for kind, found in announced._functions.items()}
    loaded, schemas = (
        dict(plugin_modules._loaded),
        {group: dict(one) for group, one in SCHEMAS.items()},
    )
    yield
    os.environ.pop(plugin_modules.VARIABLE, None)
    for old, now in (
        (kept, announced._options),
        (functions, announced._functions),
        (schemas, SCHEMAS),
    ):
        for key, content in old.items():
            now[key].clear()
            now[key].update(content)
    plugin_modules._loaded.clear()
    plugin_modules._loaded.update(loaded)
    register()


@pytest.fixture
def installed(tmp_path, monkeypatch, clean):
    """The example as an installed package in a folder of its own."""
    folder = tmp_path / "site"
    (folder / "my_labeler-1.0.dist-info").mkdir(parents=True)
    (folder / "my_labeler.py").write_text(EXAMPLE.read_text())
    (folder / "my_labeler-1.0.dist-info" / "METADATA").write_text(
        "Name: my-labeler\nVersion: 1.0\n"
    )
    (folder / "my_labeler-1.0.dist-info" / "entry_points.txt").write_text(
        "[deepcryopicker.plugins]\nthreshold = my_labeler\n"
    )
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "my_labeler", raising=False)
    return folder


@pytest.fixture
def module(tmp_path, clean):
    path = tmp_path / "mine.py"
    path.write_text(MODULE)
    return path


@pytest.fixture
def given(with_coordinates):
    return [
        *with_coordinates,
        "overlays=0",
    ]


def test_the_example_is_short():
    assert len(EXAMPLE.read_text().splitlines()) <= 40


def test_an_installed_labeler_labels_sweeps_and_resumes(shell, installed, given):
    typed = [*given, "labeler=threshold", "labeler.deviations=0.5,0.9"]
    answer = shell("label", *typed, run="plugin_sweep", sweep=True)
    assert (answer.code, answer.err) == (0, "")
    with (answer.folder / "sweep.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert all(float(row["labels.folder.f1"]) > 0.2 for row in rows)
    again = shell("label", *typed, run="plugin_sweep", sweep=True)
    assert "all jobs had already finished" in again.out
    assert answer.code == again.code == 0


def test_an_installed_labeler_picks_and_is_on_the_page(shell, installed, given):
    typed = [*given, "picker=auto", "labeler@picker.labeler=threshold"]
    answer = shell("pick", *typed, run="plugin_pick")
    assert (answer.code, answer.err) == (0, "")
    assert answer.metrics["f1"] > 0.3
    assert list(answer.metrics["provenance"]["plugins"]) == ["my_labeler"]
    again = shell("pick", *typed, run="plugin_pick")
    assert "already finished" in again.out
    page = shell("report", f"report.runs=[{answer.folder}]", run="plugin_page")
    assert page.code == 0
    assert "plugin_pick" in (page.folder / "report.html").read_text()


def test_a_labeler_of_a_plugin_trains_a_network(shell, installed, given):
    short = ["trainer.epochs=2", "trainer.epoch_windows=200", "class_set.samples_per_class=40"]
    typed = [*given, *short, "labeler=threshold", "logger=csv", "baseline=null"]
    answer = shell("train", *typed, run="plugin_train")
    assert (answer.code, answer.err) == (0, "")


def test_every_kind_of_component_may_come_from_a_file(shell, module, simulated):
    typed = [f"plugins={module}", "dataset=mine", f"dataset.root={simulated}", "overlays=0"]
    step = "+preprocessing.steps.twice={operation: negative, times: -2.0}"
    picked = shell("pick", *typed, step, "picker=grid", "picker.step=2", run="plugin_grid")
    assert (picked.code, picked.err) == (0, "")
    metrics = picked.metrics
    assert metrics["metrics"]["picks_a_micrograph"] == metrics["picks"] / 3
    short = ["trainer.epochs=2", "trainer.epoch_windows=200", "class_set.samples_per_class=40"]
    trained = shell(
        "train", *typed, *short, "model=tiny", "logger=csv", "baseline=null", run="plugin_network"
    )
    assert (trained.code, trained.err) == (0, "")
    weights = f"picker.weights={trained.folder}"
    again = shell("pick", *typed, weights, run="plugin_weights")
    assert again.picks() == trained.picks()


def test_its_options_are_among_those_that_are_offered(shell, module, given):
    answer = shell("pick", f"plugins={module}", *given, "picker=grit", run="plugin_typo")
    assert answer.code == 2
    assert "grid" in answer.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no such file"),
        ("1 / 0", "cannot be loaded: ZeroDivisionError: division by zero"),
        ("def f(:", "cannot be loaded: SyntaxError"),
        (
            "from deepcryopicker.plugins import labeler\nlabeler('a b', int)(print)",
            "the name of a labeler must be a word",
        ),
        (
            "from deepcryopicker.plugins import labeler\nlabeler('spots', int)(print)",
            "the schema of labeler=spots must be a dataclass",
        ),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_refused(shell, clean, tmp_path, text, said):
    path = tmp_path / "broken.py"
    if text is not None:
        path.write_text(text)
    answer = shell("label", f"plugins={path}", run="plugin_broken")
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) <= 2


def test_an_option_of_the_program_is_not_replaced(shell, clean, tmp_path):
    path = tmp_path / "again.py"
    path.write_text(EXAMPLE.read_text().replace('"threshold", T', '"log", T'))
    answer = shell("label", f"plugins={path}", run="plugin_again")
    assert answer.code == 2
    assert "labeler=log is an option of the program" in answer.err


def test_two_plugins_may_not_share_a_name(clean):
    first, second = (dataclasses.make_dataclass(name, []) for name in ("First", "Second"))
    announced.labeler("same", first)(print)
    with pytest.raises(UsageError, match="two options labeler=same"):
        announced.labeler("same", second)


def test_a_configuration_cannot_name_a_plugin(shell, clean, module, given):
    folder = module.parent / "conf"
    folder.mkdir()
    (folder / "evil.yaml").write_text(f"# @package _global_\nplugins: {module}\n")
    answer = shell(
        "pick",
        *given,
        "picker=log",
        f"hydra.searchpath=[{folder}]",
        "+evil=evil",
        run="plugin_evil",
    )
    assert answer.code != 0
    assert announced.options("picker") == {}
