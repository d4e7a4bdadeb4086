"""Names of version 0.1.0: refused with the new ones, and understood in what it has written."""

import copy
import sys

import pytest
import yaml

from deepcryopicker.app.hydra_app import command
from deepcryopicker.config.groups import SCHEMAS
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.registry import COMMANDS
from deepcryopicker.config.renamed import KEYS, OPTIONS, constants_in, find_key, up_to_date
from deepcryopicker.model.build import build_network
from deepcryopicker.model.cards import read_card
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.model.weights import CARD, Trained, load_weights, save_weights
from deepcryopicker.runs.manifest import MADE_BY, Finished, Manifest, deciding, refuse_another
from deepcryopicker.runs.saved_config import read_settings

OLD = {
    "seed": 0,
    "left_out": None,
    "micrographs_to_label": 12,
    "preprocessing": {"working_diameter": 24.0, "leave_out": "clip"},
    "labeler": {"seeds": {"refine": False, "selection": {"smallest_area": 0.5, "overlap": 0.6}}},
    "picker": {"most": 500, "largest_area": None, "labeler": {"split_clumps": True, "clusters": 4}},
    "baseline": {"least_share": 0.05, "picks": 100},
    "dataset": {"micrographs": ["a", {"most": 1}]},
}
NEW = {
    "seed": 0,
    "held_out_member": None,
    "max_label_micrographs": 12,
    "preprocessing": {"working_diameter": 24.0, "skip": "clip"},
    "labeler": {"seeds": {"selection": {"overlap": 0.6}}},
    "picker": {"max_picks": 500, "max_area": None, "labeler": {"clusters": 4}},
    "baseline": {"picks": 100},
    "dataset": {"micrographs": ["a", {"most": 1}]},
}


def fields_of(place):
    """Names of all fields in a place of the table, such as ``labeler``, in whichever schema."""
    schemas = SCHEMAS[place.replace("_", "-")].values() if place else COMMANDS.values()
    return {name for schema in schemas for name in schema.__dataclass_fields__}


@pytest.mark.parametrize("old", [key for key in KEYS if ".selection." not in key])
def test_a_new_name_is_a_key_and_an_old_one_is_none(old):
    place, _, name = old.rpartition(".")
    assert name not in fields_of(place)
    assert KEYS[old].key is None or KEYS[old].key in fields_of(place)


def test_options_that_are_gone_are_none_and_what_to_choose_is_one():
    for group, options in OPTIONS.items():
        names = {path.stem for path in (CONF_DIR / group).glob("*.yaml")}
        assert not names & set(options)
        assert names >= set(options.values())


def test_saved_configurations_get_the_new_names():
    old = copy.deepcopy(OLD)
    assert up_to_date(old) == NEW
    assert list(up_to_date(old)) == list(NEW)
    assert old == OLD
    assert up_to_date(NEW) == NEW
    assert up_to_date({"leave_out": "clip"}, "preprocessing") == {"skip": "clip"}


def test_a_value_that_is_no_longer_possible_stays():
    settings = {"labeler": {"refine": True, "clusters": 3}, "seed": 0}
    assert up_to_date(settings) == settings
    assert constants_in(settings) == ["labeler.refine"]


def test_a_labelers_keys_are_found_wherever_it_is():
    places = ("labeler", "labeler.seeds", "picker.labeler.seeds", "baseline.labeler")
    assert all(find_key(f"{place}.refine") == (None, False) for place in places)
    assert find_key("baseline.most") == ("max_picks", None)
    assert (
        find_key("most") is find_key("model.most") is find_key("labeler.selection.refine") is None
    )


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """Type a command that does nothing; gives the exit code, what is said, its configuration."""
    monkeypatch.chdir(tmp_path)
    given = []

    def nothing(config, run):
        given.append(config)

    def type_in(name, *arguments):
        given.clear()
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        code = command(nothing, name)
        return code, capsys.readouterr().err, given

    return type_in


