"""A run notes what it was made from, and notices when that has changed."""

import csv
import os
from hashlib import sha256

import pytest

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.runs.input_hashes import INPUTS, same_inputs, write_hashes


@pytest.fixture
def entries(tmp_path):
    """Two micrographs: one with truth and uncertain places, one without."""
    for name in ("a.mrc", "b.mrc", "a.csv", "a.uncertain.csv"):
        (tmp_path / name).write_text(f"content of {name}")
    truth = tmp_path / "a.csv"
    return [
        Entry("a", tmp_path / "a.mrc", "g", truth=truth),
        Entry("b", tmp_path / "b.mrc", "g"),
    ]


def test_every_file_of_a_micrograph_is_noted_with_its_sum(entries, tmp_path):
    assert not write_hashes(tmp_path / INPUTS, entries)  # nothing to compare with yet
    with (tmp_path / INPUTS).open() as stream:
        rows = list(csv.DictReader(stream))
    names = ["a.mrc", "a.csv", "a.uncertain.csv", "b.mrc"]
    assert [row["micrograph"] for row in rows] == ["a", "a", "a", "b"]
    assert [row["path"] for row in rows] == [str(tmp_path / name) for name in names]
    assert [row["sha256"] for row in rows] == [
        sha256(f"content of {name}".encode()).hexdigest() for name in names
    ]


def test_the_same_inputs_are_the_same(entries, tmp_path):
    write_hashes(tmp_path / INPUTS, entries)
    assert write_hashes(tmp_path / INPUTS, entries)
    assert same_inputs(tmp_path)


@pytest.mark.parametrize("name", ["a.mrc", "b.mrc", "a.csv", "a.uncertain.csv"])
def test_another_content_of_any_file_is_noticed(entries, tmp_path, name):
    write_hashes(tmp_path / INPUTS, entries)
    note = (tmp_path / INPUTS).stat().st_mtime_ns
    (tmp_path / name).write_text(f"content of {name.upper()}")  # of the same length
    os.utime(tmp_path / name, ns=(note, note))
    assert not same_inputs(tmp_path)
    assert not write_hashes(tmp_path / INPUTS, entries)


def test_one_micrograph_less_is_noticed(entries, tmp_path):
    write_hashes(tmp_path / INPUTS, entries)
    assert not write_hashes(tmp_path / INPUTS, entries[:1])


def test_a_file_that_is_gone_is_noticed(entries, tmp_path):
    write_hashes(tmp_path / INPUTS, entries)
    (tmp_path / "b.mrc").unlink()
    assert not same_inputs(tmp_path)


def test_a_file_touched_without_a_change_is_the_same(entries, tmp_path):
    write_hashes(tmp_path / INPUTS, entries)
    later = (tmp_path / INPUTS).stat().st_mtime_ns + 10**9
    os.utime(tmp_path / "a.mrc", ns=(later, later))
    assert same_inputs(tmp_path)


def test_a_run_without_a_note_has_nothing_that_could_have_changed(tmp_path):
    assert same_inputs(tmp_path)


def test_a_file_that_joins_the_micrographs_is_noticed(entries, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    write_hashes(folder / INPUTS, entries, {})
    assert same_inputs(folder)
    (tmp_path / "c.mrc").write_text("content")
    assert not same_inputs(folder)


@pytest.mark.parametrize("keys", [("picker", "weights"), ("start_from",)])
def test_other_weights_of_the_same_path_are_noticed(entries, tmp_path, keys):
    run, weights = tmp_path / "run", tmp_path / "weights"
    for folder in (run, weights):
        folder.mkdir()
    (weights / "model.safetensors").write_bytes(b"one")
    settings = str(weights)
    for key in reversed(keys):
        settings = {key: settings}
    write_hashes(run / INPUTS, entries, settings)
    assert same_inputs(run)
    (weights / "model.safetensors").write_bytes(b"two")
    assert not same_inputs(run)


def test_an_older_file_that_is_moved_here_is_noticed(entries, tmp_path):
    (tmp_path / "old.mrc").write_text("another micrograph")
    os.utime(tmp_path / "old.mrc", ns=(0, 0))
    write_hashes(tmp_path / INPUTS, entries)
    (tmp_path / "old.mrc").replace(tmp_path / "a.mrc")
    assert not same_inputs(tmp_path)
