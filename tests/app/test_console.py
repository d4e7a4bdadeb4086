"""One program for all commands: ``deepcryopicker COMMAND``."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import deepcryopicker
from deepcryopicker import __main__ as program
from deepcryopicker.app import hydra_app

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def run(*arguments):
    command = [sys.executable, "-m", "deepcryopicker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_program_is_installed_under_its_name():
    scripts = tomllib.loads(PYPROJECT.read_text())["project"]["scripts"]
    assert scripts["deepcryopicker"] == "deepcryopicker.__main__:main"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_without_a_command_it_prints_what_there_is(arguments, capsys):
    assert program.main(arguments) == 0
    out = capsys.readouterr().out
    for name in program.COMMANDS:
        assert f"  deepcryopicker {name} " in out


def test_it_knows_its_version(capsys):
    assert program.main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == deepcryopicker.__version__


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ("pik", "error: no command called 'pik'; did you mean pick?\n"),
        (
            "frobnicate",
            "error: no command called 'frobnicate'; "
            "choose from train, label, pick, classes, filter, evaluate, report, view\n",
        ),
    ],
)
def test_an_unknown_command_is_answered_in_one_line(given, answer, capsys):
    assert program.main([given, "dataset=folder"]) == 2
    assert capsys.readouterr().err == answer


@pytest.mark.parametrize("name", program.COMMANDS)
def test_a_command_gets_what_follows_its_name(name, monkeypatch):
    called = []
    monkeypatch.setattr(sys, "argv", ["before"])
    monkeypatch.setattr(hydra_app, "command", lambda *given: called.append(given) or 3)
    assert program.main([name, "-m", "seed=1,2"]) == 3
    ((function, passed),) = called
    assert (passed, function.__name__) == (name, name)
    # Another process, such as a SLURM job, imports the function under this name.
    assert function.__module__ == f"deepcryopicker.{name}"
    assert sys.argv == [f"deepcryopicker {name}", "-m", "seed=1,2"]


def test_an_unknown_command_and_a_typo_load_no_torch():
    code = (
        "import sys; from deepcryopicker.__main__ import main; "
        "codes = main(['pik']), main(['pick', 'seeed=1']); "
        "print(codes, 'torch' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "(2, 2) False"
    assert "Did you mean seed=1?" in answer.stderr


def test_python_m_deepcryopicker_runs_commands():
    answer = run("evaluate", "evaluate.picks=nowhere", "evaluate.truth=nowhere", "--cfg", "job")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "picks: nowhere" in answer.stdout
