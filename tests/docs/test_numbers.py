"""The tables of the documents are those that `make numbers` writes from its results."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "numbers" / "write_tables.py"


@pytest.fixture(scope="module")
def numbers():
    spec = importlib.util.spec_from_file_location("numbers_of_docs", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_marked_table_is_that_of_its_results(numbers):
    for name in numbers.SWEEPS:
        for page, text in numbers.tables(name).items():
            found = numbers.marked(name).findall((ROOT / page).read_text("utf-8"))
            assert [between for _, between, _ in found] == [text], (name, page)


def test_every_mark_and_every_result_belongs_to_a_sweep(numbers):
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    marks = [re.findall(r"<!-- numbers: (\w+) -->", page.read_text("utf-8")) for page in pages]
    shown = {name for name, sweep in numbers.SWEEPS.items() if sweep.tables}
    assert {mark for found in marks for mark in found} == shown
    assert {path.stem for path in SCRIPT.parent.glob("*.csv")} == set(numbers.SWEEPS)


def test_results_name_their_command_and_commit_and_have_three_seeds(numbers):
    for name, sweep in numbers.SWEEPS.items():
        command, commit = numbers.result_file(name).read_text("utf-8").splitlines()[:2]
        assert command == f"# {sweep.command}"
        assert re.fullmatch(r"# commit [0-9a-f]{7}( and [0-9a-f]{7})*", commit)
        assert {row["seed"] for row in numbers.read_table(numbers.result_file(name))} == set("012")


def test_a_table_has_means_and_ranges_over_seeds(numbers):
    common = {"status": "done", "label_use": "", numbers.RIVAL: "b", "best_f1": "0.9"}
    rows = [
        common | {"label_use": "40 picks", "f1": "0.5", "average_precision": "0.7"},
        common | {"label_use": "44 picks", "f1": "0.7", "average_precision": "0.9"},
        common
        | {numbers.RIVAL: "a", "label_use": "none", "f1": "0.1", "average_precision": "0.95"},
        common | {numbers.RIVAL: "c", "status": "not installed"},
    ]
    assert numbers.benchmark(rows)[2:] == [
        "| `a` | none | 0.100 | | 0.900 | 0.950 |",
        "| `b` | 40 to 44 picks | 0.600 (0.500 to 0.700) | | 0.900 (0.900 to 0.900) "
        "| 0.800 (0.700 to 0.900) |",
    ]