@pytest.mark.parametrize(
    ("name", "override", "answer"),
    [
        (
            "train",
            "left_out=klh",
            "left_out is now called held_out_member: write held_out_member=klh",
        ),
        (
            "train",
            "micrographs_to_label=9",
            "micrographs_to_label is now called max_label_micrographs: "
            "write max_label_micrographs=9",
        ),
        (
            "pick",
            "picker.most=9",
            "picker.most is now called picker.max_picks: write picker.max_picks=9",
        ),
        (
            "pick",
            "+picker.largest_area=1",
            "picker.largest_area is now called picker.max_area: write picker.max_area",
        ),
        (
            "label",
            "preprocessing.leave_out=clip",
            "preprocessing.leave_out is now called preprocessing.skip: "
            "write preprocessing.skip=clip",
        ),
        (
            "train",
            "labeler.seeds.selection.smallest_area=0.4",
            "labeler.seeds.selection.smallest_area is no longer an option: "
            "it is always 0.5; remove it",
        ),
        (
            "label",
            "preprocessing=legacy_mrc",
            "preprocessing=legacy_mrc is no longer an option: write preprocessing=matlab",
        ),
    ],
)
def test_an_old_name_on_the_command_line_is_answered_in_a_line(typed, name, override, answer):
    code, said, _ = typed(name, override, "hydra.run.dir=run")
    assert (code, said) == (2, f"error: {answer}\n")


def as_version_0_1_0(settings):
    """Write a configuration of ``label`` as version 0.1.0 would have written it."""
    settings = copy.deepcopy(settings)
    settings["preprocessing"]["leave_out"] = settings["preprocessing"].pop("skip")
    settings["labeler"]["seeds"] |= {"refine": False, "smallest_component": 0.25}
    settings["labeler"]["seeds"]["selection"] |= {"smallest_area": 0.5, "largest_area": 1.6}
    return settings


def test_the_configuration_of_an_old_run_runs_again(typed, tmp_path):
    assert (
        typed("label", "dataset=simulated", "preprocessing.skip=clip", "hydra.run.dir=run")[0] == 0
    )
    path = tmp_path / "run" / "config.yaml"
    new = read_settings(path.parent)
    old = as_version_0_1_0(yaml.safe_load(path.read_text()))
    path.write_text(yaml.safe_dump(old, sort_keys=False))
    assert "leave_out" in path.read_text()
    assert read_settings(path.parent) == new
    again = ("--config-dir", "run", "--config-name", "config", "hydra.run.dir=again")
    code, said, (config,) = typed("label", *again)
    assert (code, said, config.preprocessing.skip) == (0, "", "clip")
    old["labeler"]["seeds"]["refine"] = True
    path.write_text(yaml.safe_dump(old, sort_keys=False))
    code, said, _ = typed("label", *again)
    assert (code, said.count("\n")) == (2, 1)
    assert "labeler.seeds.refine is no longer an option" in said


def test_picking_continues_in_a_folder_of_an_old_run(tmp_path):
    new = {"preprocessing": {"skip": None}, "picker": {"max_area": 0.2}, "redo": False}
    old = {"preprocessing": {"leave_out": None}, "picker": {"largest_area": 0.2, "most": None}}
    new["picker"]["max_picks"] = None
    Manifest(tmp_path, old, keep=True)
    refuse_another(tmp_path, new)
    assert Finished(tmp_path, deciding(new)).settings == old
    there = (tmp_path / MADE_BY).read_bytes()
    assert Manifest(tmp_path, deciding(new), keep=True).settings == old
    assert (tmp_path / MADE_BY).read_bytes() == there
    assert Manifest(tmp_path, deciding(new), keep=False).settings == deciding(new)


def test_weights_of_version_0_1_0_load(tmp_path):
    config = CompactConfig(widths=[2, 2, 3, 3, 3, 4])
    chain = {"working_diameter": 24.0, "model_input": "clip", "leave_out": None}
    network = build_network(config, 2).eval()
    save_weights(tmp_path, Trained(network, config, ("top", "background"), chain, 60.0, {}))
    assert "leave_out" in (tmp_path / CARD).read_text()
    assert load_weights(tmp_path).preprocessing == {
        "working_diameter": 24.0,
        "model_input": "clip",
        "skip": None,
    }
    assert load_weights("general").preprocessing["skip"] is None


def test_cards_of_old_rivals_are_read_too(tmp_path):
    (tmp_path / "rival.yaml").write_text(
        "preprocessing: {leave_out: null}\npicker: {name: pixer}\n"
    )
    card = read_card(tmp_path / "rival.yaml", "picker.weights")
    assert card == {"preprocessing": {"skip": None}, "picker": {"name": "pixer"}}
