"""Weights survive the disk; files that are damaged or hostile are refused and never run."""

import pickle
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from deepcryopicker.errors import UsageError
from deepcryopicker.model.build import build_network
from deepcryopicker.model.schema import CompactConfig, ConvolutionalConfig, TimmConfig
from deepcryopicker.model.weights import CARD, WEIGHTS, Trained, load_weights, save_weights
from deepcryopicker.types import UNCALIBRATED, Calibration

CLASSES = ("top", "background")
SMALL = CompactConfig(widths=[2, 2, 3, 3, 3, 4])
STACK = ConvolutionalConfig(16, [3, 4], [5, 3], [1, 1], [0, 1], [2, 0], [2, 0], [6], "sigmoid")


def trained(config=SMALL):
    torch.manual_seed(0)
    return Trained(
        build_network(config, len(CLASSES)).eval(),
        config,
        CLASSES,
        {"working_diameter": 24, "steps": {"n": {"operation": "normalise"}}},
        61.5,
        {"seed": 3},
    )


@pytest.fixture
def folder(tmp_path):
    """Weights whose card has no checksum, so that other checks have their turn."""
    save_weights(tmp_path, trained())
    change_card(tmp_path, sha256=None)
    return tmp_path


def change_card(folder, **changes):
    card = yaml.safe_load((folder / CARD).read_text())
    card.update(changes)
    (folder / CARD).write_text(yaml.safe_dump(card))


