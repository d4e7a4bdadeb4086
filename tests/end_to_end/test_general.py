"""The weights that come with the program: picks without any training, on what was never seen."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.weights import CARD, GENERAL, WEIGHTS, load_weights
from deepcryopicker.runs.manifest import content_of
from deepcryopicker.types import SHAPES, particle_classes

pytestmark = pytest.mark.thorough

FOLDER = Path(sys.modules[load_weights.__module__].__file__).parent / GENERAL
# In a cache of their own: other tests look for what is in the usual one.
SMALL = (
    "dataset.kinds=[ribosome]",
    "dataset.micrographs_per_kind=2",
    "dataset.shape=[600,700]",
    "dataset.cache=outputs/ribosomes",
)
# Average precision with the diameter alone, of the real micrographs here.
BARS = {"apoferritin": 0.95, "ribosome": 0.99, "klh": 0.85, "beta_galactosidase": 0.70}


def test_the_weights_are_small_and_their_card_describes_how_to_remake_them():
    assert sorted(path.name for path in FOLDER.iterdir()) == ["README.md", WEIGHTS, CARD]
    assert (FOLDER / WEIGHTS).stat().st_size < 5_000_000
    provenance = yaml.safe_load((FOLDER / CARD).read_text(encoding="utf-8"))["provenance"]
    assert (provenance["dataset"], provenance["seed"]) == ("varied", 0)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "`python -m deepcryopicker.train +experiment=general`" in readme
    for text in (readme, (FOLDER / CARD).read_text(encoding="utf-8")):
        assert re.search(r"(?<![\w.])/\w|\w:\\", text) is None  # no path of a machine


def test_they_know_every_shape_and_no_diameter():
    general = load_weights(GENERAL)
    assert general.diameter is None
    assert general.classes[: len(SHAPES)] == SHAPES
    assert len(particle_classes(general.classes)) == len(SHAPES)


def test_without_weights_the_general_ones_pick(shell):
    answer = shell("pick", *SMALL, run="zero_shot")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.count("picker.weights is not set: using the general weights") == 1
    assert answer.metrics["average_precision"] > 0.9
    assert answer.metrics["f1"] > 0.85
    named = shell("pick", "picker.weights=general", *SMALL, run="zero_shot_by_name")
    assert named.picks() == answer.picks()
    assert "is not set" not in named.out


def test_the_diameter_is_the_users_or_is_estimated(shell):
    shell("pick", *SMALL, run="zero_shot")
    (folder,) = (shell.folder / "outputs" / "ribosomes").glob("*/micrographs/ribosome_000.mrc")
    given = ["dataset=folder", f"dataset.micrographs={folder}"]
    for diameter in (60, 75):
        answer = shell("pick", *given, f"dataset.diameter={diameter}", run=f"given_{diameter}")
        assert (answer.code, answer.err) == (0, "")
        assert "estimat" not in answer.out
    answer = shell("pick", *given, run="estimated")
    assert answer.code == 0
    assert "particle diameter estimated at" in answer.out


def test_following_a_folder_needs_a_diameter(shell, tmp_path):
    given = ["dataset=folder", f"dataset.micrographs={tmp_path}", "watch=true"]
    answer = shell("pick", *given)
    assert answer.code == 2
    assert "set dataset.diameter=PIXELS or dataset.diameter_angstrom" in answer.err
    short = ("watching.idle=0.2", "watching.every=0.1")
    answer = shell("pick", *given, "dataset.diameter=60", *short, run="watched")
    assert "general weights" in answer.out


def test_their_content_is_part_of_what_made_the_picks(shell):
    answer = shell("pick", *SMALL, run="zero_shot")
    made_by = json.loads((answer.folder / "made_by.json").read_text(encoding="utf-8"))
    assert made_by["weights"] == content_of(FOLDER)


def test_another_preprocessing_than_theirs_is_refused(shell):
    answer = shell("pick", "preprocessing=matlab", *SMALL)
    assert answer.code == 2
    assert "leave preprocessing out" in answer.err


def test_training_starts_from_them(shell):
    short = (
        "trainer.epochs=1",
        "trainer.epoch_windows=1",
        "class_set.samples_per_class=32",
        "until=weights",
    )
    start = ("start_from=general", "model=context")
    answer = shell("train", *start, *SMALL, *short, run="from_general")
    assert (answer.code, answer.err) == (0, "")


@pytest.mark.thorough
def test_the_experiment_remakes_them(shell):
    """As small as it goes: what comes out is of the shipped weights' kind."""
    tiny = (
        "dataset=varied",  # as varied_structures, whose maps may be missing
        "dataset.count=8",
        "dataset.side=10",
        "trainer.crop_steps=4",
        "class_set.samples_per_class=40",
    )
    answer = shell("train", "+experiment=general", *tiny, run="remade")
    assert (answer.code, answer.err) == (0, "")
    assert "training on crops, 4 steps: done" in answer.out
    assert "epoch" not in answer.out
    assert not (answer.folder / "training.png").exists()
    made, shipped = load_weights(answer.folder), load_weights(GENERAL)
    assert made.diameter is None
    assert (made.config, made.classes) == (shipped.config, shipped.classes)
    # Cards of earlier versions lack keys that have a default now.
    assert chain_on(made.preprocessing, "made") == chain_on(shipped.preprocessing, "shipped")
    assert answer.metrics["average_precision"] is not None


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("dataset", BARS)
def test_real_micrographs_are_picked_without_training(real_data, tmp_path, monkeypatch, dataset):
    monkeypatch.setenv("DEEPCRYOPICKER_DATA", str(real_data.resolve()))
    command = [sys.executable, "-m", "deepcryopicker.pick", f"dataset={dataset}", "overlays=0"]
    subprocess.run([*command, f"hydra.run.dir={tmp_path}"], check=True, capture_output=True)
    metrics = yaml.safe_load((tmp_path / "metrics.json").read_text())
    assert metrics["average_precision"] >= BARS[dataset]
