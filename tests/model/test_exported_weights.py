"""One file holds weights and card: what comes back, and files that are damaged or hostile."""

import json
import struct

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from deepcryopicker.errors import UsageError
from deepcryopicker.export_picker import main
from deepcryopicker.info import info
from deepcryopicker.model.build import build_network
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.model.weights import Trained, load_weights, save_weights
from deepcryopicker.model.weights_file import CARD_KEY, embedded_card
from deepcryopicker.rivals.learned.factory import build_rival
from deepcryopicker.rivals.learned.rival_weights import Learned, load, save
from deepcryopicker.rivals.learned.schema import Eman2Config
from deepcryopicker.runs.status import STATUS, Outcome
from deepcryopicker.types import Calibration

CLASSES = ("top", "background")
SMALL = CompactConfig(widths=[2, 2, 3, 3, 3, 4])


@pytest.fixture
def run(tmp_path):
    """Folder with weights, and with what a run of train leaves beside them."""
    torch.manual_seed(0)
    folder = tmp_path / "run"
    folder.mkdir()
    network = build_network(SMALL, len(CLASSES)).eval()
    chain = {"working_diameter": 24, "steps": {"n": {"operation": "normalise"}}}
    curve = Calibration(0.1 + 0.2, -1 / 3)
    save_weights(
        folder, Trained(network, SMALL, CLASSES, chain, 61.5, {"seed": 3}, curve, 1 / 3 * 100)
    )
    settings = {
        "defaults": ["_train"],
        "dataset": {"polarity": "bright", "pixel_size": 1.5, "source": {"licence": "CC0"}},
        "picker": {"threshold": 0.625},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    Outcome(0, 1.0).write(folder / STATUS)
    (folder / "metrics.json").write_text('{"f1": 0.75, "per_micrograph": [1], "truth": 8}')
    (folder / "data.csv").write_text("micrograph,path,sha256\na,/secret/a.mrc,12ab\n")
    return folder


@pytest.fixture
def exported(run, tmp_path):
    """The file, alone in a folder."""
    path = tmp_path / "elsewhere" / "picker.safetensors"
    path.parent.mkdir()
    assert main([str(run), str(path), "licence=CC-BY-4.0"]) == 0
    return path


def with_card(path, change):
    """Change the card of an exported file: a dict, or the text that replaces it."""
    card = embedded_card(path)
    text = change if isinstance(change, str) else json.dumps({**card, **change})
    save_file(load_file(path), path, {CARD_KEY: text})


def refused(path, *expected):
    """All readers refuse the file in a line or two."""
    with pytest.raises(UsageError) as problem:
        load_weights(path)
    text = str(problem.value)
    assert len(text.splitlines()) <= 2
    for part in expected:
        assert part in text


def test_nothing_is_lost(run, exported):
    before, after = load_weights(run), load_weights(exported)
    state = after.network.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in before.network.state_dict().items())
    for field in (
        *("config", "classes", "preprocessing", "diameter", "provenance", "calibration"),
        "diameter_angstrom",
    ):
        assert getattr(after, field) == getattr(before, field)


def test_the_card_says_what_the_run_knew(exported):
    about = embedded_card(exported)["exported"]
    assert (about["polarity"], about["pixel_size"], about["threshold"]) == ("bright", 1.5, 0.625)
    assert about["scores"] == {"truth": 8, "f1": 0.75}
    assert (about["licence"], about["data_licence"]) == ("CC-BY-4.0", "CC0")
    data = about["training_data"]
    assert (data["files"], data["each"]) == (1, {"a.mrc": "12ab"})
    assert b"secret" not in exported.read_bytes()


def test_info_prints_the_card_a_line_each(exported, capsys):
    with_card(exported, {"classes": ["\x1b[2J", "background"]})
    capsys.readouterr()
    assert info([str(exported)]) == 0
    out = capsys.readouterr().out
    rows = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert rows["diameter"] == "61.5"
    assert rows["exported.polarity"] == "bright"
    assert rows["calibration.slope"] == str(0.1 + 0.2)
    assert "\x1b" not in out


