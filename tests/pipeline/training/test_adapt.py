"""A held-out dataset: nothing of it is learnt from but, where adapted to, its pixels."""

import csv
import json

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from safetensors.torch import load_file

from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.dataset.schema import SimulatedConfig
from deepcryopicker.dataset.simulated import open_simulated
from deepcryopicker.errors import UsageError
from deepcryopicker.model.weights import WEIGHTS
from deepcryopicker.pipeline.inputs.open_dataset import open_catalogue
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.saved_config import as_primary
from deepcryopicker.train import train

pytestmark = pytest.mark.thorough

SHAPE = [512, 640]


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Overrides: two members of three micrographs each, and simulated ones beside them."""
    cache = tmp_path_factory.mktemp("simulated")
    overrides = [
        "+experiment=paper/leave_one_out",
        "~dataset.members.ribosome",
        "~dataset.members.beta_galactosidase",
        "dataset.simulated.kinds=[apoferritin]",
        "dataset.simulated.micrographs_per_kind=3",
        f"dataset.simulated.shape={SHAPE}",
        f"dataset.simulated.cache={cache}",
        "class_set.samples_per_class=40",
        "model.widths=[4,4,6,6,8,8]",
        "trainer.epochs=1",
        "trainer.epoch_windows=1",
        "trainer.device=cpu",
        "rounds=1",
        "logger=csv",
        "overlays=0",
    ]
    for seed, member in enumerate(("apoferritin", "klh"), start=1):
        settings = SimulatedConfig(member, ["apoferritin"], 3, SHAPE, seed=seed, cache=str(cache))
        first = open_simulated(settings, lambda jobs, _: jobs).entries[0]
        overrides += [
            f"dataset.members.{member}.micrographs={first.path.parent}",
            f"dataset.members.{member}.coordinates={first.truth.parent}",
            f"dataset.members.{member}.diameter=null",
            f"dataset.members.{member}.diameter_angstrom={first.diameter_angstrom}",
        ]
    return overrides


@pytest.fixture(scope="module")
def composed(given):
    registry.register()

    def compose_with(*overrides):
        with (
            pytest.MonkeyPatch.context() as patch,
            initialize_config_dir(str(CONF_DIR), version_base="1.3"),
        ):
            patch.setenv("DEEPCRYOPICKER_DATA", "/data")
            return compose("train", [*given, *overrides])

    return compose_with


@pytest.fixture(scope="module")
def adapted(composed, tmp_path_factory):
    """Run folder and metrics of a training that is adapted to klh."""
    folder = tmp_path_factory.mktemp("adapted")
    settings = composed("held_out_member=klh", "adapt=true", "picker.device=cpu")
    run = Run(folder, None, "run", OmegaConf.to_container(settings))
    train(registry.validated(settings), run)
    return folder, json.loads((folder / "metrics.json").read_text())


def micrographs(path):
    with path.open() as stream:
        return {row["micrograph"].partition("/")[0] for row in csv.DictReader(stream)}


def labelled(folder):
    return sorted(path.name for path in (folder / "labels").iterdir())


@pytest.mark.thorough
def test_only_the_held_out_member_is_picked_and_scored(adapted):
    folder, metrics = adapted
    assert sorted(path.name for path in (folder / "picks").iterdir()) == ["klh"]
    assert {row["micrograph"].partition("/")[0] for row in metrics["per_micrograph"]} == {"klh"}
    assert metrics["hits"] + metrics["missed"] > 0  # its truth is there to score with


@pytest.mark.thorough
def test_the_first_training_sees_all_others_and_the_second_the_held_out_one(adapted):
    folder, metrics = adapted
    assert labelled(folder) == ["apoferritin", "simulated"]
    assert labelled(folder / "adaptation") == ["klh"]
    assert micrographs(folder / "data.csv") == {"apoferritin", "simulated"}
    assert micrographs(folder / "adaptation" / "data.csv") == {"klh"}
    assert metrics["label_use"].endswith(" picks of others")
    assert [row["what"] for row in metrics["adaptation"]["labels"]] == ["klh"]


@pytest.mark.thorough
def test_both_weights_stay_and_no_checkpoints(adapted):
    folder, _ = adapted
    first, second = (load_file(place / WEIGHTS) for place in (folder, folder / "adaptation"))
    assert any(not torch.equal(first[key], second[key]) for key in first)
    assert list(folder.rglob("*.ckpt")) == []


def test_simulated_micrographs_are_groups_of_their_own(composed):
    catalogue = open_catalogue(registry.validated(composed("held_out_member=klh")).dataset)
    groups = dict.fromkeys(entry.group for entry in catalogue.entries)
    assert list(groups) == ["apoferritin", "klh", "simulated_apoferritin"]
    assert catalogue.entries[-1].name.startswith("simulated/apoferritin")
    assert len(catalogue.entries) == 9


def test_a_dataset_with_simulated_micrographs_composes_from_its_run(composed, tmp_path):
    settings = composed("held_out_member=klh")
    (tmp_path / "config.yaml").write_text(as_primary(settings))
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        again = compose("config", overrides=[f"hydra.searchpath=[{CONF_DIR}]"])
    assert again == settings


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["held_out_member=null", "adapt=true"], "adapt=true needs held_out_member"),
        (["held_out_member=ribosom", "adapt=true"], "held_out_member: "),
        (["held_out_member=klh", "held_out=0.5"], "held_out_member and held_out cannot be"),
        (["held_out_member=klh", "adapt=true", "picker=log"], "adapt=true trains a network"),
        (
            ["held_out_member=klh", "dataset.simulated.name=klh"],
            r"dataset\.simulated: its name, klh, is",
        ),
        (
            ["held_out_member=klh", "dataset.simulated=null", "~dataset.members.apoferritin"],
            "held_out_member=klh leaves no dataset",
        ),
    ],
)
def test_what_cannot_be_held_out_is_refused(composed, overrides, message):
    with pytest.raises(UsageError, match=f"^{message}"):
        registry.validated(composed(*overrides))


def test_a_single_dataset_has_no_member_to_hold_out():
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        settings = compose("train", ["held_out_member=klh"])
    with pytest.raises(UsageError, match=r"^held_out_member needs a dataset with members"):
        registry.validated(settings)
