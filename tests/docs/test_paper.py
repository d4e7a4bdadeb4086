"""docs/paper.md: nothing of the paper is missing, and what it names is there."""

import importlib
import re
from functools import reduce
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "paper.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
    for line in PAGE.partition("\n## Numbers")[0].splitlines()
    if line.startswith("| ") and not line.startswith("| |")
]
PLACES = sorted(set(re.findall(r"`([\w/]+\.py)(?::([\w.]+))?`", PAGE)))
FILES = sorted(set(re.findall(r"`(conf/[\w/-]+\.yaml)`", PAGE)))
LINKS = sorted(set(re.findall(r"\]\(([\w.]*)(?:#([\w-]+))?\)", PAGE)))


@pytest.mark.parametrize(
    ("kind", "count"),
    [("Eq. ", 12), ("Algorithm ", 2), ("Table ", 9), ("Figure ", 18), ("C", 31)],
)
def test_every_claim_has_one_row(kind, count):
    numbers = [
        int(found[1]) for row in ROWS if (found := re.fullmatch(rf"{re.escape(kind)}(\d+)", row[0]))
    ]
    assert numbers == list(range(1, count + 1))


def test_no_row_has_an_empty_cell_or_one_too_few():
    assert len(ROWS) == 12 + 2 + 9 + 18 + 31
    for row in ROWS:
        assert len(row) == (5 if re.fullmatch(r"C\d+", row[0]) else 6), row[0]
        assert all(re.search(r"\w", cell) for cell in row), row[0]


def test_contradictions_that_rows_refer_to_exist():
    named = {int(number) for number in re.findall(r"\bC(\d+)\b", PAGE)}
    assert named == set(range(1, 32))


@pytest.mark.parametrize(("path", "name"), PLACES)
def test_a_place_exists(path, name):
    module = importlib.import_module(f"deepcryopicker.{path.removesuffix('.py').replace('/', '.')}")
    if name:
        reduce(getattr, name.split("."), module)


def test_files_and_chapters_exist():
    assert all((ROOT / file).is_file() for file in FILES)
    for file, chapter in LINKS:
        text = (DOCS / file).read_text(encoding="utf-8") if file else PAGE
        titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not chapter or chapter in slugs, f"{file}#{chapter}"


def test_the_searches_find_something():
    assert len(PLACES) > 20
    assert FILES
    assert LINKS
