"""Whole files or none: what is left where writing fails, and what killed runs leave behind."""

import errno

import pytest

from deepcryopicker.errors import OutputError
from deepcryopicker.io.files.atomic import append_lines, remove_temporary, replacing, write_text


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
