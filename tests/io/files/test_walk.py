"""Folders are searched through links, without loops, and each file is found once."""

import os

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files import walk
from deepcryopicker.io.files.walk import files_below


@pytest.fixture
def tree(tmp_path):
    for name in ("data/a", "data/sub/b", "data/.hidden/c", "data/.d", "elsewhere/deep/e"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def found(tree, folder="data"):
    return [path.relative_to(tree / folder).as_posix() for path in files_below(tree / folder)]


def test_hidden_files_are_not_listed(tree):
    assert found(tree) == ["a", "sub/b"]


def test_linked_folders_are_followed(tree):
    (tree / "data" / "link").symlink_to(tree / "elsewhere")
    assert found(tree) == ["a", "link/deep/e", "sub/b"]
    (tree / "start").symlink_to(tree / "data")
    assert found(tree, "start") == ["a", "link/deep/e", "sub/b"]


def test_loops_end(tree):
    (tree / "data" / "sub" / "up").symlink_to(tree / "data")
    (tree / "data" / "self").symlink_to("self")
    (tree / "data" / "round").symlink_to(tree / "elsewhere")
    (tree / "elsewhere" / "back").symlink_to(tree / "data" / "sub")
    assert found(tree) == ["a", "round/deep/e", "self", "sub/b"]


def test_each_file_counts_once(tree, caplog):
    caplog.set_level("INFO")
    for link, target in (
        ("0", "data/sub"),
        ("1", "elsewhere"),
        ("2", "elsewhere/deep"),
        ("3", "data/a"),
        ("4", "elsewhere/deep/e"),
        ("5", "elsewhere/deep"),
    ):
        (tree / "data" / link).symlink_to(tree / target)
    paths = files_below(tree / "data")
    assert [path.relative_to(tree / "data").as_posix() for path in paths][-2:] == ["a", "sub/b"]
    real = [os.path.realpath(path) for path in paths]
    assert sorted(real) == sorted(
        str(tree / name) for name in ("data/a", "data/sub/b", "elsewhere/deep/e")
    )
    assert "2 files are linked twice, used once" in caplog.text


def test_a_folder_that_cannot_be_read(tree):
    with pytest.raises(OSError, match="No such file"):
        files_below(tree / "missing")


def test_a_link_to_a_whole_disk_is_refused(tree, monkeypatch):
    monkeypatch.setattr(walk, "MOST_FILES", 2)
    (tree / "data" / "link").symlink_to(tree / "elsewhere")
    with pytest.raises(UsageError, match="more than 2 files lie below it"):
        files_below(tree / "data")
