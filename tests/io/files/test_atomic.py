"""Whole files or none: what is left where writing fails, and what killed runs leave behind."""

import errno
import os

import pytest

from deepcryopicker.errors import OutputError
from deepcryopicker.io.files.atomic import (
    append_lines,
    remove_temporary,
    replacing,
    share_as_usual,
    write_text,
)


def failing(code):
    error = OSError(code, "as the system words it")

    def write(path):
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error

    return write


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.ENOSPC, "disk full writing "),
        (errno.EDQUOT, "disk full writing "),
        (errno.EFBIG, "disk full writing "),
        (errno.EROFS, "cannot be written: Read-only file system"),
        (errno.EACCES, "cannot be written: Permission denied"),
    ],
)
def test_a_full_or_forbidden_disk_is_an_output_error(tmp_path, code, message):
    path = tmp_path / "a.csv"
    path.write_text("older")
    with pytest.raises(OutputError, match=message) as caught:
        failing(code)(path)
    assert str(path) in str(caught.value)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(OSError, match="as the system words it") as caught:
        failing(errno.EIO)(tmp_path / "a.csv")
    assert not isinstance(caught.value, OutputError)
    assert list(tmp_path.iterdir()) == []


def test_lines_are_appended_and_folders_made(tmp_path):
    path = tmp_path / "new" / "a.jsonl"
    append_lines(path, "1\n")
    append_lines(path, "2\n3\n")
    assert path.read_text() == "1\n2\n3\n"


def test_temporary_files_of_killed_runs_are_removed_but_not_of_those_at_work(tmp_path):
    kept = ["a.csv", ".hidden", "notes.tmp-1.csv", ".a.tmp-x.csv", "shards/1of2/.b.tmp-7.csv"]
    gone = [".a.tmp-12.csv", "picks/grid/.b.c.tmp-3.csv", ".model.tmp-4"]
    for name in kept + gone:
        write_text(tmp_path / name, "x")
    (tmp_path / "shards" / "1of2" / ".lock").touch()
    remove_temporary(tmp_path)
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert there & {*kept, *gone} == set(kept)


@pytest.fixture(params=[0o022, 0o077, 0o002])
def usual(request):
    """Mode of a new file under several umasks."""
    before = os.umask(request.param)
    yield 0o666 & ~request.param
    os.umask(before)


def mode(path):
    return path.stat().st_mode & 0o777


def test_a_file_has_the_mode_of_the_umask_not_that_of_its_writer(tmp_path, usual):
    path = tmp_path / "a.safetensors"
    path.touch()
    path.chmod(0o640)  # an older file of another mode
    with replacing(path) as temporary:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600))
    assert mode(path) == usual
    assert list(tmp_path.iterdir()) == [path]


def test_a_linked_file_keeps_the_mode_that_it_has_elsewhere(tmp_path, usual):
    other, path = tmp_path / "other.csv", tmp_path / "a.csv"
    other.write_text("x")
    other.chmod(0o604)
    with replacing(path) as temporary:
        os.link(other, temporary)
    assert mode(other) == mode(path) == 0o604


def test_the_files_of_a_folder_are_given_the_usual_mode(tmp_path, usual):
    outside = tmp_path / "outside"
    outside.touch()
    outside.chmod(0o604)
    folder = tmp_path / "wandb"
    (folder / "staging").mkdir(parents=True)
    private = folder / "staging" / "table"
    private.touch()
    private.chmod(0o400)
    (folder / "latest").symlink_to(outside)
    share_as_usual(folder)
    assert mode(private) == usual
    assert mode(outside) == 0o604
    assert sorted(path.name for path in folder.iterdir()) == ["latest", "staging"]
