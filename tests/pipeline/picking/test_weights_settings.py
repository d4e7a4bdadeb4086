"""What comes with weights: preprocessing, particle diameter and kind of picker."""

import dataclasses
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
import yaml

from deepcryopicker.config.schemas import PickConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import UsageError
from deepcryopicker.labeler.schema import LogConfig
from deepcryopicker.model.build import build_network
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.model.weights import GENERAL_FOLDER, Trained, save_weights
from deepcryopicker.picker.schema import DenseConfig, LabelerPickerConfig, SlidingConfig
from deepcryopicker.pipeline.picking.weights_settings import (
    general_weights,
    inherit,
    with_diameter_of,
)
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.rivals.learned.factory import build_rival
from deepcryopicker.rivals.learned.rival_weights import Learned, save
from deepcryopicker.rivals.learned.schema import Eman2Config, PixerConfig
from deepcryopicker.runs.folder import Run

STEPS = {"a": {"operation": "normalise"}, "n": {"operation": "standardise"}}
STORED = PreprocessingConfig(24.0, model_input="n", steps=STEPS)
OTHER = replace(STORED, working_diameter=30.0)
WIDTHS = [4, 4, 6, 6, 8, 8]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A network of random weights, trained at a diameter of 60 pixels as its card says."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    settings = CompactConfig(widths=WIDTHS)
    network = build_network(settings, 2).eval()
    chain = asdict(STORED)
    save_weights(folder, Trained(network, settings, ("top", "background"), chain, 60.0, {}))
    return folder


@pytest.fixture(scope="module")
def rival(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rival")
    torch.manual_seed(0)
    config = PixerConfig()
    save(folder, Learned(build_rival(config).eval(), config, asdict(STORED), 60.0, 10, {}))
    return folder


@pytest.fixture
def run(tmp_path):
    def typed(*given):
        return Run(tmp_path, None, "run", {}, given=given)

    return typed


def configure(picker, preprocessing=STORED):
    return PickConfig(picker=picker, preprocessing=preprocessing, dataset=None)


def catalogue(*diameters):
    entries = [
        Entry(f"m{index}", Path(f"m{index}.mrc"), f"g{index}", diameter)
        for index, diameter in enumerate(diameters)
    ]
    return Catalogue("all", tuple(entries))


def test_preprocessing_and_diameter_are_those_of_the_training(weights, run):
    """Not those of the configuration, as long as nobody has typed them."""
    config = configure(DenseConfig(weights=str(weights)), OTHER)
    trained, preprocessing, known = inherit(config, catalogue(None, 60.3), run("overlays=0"))
    assert trained.classes == ("top", "background")
    assert preprocessing == STORED
    assert [entry.diameter for entry in known.entries] == [60.0, 60.3]


def test_pictures_of_the_stages_are_the_users_choice(weights, run):
    wanted = replace(OTHER, save_stages=True)
    config = configure(DenseConfig(weights=str(weights)), wanted)
    given = run("preprocessing.save_stages=true")
    assert inherit(config, catalogue(60.0), given)[1] == replace(STORED, save_stages=True)


@pytest.mark.parametrize(
    ("typed", "preprocessing", "message"),
    [
        ("preprocessing.working_diameter=30", OTHER, r"working_diameter=30.*trained with 24"),
        (
            "preprocessing=other",
            replace(STORED, steps={**STEPS, "a": None}),
            r"preprocessing\.steps\.a\.operation=null.*leave preprocessing out",
        ),
        (
            "+preprocessing.steps.b.operation=normalise",
            replace(STORED, steps={**STEPS, "b": {"operation": "normalise"}}),
            r"preprocessing\.steps\.b\.operation=normalise.*trained with null",
        ),
    ],
)
def test_typed_preprocessing_other_than_the_trainings_is_refused(
    weights, run, typed, preprocessing, message
):
    config = configure(DenseConfig(weights=str(weights)), preprocessing)
    with pytest.raises(UsageError, match=message):
        inherit(config, catalogue(60.0), run(typed))


def test_typed_preprocessing_that_agrees_is_accepted(weights, run):
    config = configure(SlidingConfig(weights=str(weights)))
    given = run("preprocessing.working_diameter=24")
    assert inherit(config, catalogue(60.0), given)[1] == STORED


def test_a_picker_without_a_network_keeps_what_is_configured(run):
    config = configure(LabelerPickerConfig(labeler=LogConfig()), OTHER)
    whole = catalogue(None)
    assert inherit(config, whole, run()) == (None, OTHER, whole)


def test_a_rival_needs_weights_and_these_must_be_its_own(rival, run):
    with pytest.raises(UsageError, match=r"picker\.weights is missing"):
        inherit(configure(PixerConfig()), catalogue(60.0), run())
    config = configure(Eman2Config(weights=str(rival)))
    with pytest.raises(UsageError, match=r"picker=eman2, but .* was trained with picker=pixer"):
        inherit(config, catalogue(60.0), run())
    learned, preprocessing, _ = inherit(
        configure(PixerConfig(weights=str(rival)), OTHER), catalogue(60.0), run()
    )
    assert (type(learned), preprocessing) == (Learned, STORED)


def test_a_damaged_preprocessing_is_refused_with_the_name_of_its_card(weights, run, tmp_path):
    for path in weights.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    card = yaml.safe_load((tmp_path / "model.yaml").read_text())
    card["preprocessing"]["working_diameter"] = 4
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(card))
    config = configure(DenseConfig(weights=str(tmp_path)))
    with pytest.raises(UsageError, match=r"model\.yaml of .* damaged preprocessing"):
        inherit(config, catalogue(60.0), run())


