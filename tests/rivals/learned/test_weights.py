"""Rivals survive the disk; files that are damaged or hostile are refused and never run."""

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from deepcryopicker.errors import UsageError
from deepcryopicker.rivals.learned.factory import build_rival
from deepcryopicker.rivals.learned.rival_weights import CARD, WEIGHTS, Learned, load, name_of, save
from deepcryopicker.rivals.learned.schema import Eman2Config, FastRcnnConfig, PixerConfig
from deepcryopicker.types import Calibration

CONFIGS = [Eman2Config(distance=0.7), PixerConfig(steps=3), FastRcnnConfig()]


def learned(config):
    torch.manual_seed(0)
    chain = {"working_diameter": 24, "steps": {"n": {"operation": "normalise"}}}
    curve = Calibration(0.1 + 0.2, -1 / 3)
    return Learned(build_rival(config).eval(), config, chain, 61.5, 983, {"seed": 3}, curve)


@pytest.fixture
def folder(tmp_path):
    save(tmp_path, learned(PixerConfig()))
    return tmp_path


def change_card(folder, **changes):
    card = yaml.safe_load((folder / CARD).read_text())
    card.update(changes)
    (folder / CARD).write_text(yaml.safe_dump(card))


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_round_trip(tmp_path, config):
    before = learned(config)
    path = save(tmp_path, before)
    assert path == tmp_path / WEIGHTS
    image = np.random.default_rng(0).normal(0, 1, (90, 110)).astype(np.float32)
    for given in (tmp_path, path):
        after = load(given)
        assert not after.rival.training
        for field in ("config", "preprocessing", "diameter", "particles", "provenance"):
            assert getattr(after, field) == getattr(before, field)
        assert after.calibration == before.calibration
        found = (one.rival.find(config, image, 24.0) for one in (before, after))
        np.testing.assert_array_equal(*(np.array(one) for one in found))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"picker": {"name": "pixel"}}, "no picker called 'pixel'"),
        ({"picker": {"name": "pixer", "steps": 0}}, "picker.steps must be at least 1"),
        ({"picker": {"name": "pixer", "widths": [10**9]}}, "is not a model card"),
        ({"picker": {"steps": 3}}, "is not a model card"),
        ({"picker": "pixer"}, "is not a model card"),
        ({"picker": None}, "is not a model card"),
        ({"picker": {"name": "eman2"}}, r"does not fit rival\.yaml"),
        ({"diameter": -1.0}, "is not a model card"),
        ({"diameter": float("nan")}, "is not a model card"),
        ({"diameter": [3]}, "is not a model card"),
        ({"particles": "many"}, "is not a model card"),
        ({"calibration": {"slope": 0.0, "intercept": 0.0}}, "is not a model card"),
        ({"calibration": {"slope": 1.0, "offset": 0.0}}, "is not a model card"),
    ],
    ids=str,
)
def test_cards_with_nonsense_are_refused(folder, changes, expected):
    change_card(folder, **changes)
    with pytest.raises(UsageError, match=rf"rival\.yaml.*{expected}|{expected}"):
        load(folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2", "is not"),
        ("- 1", "is not"),
        ("!!python/object/apply:os.getcwd []", "is not"),
        ("a: " + "[" * 5000, "nested too deeply"),
    ],
    ids=["cut", "list", "object", "deep"],
)
def test_cards_without_a_plain_mapping_are_refused(folder, text, expected):
    (folder / CARD).write_text(text)
    with pytest.raises(UsageError, match=rf"rival\.yaml:? {expected}"):
        load(folder)


def test_a_large_card_is_not_read(folder):
    (folder / CARD).write_text("# " + "x" * 1_000_001)
    with pytest.raises(UsageError, match="larger than 1 MB"):
        load(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_refused(folder, value):
    state = load_file(folder / WEIGHTS)
    state["first.out.bias"].fill_(value)
    save_file(state, folder / WEIGHTS)
    change_card(folder, sha256=None)  # of files that were changed on purpose
    with pytest.raises(UsageError, match="holds NaN or infinite weights"):
        load(folder)


def test_weights_cut_short_are_refused(folder):
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:1000])
    with pytest.raises(UsageError, match="its SHA-256 is not that on the card"):
        load(folder)
    change_card(folder, sha256=None)
    with pytest.raises(UsageError, match=r"does not fit rival\.yaml"):
        load(folder)


@pytest.mark.parametrize("name", [WEIGHTS, CARD])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(UsageError, match=rf"^picker\.weights: there is no .*{name}"):
        load(folder)
