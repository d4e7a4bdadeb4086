"""The tree explains the package: a line for each module, small packages, names of one meaning."""

import ast
from collections import Counter, defaultdict

import pytest

from tests.tree import PACKAGE, first_line, members, tree

COMMANDS = {
    "train",
    "label",
    "pick",
    "classes",
    "evaluate",
    "filter",
    "view",
    "report",
    "relion_external",
    "info",
    "export_picker",
}
MODULES_AT_THE_TOP = 6  # beside the commands
MODULES_IN_A_PACKAGE = 12
EVERYWHERE = {"schema", "__init__", "__main__"}  # module names that a package may share with others

TREE = [(depth, path) for depth, path, _ in tree()]
PACKAGES = [path for _, path in TREE if path.is_dir()]
MODULES = [path for _, path in TREE if path.is_file()]


def modules_of(folder):
    return [path.stem for path in folder.glob("*.py") if path.name != "__init__.py"]


def where(path):
    return str(path.relative_to(PACKAGE.parent))


def classes(path):
    """Names of the classes of a module, private ones excepted."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    named = [node.name for node in body if isinstance(node, ast.ClassDef)]
    return [name for name in named if not name.startswith("_")]


def repeated(names):
    return {name: places for name, places in names.items() if len(places) > 1}


@pytest.mark.parametrize("path", [*PACKAGES, *MODULES], ids=where)
def test_a_line_says_what_it_is_for(path):
    line = first_line(path)
    assert line.endswith((".", ":")), f"{where(path)}: {line!r}"
    assert len(line) <= 97  # with its quotation marks it fits into a line of code


def test_packages_have_a_dozen_modules_at_most():
    counts = {where(path): len(modules_of(path)) for path in PACKAGES if path != PACKAGE}
    assert {path: n for path, n in counts.items() if n > MODULES_IN_A_PACKAGE} == {}


def test_the_top_has_the_commands_and_what_all_share():
    beside = set(modules_of(PACKAGE)) - COMMANDS
    assert set(modules_of(PACKAGE)) >= COMMANDS
    assert len(beside) + 1 <= MODULES_AT_THE_TOP, beside  # __init__ is one


def test_every_folder_with_modules_is_a_package():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert sorted(where(path) for path in folders if not (path / "__init__.py").is_file()) == []


def test_no_module_name_means_two_things():
    names = defaultdict(list)
    for path in MODULES:
        if path.stem not in EVERYWHERE:
            names[path.stem].append(where(path))
    assert repeated(names) == {}


def test_no_class_name_means_two_things():
    names = defaultdict(list)
    for path in MODULES:
        for name in classes(path):
            names[name].append(where(path))
    assert repeated(names) == {}


def test_the_tree_lists_every_module_once():
    listed = Counter(MODULES)
    there = {path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}
    assert set(listed) == there
    assert set(listed.values()) == {1}


def test_the_tree_reads_from_the_commands_down():
    names = [path.name for path in members(PACKAGE)]
    assert names.index("pick.py") < names.index("app") < names.index("pipeline")
    assert names.index("pipeline") < names.index("picker") < names.index("io")