class Malice:
    """Touch a file when unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("config", [SMALL, STACK, TimmConfig(window=32)])
def test_round_trip(tmp_path, config):
    before = trained(config)
    path = save_weights(tmp_path, before)
    assert path == tmp_path / WEIGHTS
    window = torch.randn(3, 1, before.network.window, before.network.window)
    for given in (tmp_path, path):
        after = load_weights(given)
        with torch.inference_mode():
            torch.testing.assert_close(after.network(window), before.network(window))
        assert not after.network.training
        for field in ("config", "classes", "preprocessing", "diameter", "provenance"):
            assert getattr(after, field) == getattr(before, field)


def test_temperature_is_saved_with_the_weights(tmp_path):
    before = trained()
    before.network.temperature.fill_(1.75)
    save_weights(tmp_path, before)
    assert load_weights(tmp_path).network.temperature.item() == 1.75


def test_calibration_is_on_the_card(tmp_path):
    curve = Calibration(0.1 + 0.2, -1 / 3)
    save_weights(tmp_path, replace(trained(), calibration=curve))
    assert load_weights(tmp_path).calibration == curve
    card = yaml.safe_load((tmp_path / CARD).read_text())
    assert card["calibration"] == {"slope": 0.1 + 0.2, "intercept": -1 / 3}


def test_card_without_calibration_changes_no_scores(folder):
    card = yaml.safe_load((folder / CARD).read_text())
    del card["calibration"]
    (folder / CARD).write_text(yaml.safe_dump(card))
    assert load_weights(folder).calibration == UNCALIBRATED


@pytest.mark.parametrize(
    "calibration",
    [
        {"slope": 0.0, "intercept": 0.0},
        {"slope": -1.0, "intercept": 0.0},
        {"slope": float("inf")},
        {"slope": float("nan")},
        {"intercept": float("nan")},
        {"intercept": float("-inf")},
        {"slope": "steep"},
        {"slope": None},
        {"slope": [1.0]},
        {"slope": 1.0, "offset": 0.0},
        {1: 2.0},
        [1.0, 0.0],
        1.0,
        None,
    ],
    ids=str,
)
def test_calibration_with_nonsense_is_refused(folder, calibration):
    change_card(folder, calibration=calibration)
    with pytest.raises(UsageError, match=r"model\.yaml is not a model card"):
        load_weights(folder)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_temperature_that_is_not_positive_is_refused(folder, value):
    state = load_file(folder / WEIGHTS)
    state["temperature"] = torch.tensor(value)
    save_file(state, folder / WEIGHTS)
    with pytest.raises(UsageError, match="temperature must be > 0"):
        load_weights(folder)


HUGE = 10**9
ABSURD = [
    {"name": "compact", "widths": [16, 24, 32, 48, 48, HUGE]},
    {"name": "timm", "window": HUGE},
    {"name": "timm", "stride": HUGE},
    {"name": "timm", "backbone": "eva02_enormous_patch14_clip_224", "stride": 14, "window": 1024},
    {"name": "convolutional", "window": HUGE},
    {"name": "convolutional", "channels": [96, 256, 384, 384, HUGE]},
    {"name": "convolutional", "channels": [96, 256, 384, 384, float("inf")]},
    {"name": "convolutional", "wide": [HUGE]},
    {"name": "convolutional", "wide": [16384] * 3},
    {"name": "convolutional", "wide": [1] * 1000},
]


@pytest.mark.parametrize("model", ABSURD)
def test_card_of_absurd_size_is_refused_before_memory_is_taken(folder, model):
    change_card(folder, model=model)
    with pytest.raises(UsageError, match=r"model.yaml: model"):
        load_weights(folder)


def test_same_weights_give_the_same_bytes(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    save_weights(other, trained())
    change_card(other, sha256=None)
    for name in (WEIGHTS, CARD):
        assert (folder / name).read_bytes() == (other / name).read_bytes()


@pytest.mark.parametrize("name", [WEIGHTS, CARD])
def test_missing_file_is_refused(folder, name):
    (folder / name).unlink()
    with pytest.raises(UsageError, match=r"picker.weights: there is no"):
        load_weights(folder)


def test_truncated_weights_are_refused(folder):
    whole = (folder / WEIGHTS).read_bytes()
    for length in (0, 5, 100, len(whole) - 1):
        (folder / WEIGHTS).write_bytes(whole[:length])
        with pytest.raises(UsageError, match="does not fit"):
            load_weights(folder)


def test_header_of_absurd_length_is_refused(folder):
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", 2**62) + b"{}")
    with pytest.raises(UsageError, match="does not fit"):
        load_weights(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_refused(folder, value):
    state = load_file(folder / WEIGHTS)
    state["head.1.weight"][0, 0, 0, 0] = value
    save_file(state, folder / WEIGHTS)
    with pytest.raises(UsageError, match="NaN or infinite"):
        load_weights(folder)


@pytest.mark.parametrize("name", ["head.1.weight", "trunk.0.weight"])
def test_missing_tensor_is_refused(folder, name):
    state = load_file(folder / WEIGHTS)
    del state[name]
    save_file(state, folder / WEIGHTS)
    with pytest.raises(UsageError, match="does not fit"):
        load_weights(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": ["top", "side", "background"]},
        {"model": {"name": "compact", "widths": [2, 2, 3, 3, 3, 5]}},
        {"model": {"name": "timm", "backbone": "resnet18"}},
    ],
)
def test_card_of_another_network_is_refused(folder, changes):
    change_card(folder, **changes)
    with pytest.raises(UsageError, match="does not fit"):
        load_weights(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": None},
        {"model": "compact"},
        {"model": {"name": ["compact"]}},
        {"model": {"widths": [1] * 6}},
        {"model": {"name": "compact", "depth": 3}},
        {"model": {"name": "compact", "widths": 4}},
        {"model": {"name": "compact", "widths": ["a"] * 6}},
        {"model": {"name": "compact", "dropout": "high"}},
        {"model": {"name": "compact", "dropout": 2}},
        {"model": {"name": "timm", "backbone": "resnet_81"}},
        {"model": {"name": "timm", "backbone": "resnet18", "stride": 9}},
        {"classes": None},
        {"diameter": "wide"},
        {"diameter": 0},
    ],
)
def test_card_with_nonsense_is_refused(folder, changes):
    change_card(folder, **changes)
    with pytest.raises(UsageError):
        load_weights(folder)


def test_weights_may_belong_to_no_diameter(folder):
    change_card(folder, diameter=None)
    assert load_weights(folder).diameter is None


def test_unknown_model_names_the_nearest(folder):
    change_card(folder, model={"name": "compakt"})
    with pytest.raises(UsageError, match="Did you mean compact"):
        load_weights(folder)


@pytest.mark.parametrize("text", ["", "just words", "[1, 2]", "a: [", "a: b: c", "\x00"])
def test_an_invalid_card_is_refused(folder, text):
    (folder / CARD).write_text(text)
    with pytest.raises(UsageError):
        load_weights(folder)


def test_deeply_nested_card_is_refused(folder):
    (folder / CARD).write_text("[" * 5000)
    with pytest.raises(UsageError):
        load_weights(folder)


def test_binary_card_is_refused(folder):
    (folder / CARD).write_bytes(b"\xff\xfe\x80\x81")
    with pytest.raises(UsageError, match="not YAML"):
        load_weights(folder)


def test_huge_card_is_refused(folder):
    (folder / CARD).write_text("a" * 1_000_001)
    with pytest.raises(UsageError, match="larger than 1 MB"):
        load_weights(folder)


def test_pickle_in_place_of_weights_does_not_run(folder, tmp_path):
    marker = tmp_path / "marker"
    for write in (
        lambda: (folder / WEIGHTS).write_bytes(pickle.dumps(Malice(marker))),
        lambda: torch.save(Malice(marker), folder / WEIGHTS),
    ):
        write()
        with pytest.raises(UsageError, match="does not fit"):
            load_weights(folder)
        assert not marker.exists()
    pickle.loads(pickle.dumps(Malice(marker)))
    assert marker.exists()  # it would have


@pytest.mark.parametrize("key", ["model", "preprocessing"])
def test_object_in_the_card_is_not_built(folder, tmp_path, key):
    marker = tmp_path / "marker"
    malice = f"{key}: !!python/object/apply:os.mkdir ['{marker}']\n"
    (folder / CARD).write_text(malice)
    with pytest.raises(UsageError, match="not YAML"):
        load_weights(folder)
    assert not marker.exists()
    yaml.unsafe_load(malice)
    assert marker.exists()  # it would have