@pytest.mark.parametrize(("diameter", "doubted"), [(60.5, False), (59.5, False), (63.0, True)])
def test_a_given_diameter_is_used_with_a_warning_if_it_is_another(
    weights, run, diameter, doubted, capsys
):
    config = configure(DenseConfig(weights=str(weights)))
    assert inherit(config, catalogue(diameter), run())[2] == catalogue(diameter)
    said = "diameter, 63 pixels, is used, but the weights were trained at 60 pixels; to pick at"
    assert capsys.readouterr().out.count(said) == doubted


def in_angstrom(weights, folder, **card):
    """The same weights, whose card has a diameter in Angstrom as well."""
    for path in weights.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    known = yaml.safe_load((folder / "model.yaml").read_text()) | card
    (folder / "model.yaml").write_text(yaml.safe_dump(known))
    return configure(DenseConfig(weights=str(folder)))


def of_size(pixel_size, **options):
    return Catalogue("all", (Entry("m", Path("m.mrc"), "g", pixel_size=pixel_size, **options),))


@pytest.mark.parametrize(
    ("pixel_size", "picked", "said"),
    [
        (2.0, 60.0, None),
        (2.0000002, 60.0, None),
        (4.0, 30.0, "trained at 60 pixels, picked at 30 pixels (120 Angstrom), because the"),
        (1.5, 80.0, "picked at 80 pixels"),
        (None, 60.0, "no pixel size is known, so particles are picked at 60 pixels as in training"),
    ],
)
def test_particles_keep_their_size_in_angstrom(
    weights, run, tmp_path, capsys, pixel_size, picked, said
):
    config = in_angstrom(weights, tmp_path, diameter_angstrom=120.0)
    _, _, known = inherit(config, of_size(pixel_size), run())
    assert known.entries[0].diameter_at(pixel_size) == pytest.approx(picked, rel=1e-9)
    out = capsys.readouterr().out
    assert out == "" if said is None else said in out and out.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "doubt"),
    [
        ({"diameter": 30.0}, None),
        ({"diameter_angstrom": 120.5}, None),
        (
            {"diameter": 60.0},
            "60 pixels (240 Angstrom), is used, but the weights were trained at",
        ),
        ({"diameter_angstrom": 240.0}, "60 pixels (240 Angstrom), is used"),
    ],
)
def test_a_given_diameter_is_compared_in_angstrom(weights, run, tmp_path, capsys, given, doubt):
    config = in_angstrom(weights, tmp_path, diameter_angstrom=120.0)
    whole = of_size(4.0, **given)
    assert inherit(config, whole, run())[2] == whole
    out = capsys.readouterr().out
    assert out == "" if doubt is None else doubt in out


def test_weights_of_several_pixel_sizes_know_their_diameter_in_angstrom(
    weights, run, tmp_path, capsys
):
    config = in_angstrom(weights, tmp_path, diameter=None, diameter_angstrom=120.0)
    _, _, known = inherit(config, of_size(3.0), run())
    assert known.entries[0].diameter_at(3.0) == pytest.approx(40.0)
    assert "trained at several pixel sizes, picked at 40 pixels" in capsys.readouterr().out


def test_a_card_of_version_0_1_0_has_pixels_only(weights, run, tmp_path):
    config = in_angstrom(weights, tmp_path)
    card = yaml.safe_load((tmp_path / "model.yaml").read_text())
    del card["diameter_angstrom"]
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(card))
    _, _, known = inherit(config, of_size(4.0), run())
    assert known.entries[0].diameter_at(4.0) == 60.0


@pytest.mark.parametrize("damaged", [-3.0, 0.0, float("inf"), "wide", [1]])
def test_a_damaged_diameter_in_angstrom_is_refused(weights, run, tmp_path, damaged):
    config = in_angstrom(weights, tmp_path, diameter_angstrom=damaged)
    with pytest.raises(UsageError, match=r"model\.yaml is not a model card"):
        inherit(config, of_size(4.0), run())


def test_weights_for_every_diameter_give_none():
    trained = Trained(None, CompactConfig(), ("top", "background"), {}, None, {})
    whole = catalogue(None, 90.0)
    assert with_diameter_of(trained, whole) == whole


@pytest.mark.parametrize("kind", [DenseConfig, SlidingConfig])
def test_without_weights_a_network_picks_with_the_general_ones(kind):
    assert general_weights(kind()) == general_weights(kind(weights="general")) == GENERAL_FOLDER
    assert general_weights(kind(weights="runs/mine")) is None


def test_other_pickers_have_no_general_weights():
    assert general_weights(LabelerPickerConfig(labeler=LogConfig())) is None
    assert general_weights(PixerConfig()) is None


def test_the_configuration_itself_is_left_alone(weights, run):
    config = configure(DenseConfig(weights=str(weights)), OTHER)
    before = dataclasses.asdict(config)
    inherit(config, catalogue(None), run())
    assert dataclasses.asdict(config) == before
