"""A network trained from Python is the one that the command trains."""

import os
import random

import mrcfile
import numpy as np
import pytest
import torch

import deepcryopicker as d
from deepcryopicker import __main__ as program
from deepcryopicker.errors import NothingUsableError, UsageError
from deepcryopicker.model.schema import CompactConfig

from .common import simulated

DIAMETER = 59.1
TRAINER = {"epochs": 2, "epoch_windows": 200, "device": "cpu"}
CLASS_SET = {"samples_per_class": 48}
BRIEF = {"trainer": TRAINER, "class_set": CLASS_SET, "picker": {"device": "cpu"}}
TYPED = (
    *(f"trainer.{key}={value}" for key, value in TRAINER.items()),
    *(f"class_set.{key}={value}" for key, value in CLASS_SET.items()),
    *("picker.device=cpu", "baseline=null", "overlays=0", "logger=csv"),
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Three micrographs and their particles in files."""
    folder = tmp_path_factory.mktemp("dataset")
    for seed in (1, 2, 3):
        micrograph, particles = simulated(seed)
        (folder / "micrographs").mkdir(exist_ok=True)
        with mrcfile.new(folder / "micrographs" / f"{seed}.mrc") as file:
            file.set_data(micrograph.image)
        d.write_coordinates(folder / "coordinates" / f"{seed}.csv", particles)
    return folder


def files_of(dataset):
    micrographs = sorted((dataset / "micrographs").iterdir())
    truth = [d.read_coordinates(path) for path in sorted((dataset / "coordinates").iterdir())]
    return micrographs, truth


def trained_by_the_command(dataset, folder, *overrides):
    where = (f"dataset.micrographs={dataset / 'micrographs'}", f"hydra.run.dir={folder}")
    given = (*where, f"dataset.diameter={DIAMETER}", *TYPED, *overrides)
    assert program.main(["train", "dataset=folder", *given]) == 0
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.thorough
def test_given_particles_make_the_weights_of_the_command(dataset, tmp_path, monkeypatch):
    """Two rounds, the second with its false picks as contaminants; calibrated alike."""
    monkeypatch.chdir(tmp_path)
    micrographs, truth = files_of(dataset)
    weights = d.train_network(micrographs, truth, diameter=DIAMETER, **BRIEF)
    ours = d.save_weights(tmp_path / "ours", weights).read_bytes()
    coordinates = f"dataset.coordinates={dataset / 'coordinates'}"
    theirs = trained_by_the_command(dataset, tmp_path / "run", "labeler=truth", coordinates)
    assert ours == theirs
    stored = d.load_weights(tmp_path / "run")
    assert weights.calibration == stored.calibration
    assert weights.diameter == stored.diameter == DIAMETER
    assert weights.provenance["patches"] == stored.provenance["patches"]
    again = d.load_weights(tmp_path / "ours")
    picks = [d.pick_micrograph(micrographs[0], one, candidates=True) for one in (weights, again)]
    assert len(picks[0]) > 10
    np.testing.assert_array_equal(picks[0].score, picks[1].score)


@pytest.mark.thorough
def test_found_particles_make_the_weights_of_the_command(dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    micrographs, _ = files_of(dataset)
    found = d.find_particles(micrographs, diameter=DIAMETER, labeler="log")
    weights = d.train_network(micrographs, found, diameter=DIAMETER, **BRIEF)
    ours = d.save_weights(tmp_path / "ours", weights).read_bytes()
    assert ours == trained_by_the_command(dataset, tmp_path / "run", "labeler=log")


def test_arrays_train_and_nothing_of_the_caller_is_disturbed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pairs = [simulated(seed) for seed in (1, 2, 3)]
    images = [micrograph.image for micrograph, _ in pairs]
    truth = [particles for _, particles in pairs]

    def state():
        return (
            random.getstate(),
            np.random.get_state()[1].tolist(),
            torch.get_rng_state().tolist(),
            dict(os.environ),
        )

    train_network = d.train_network  # the import of Lightning sets variables of its own
    before = state()
    brief = {**BRIEF, "trainer": {**TRAINER, "epochs": 1}, "rounds": 1}
    weights = train_network(images, truth, **brief)
    assert state() == before
    assert capsys.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
    assert weights.diameter == pytest.approx(np.median(truth[0].diameter))
    assert weights.config == CompactConfig()
    with pytest.raises(UsageError, match="start_from=general: these weights were trained with"):
        d.train_network(images, truth, start_from="general", model={"dropout": 0.5}, **brief)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([d.Picks.empty()], "labels has 1 sets of particles for 2 micrographs; give one for each"),
        (d.Picks.empty(), "labels has 1 sets of particles for 2 micrographs"),
        ([d.Picks.empty(), None], "labels must all be Picks, or all Candidates, got NoneType"),
        (
            [d.Picks.create([1e4] * 3, [1.0] * 3), d.Picks.empty()],
            r"labels\[0\]: 3 of 3 positions lie outside the image of 448x384 pixels",
        ),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    images = [simulated(seed)[0].image for seed in (1, 2)]
    with pytest.raises(UsageError, match=f"^{message}"):
        d.train_network(images, labels, diameter=DIAMETER)


def test_nothing_is_trained_without_particles():
    images = [simulated(seed)[0].image for seed in (1, 2, 3)]
    with pytest.raises(NothingUsableError, match="no particles"):
        d.train_network(images, [d.Picks.empty()] * 3, diameter=DIAMETER)
