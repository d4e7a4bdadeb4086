"""What a folder's picks were made by: what counts, what is refused, and damaged manifests."""

import copy
import os

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.runs.manifest import (
    MANIFEST,
    Finished,
    Manifest,
    Record,
    content_of,
    deciding,
    refuse_another,
)


@pytest.fixture
def settings(tmp_path):
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "model.safetensors").write_bytes(b"weights")
    (weights / "model.yaml").write_text("card")
    return {
        "seed": 0,
        "overlays": 24,
        "redo": False,
        "shard": None,
        "watch": False,
        "watching": {"every": 5.0},
        "reference": {},
        "dataset": {"micrographs": "here", "diameter": 20.0},
        "preprocessing": {"save_stages": False, "working_diameter": 24.0},
        "picker": {"weights": str(weights), "device": "auto", "threshold": 0.5},
    }


@pytest.fixture
def micrograph(tmp_path):
    path = tmp_path / "a.mrc"
    path.write_bytes(b"pixels")
    return path


def record_of(path, name="a", made_by="x"):
    status = path.stat()
    return Record(
        name, str(path), status.st_size, status.st_mtime_ns, made_by, 3, 4, 20.0, None, 0.1, 5, 6
    )


@pytest.fixture
def folder(tmp_path, settings):
    folder = tmp_path / "run"
    Manifest(folder, deciding(settings), keep=True)
    return folder


def changed(settings, key, value):
    result = copy.deepcopy(settings)
    *sections, name = key.split(".")
    place = result
    for section in sections:
        place = place[section]
    place[name] = value
    return result


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("overlays", 0),
        ("shard", "1/2"),
        ("watch", True),
        ("watching.every", 1.0),
        ("dataset.micrographs", "there"),
        ("picker.device", "cpu"),
        ("preprocessing.save_stages", True),
    ],
)
def test_what_does_not_decide_the_picks_may_change(folder, settings, key, value):
    refuse_another(folder, changed(settings, key, value))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("picker.threshold", 0.4, "picker.threshold is 0.4 here, but 0.5 in the run in"),
        ("seed", 1, "seed is 1 here, but 0"),
        ("dataset.diameter", None, "dataset.diameter is null here, but 20.0"),
        ("preprocessing.working_diameter", 30.0, "working_diameter is 30.0 here, but 24.0"),
    ],
)
def test_another_configuration_is_refused_or_redone(folder, settings, key, value, message):
    other = changed(settings, key, value)
    with pytest.raises(UsageError) as refused:
        refuse_another(folder, other)
    assert message in str(refused.value)
    assert "redo=true" in str(refused.value)
    assert "hydra.run.dir=OTHER" in str(refused.value)
    refuse_another(folder, changed(other, "redo", True))
    del other["redo"]  # a command that always begins anew
    refuse_another(folder, other)


def test_weights_are_known_by_their_content(folder, settings, tmp_path):
    moved = tmp_path / "moved"
    (tmp_path / "weights").rename(moved)
    settings["picker"]["weights"] = str(moved / "model.safetensors")
    refuse_another(folder, settings)
    (moved / "model.safetensors").write_bytes(b"others")
    with pytest.raises(UsageError, match=r"picker\.weights is sha256:"):
        refuse_another(folder, settings)


def test_the_card_is_part_of_the_weights(tmp_path):
    for name in ("model.safetensors", "model.yaml"):
        (tmp_path / name).write_text("x")
    before = content_of(tmp_path)
    assert content_of(tmp_path / "model.safetensors") == before
    (tmp_path / "model.yaml").write_text("y")
    assert content_of(tmp_path) != before


def test_a_folder_with_anything_else_in_it_is_refused(folder, settings):
    (folder / "made_by.json").write_text("[1, 2")
    with pytest.raises(UsageError, match="redo=true"):
        refuse_another(folder, settings)


def test_a_finished_micrograph_is_found_until_its_file_or_its_making_changes(
    folder, settings, micrograph
):
    made_by = deciding(settings)
    Manifest(folder, made_by, keep=True).add([record_of(micrograph)])
    found = Finished(folder, made_by)
    assert found.find("a", micrograph, "x") == record_of(micrograph)
    assert found.find("b", micrograph, "x") is None
    assert found.find("a", micrograph, "y") is None
    assert found.find("a", micrograph.with_name("b.mrc"), "x") is None
    assert Finished(folder, made_by | {"seed": 1}).find("a", micrograph, "x") is None
    micrograph.write_bytes(b"other pixels")
    assert found.find("a", micrograph, "x") is None
    micrograph.unlink()
    assert found.find("a", micrograph, "x") is None


@pytest.mark.parametrize("later", [1, -1])
def test_a_micrograph_replaced_by_one_of_the_same_size_is_picked_again(
    folder, settings, micrograph, later
):
    """Only the time of change gives it away, be the new file older or newer."""
    made_by = deciding(settings)
    Manifest(folder, made_by, keep=True).add([record_of(micrograph)])
    modified = micrograph.stat().st_mtime_ns
    micrograph.write_bytes(b"PIXELS")
    os.utime(micrograph, ns=(modified, modified + later * 10**9))
    assert Finished(folder, made_by).find("a", micrograph, "x") is None
    os.utime(micrograph, ns=(modified, modified))
    assert Finished(folder, made_by).find("a", micrograph, "x") == record_of(micrograph)


def test_half_a_line_is_dropped_and_what_follows_is_kept(folder, settings, micrograph):
    made_by = deciding(settings)
    Manifest(folder, made_by, keep=True).add([record_of(micrograph, name) for name in "ab"])
    path = folder / MANIFEST
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for end in range(1, len(lines[1])):
        path.write_bytes(lines[0] + lines[1][:-end])
        Manifest(folder, made_by, keep=True).add([record_of(micrograph, "c")])
        names = [line.split(b'"')[3] for line in path.read_bytes().splitlines()]
        assert names in ([b"a", b"c"], [b"a", b"b", b"c"])  # the latter without the line's end


@pytest.mark.parametrize("line", ["", "7", "null", "{}", '{"name": "a"}', "\x00\xff"])
def test_lines_without_a_record_do_not_count(folder, settings, micrograph, line):
    made_by = deciding(settings)
    with (folder / MANIFEST).open("a", encoding="latin-1") as stream:
        stream.write(f"{line}\n")
    Manifest(folder, made_by, keep=True).add([record_of(micrograph)])
    assert Finished(folder, made_by).find("a", micrograph, "x") is not None


def test_nothing_is_kept_by_choice(folder, settings, micrograph):
    made_by = deciding(settings)
    Manifest(folder, made_by, keep=True).add([record_of(micrograph)])
    Manifest(folder, made_by, keep=False)
    assert Finished(folder, made_by).find("a", micrograph, "x") is None


def test_picking_with_weights_without_a_key_continues(tmp_path, settings):
    """The general weights: their content is compared when they are loaded."""
    settings["picker"]["weights"] = None
    Manifest(tmp_path / "run", deciding(settings) | {"weights": "sha256:1"}, keep=True)
    refuse_another(tmp_path / "run", settings)
