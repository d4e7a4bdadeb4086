"""docs/api.md: every example runs as it stands, and everything that is exported has one."""

import doctest
from pathlib import Path

import pytest

import deepcryopicker

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def examples():
    return [one.source for one in doctest.DocTestParser().get_examples(PAGE.read_text())]


@pytest.mark.parametrize("name", [n for n in deepcryopicker.__all__ if n != "__version__"])
def test_what_is_exported_has_an_example(name):
    assert any(f"d.{name}" in source for source in examples())


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried > 30
    assert failed == 0
