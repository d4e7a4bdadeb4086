"""Programs of others: found, run to the end, ended with us, and quoted when they fail."""

import time
from pathlib import Path

import pytest

from deepcryopicker.errors import MissingProgramError, NothingUsableError
from deepcryopicker.rivals.programs.process import Program, find_program, run_program


@pytest.fixture
def write(tmp_path):
    """Write an executable script."""

    def script(name, text):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    return script


def run(path, tmp_path, *arguments, total=1, count=lambda: 0, **environment):
    program = Program("It", path, environment)
    run_program(program, arguments, tmp_path, "it.log", ("running", "step"), total, count)


def test_what_is_not_there_is_named_with_the_way_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgramError, match="It is not installed: no it_does on the PATH"):
        find_program("It", "it_does", "`make it`")
    with pytest.raises(MissingProgramError, match="`make it`"):
        find_program("It", "it_does", "`make it`", [tmp_path])


def test_given_places_come_before_the_path(monkeypatch, tmp_path, write):
    there = write("it_does", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program("It", "it_does", "").executable == there
    nearer = tmp_path / "nearer"
    nearer.mkdir()
    (nearer / "it_does").symlink_to(there)
    assert find_program("It", "it_does", "", [nearer]).executable == nearer / "it_does"


@pytest.mark.parametrize(
    ("says", "version"), [("echo RELION version: 3.1.3", "3.1.3"), ("echo hm", "?")]
)
def test_the_version_is_what_the_program_says(write, says, version):
    assert Program("It", write("it", says)).version() == version


def test_command_and_output_are_kept(write, tmp_path):
    run(write("it", 'echo "got $1 in $PWD, $COLOUR"'), tmp_path, "two words", COLOUR="green")
    first, second = (tmp_path / "it.log").read_text().splitlines()
    assert first == f"$ {tmp_path / 'it'} 'two words'"
    assert second == f"got two words in {tmp_path}, green"


def test_the_last_words_of_a_failure_are_quoted(write, tmp_path):
    with pytest.raises(NothingUsableError, match=r"exit code 7: no such file\nsee .*log"):
        run(write("it", "echo hello; printf '1/3\\rno such file\\n\\n'; exit 7"), tmp_path)


def test_a_silent_failure_is_still_one(write, tmp_path):
    with pytest.raises(NothingUsableError, match="failed with exit code -9: no output"):
        run(write("it", "kill -9 $$"), tmp_path)


def test_progress_counts_results(write, tmp_path, capsys):
    script = write("it", "for i in 1 2 3; do touch result_$i; done")
    run(script, tmp_path, total=3, count=lambda: len(list(tmp_path.glob("result_*"))))
    assert "running 3 steps: done" in capsys.readouterr().out


def test_nothing_is_left_running_when_we_are_stopped(write, tmp_path):
    """Neither the program nor what it has started, even if it turns a deaf ear."""
    script = write("it", "trap '' TERM; (trap '' TERM; sleep 60 & echo $! > child; wait) & wait")
    child = tmp_path / "child"

    def interrupt():
        while not child.is_file() or not child.read_text().strip():
            time.sleep(0.02)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deepcryopicker.rivals.programs.process._PATIENCE", 0.3)
        with pytest.raises(KeyboardInterrupt):
            run(script, tmp_path, count=interrupt)
    number = int(child.read_text())
    for _ in range(100):
        if not is_running(number):
            return
        time.sleep(0.05)
    pytest.fail("the child lives on")


def is_running(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
