"""docs/robustness.md and the tests name each other."""

import ast
import re
from pathlib import Path

FOLDER = Path(__file__).parent
TABLE = (FOLDER.parents[1] / "docs" / "robustness.md").read_text(encoding="utf-8")


def defined():
    for path in sorted(FOLDER.parent.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield path, node.name


def test_every_test_in_the_table_exists():
    named = set(re.findall(r"`(test_\w+)`", TABLE))
    assert len(named) > 90
    assert named - {name for _, name in defined()} == set()


def test_every_test_of_a_case_is_in_the_table():
    cases = {name for path, name in defined() if name.startswith("test_case_")}
    assert cases - set(re.findall(r"`(test_\w+)`", TABLE)) == set()


def test_every_case_has_a_row():
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", TABLE, re.MULTILINE)] == [
        *range(1, 69)
    ]