def test_info_reads_run_folders_and_refuses_others(run, tmp_path, capsys):
    assert info([str(run)]) == 0
    assert "model.name" in capsys.readouterr().out
    assert info([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: info: there is no ")


def test_several_networks_are_in_one_file_too(tmp_path, capsys):
    """EMAN2's picker has two; its file is refused as another picker's."""
    config = Eman2Config()
    save(tmp_path, Learned(build_rival(config).eval(), config, {}, 60.0, 10, {}))
    path = tmp_path / "alone.safetensors"
    assert main([str(tmp_path), str(path)]) == 0
    (tmp_path / "rival.yaml").unlink()
    after = load(path).rival.state_dict()
    before = load_file(tmp_path / "rival.safetensors")
    assert after.keys() == before.keys()
    assert all(torch.equal(after[key], before[key]) for key in before)
    refused(path, "is of another picker; type picker=eman2")
    assert info([str(path)]) == 0
    assert "picker.name" in capsys.readouterr().out


def test_a_network_is_not_taken_for_a_rival(exported):
    with pytest.raises(UsageError, match="is a network of ours; type picker=dense"):
        load(exported)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "type the run folder"),
        (["run"], "type the run folder"),
        (["run", "new.pt"], "ends with .safetensors"),
        (["run", "there.safetensors"], "exists"),
        (["nowhere", "new.safetensors"], "is not a folder"),
        ([".", "new.safetensors"], "there is no"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    run, tmp_path, monkeypatch, capsys, arguments, expected
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.safetensors").touch()
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert expected in error
    assert not (tmp_path / "new.safetensors").exists()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("data.csv", b"\xff\xfe", "data.csv"),
        ("status.json", None, "not finished"),
        ("model.safetensors", b"", "is damaged or of another run"),
    ],
)
def test_what_is_damaged_or_unfinished_is_not_exported(
    run, tmp_path, capsys, name, content, expected
):
    if content is None:
        (run / name).unlink()
    else:
        (run / name).write_bytes(content)
    assert main([str(run), str(tmp_path / "new.safetensors")]) == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("{", "the model card in it is damaged"),
        ("[" * 100_000, "the model card in it is damaged"),
        ("[1]", "not a model card"),
        ({"model": None}, "is not a model card"),
        ({"model": {"name": "compactt"}}, "Did you mean compact?"),
        ({"model": {"name": "compact", "widths": [2, 2, 3, 3, 3, 5]}}, "does not fit its own card"),
        ({"model": {"name": "compact", "widths": [10**9] * 6}}, "model.widths must be"),
        ({"classes": 7}, "is not a model card"),
        ({"diameter": "wide"}, "is not a model card"),
        ({"calibration": {"slope": float("nan")}}, "is not a model card"),
        ({"sha256": None}, "is damaged"),
        ({"sha256": "0" * 64}, "is damaged"),
    ],
)
def test_cards_of_nonsense_are_refused(exported, change, expected):
    with_card(exported, change)
    refused(exported, expected)


def test_one_changed_weight_is_noticed(exported):
    whole = bytearray(exported.read_bytes())
    whole[-3] ^= 1
    exported.write_bytes(whole)
    refused(exported, "is damaged", "SHA-256")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 2) + b"{]",
        struct.pack("<Q", 50_000) + b"[" * 50_000,
        struct.pack("<Q", 30) + b'{"__metadata__": [1, 2, 3, 4]}',
    ],
    ids=len,
)
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "hostile.safetensors"
    path.write_bytes(content)
    refused(path, "there is no", "model.yaml")
    assert info([str(path)]) == 2


def test_a_tensor_of_another_shape_is_not_read(exported, monkeypatch):
    """However large it is: shapes are compared first."""
    state = load_file(exported)
    state["head.1.weight"] = torch.zeros(1000, 1000)
    card = embedded_card(exported)
    save_file(state, exported, {CARD_KEY: json.dumps(card)})
    monkeypatch.setattr("deepcryopicker.model.cards.load_file", None)
    monkeypatch.setattr("deepcryopicker.model.cards.tensor_sum", lambda path: card["sha256"])
    refused(exported, "head.1.weight", "found (1000, 1000)")
