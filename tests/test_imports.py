"""Imports run one way, and a command answers typos before it loads torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import deepcryopicker

PACKAGE = Path(deepcryopicker.__file__).parent
# From the bottom up; nothing imports from a level above its own. Schemas import no library and
# may be imported by all, so that a configuration is checked before anything heavy is loaded.
LEVELS = (
    "deepcryopicker errors types frames schema io config.renamed plugins",
    "dataset preprocessing",
    "detection class_averages",
    "labeler",
    "class_set",
    "model",
    "trainer",
    "picker",
    "evaluation",
    "plots logger",
    "config",
    "runs",
    "search",
    "pipeline.inputs",
    "pipeline.scoring",
    "pipeline.labels",
    "rivals",
    "pipeline.training",
    "api",
    "pipeline.picking pipeline.classes",
    "pipeline.filtering",
    "reporting",
    "viewing",
    "paper",
    "app",
    "train label pick classes filter evaluate report view relion_external info export_picker "
    "runs.__main__",
    "__main__",
)
RANK = {name: rank for rank, level in enumerate(LEVELS) for name in level.split()}
# What the package exports is loaded when it is first asked for, from further up.
EXPORTED = ("deepcryopicker", "api")
SCHEMA_MAY_IMPORT = {"collections.abc", "dataclasses", "typing", "omegaconf"}


def imported(source):
    """Every module that a source imports, wherever in the file; relative imports as ``.name``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if module == "deepcryopicker":
                yield from (f"{module}.{alias.name}" for alias in node.names)
            else:
                yield module


def box(module):
    """Name in `LEVELS` of the package or module that a module belongs to."""
    parts = module.split(".")
    if parts[-1] == "schema":
        return "schema"
    names = [".".join(parts[1:3]), *parts[1:2], parts[0]]
    return next((name for name in names if name in RANK), module)


def upward(module, source):
    """Imports of a module that go up."""
    rank = RANK[box(module)]
    return [
        f"{module} -> {other}"
        for other in imported(source)
        if other.split(".")[0] == "deepcryopicker"
        and RANK[box(other)] > rank
        and (module, box(other)) != EXPORTED
    ]


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, path.read_text(encoding="utf-8")


def test_every_module_has_a_level():
    known = {box(name) for name, _ in modules()}
    assert known == set(RANK)


def test_imports_run_one_way():
    assert [edge for name, source in modules() for edge in upward(name, source)] == []


def test_imports_are_absolute():
    relative = [
        (name, module)
        for name, source in modules()
        for module in imported(source)
        if module.startswith(".")
    ]
    assert relative == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("deepcryopicker.labeler.ibc", "from deepcryopicker.model.network import Network"),
        ("deepcryopicker.io.images.mrc", "def f():\n    from deepcryopicker import config"),
        ("deepcryopicker.picker.log", "import deepcryopicker.pipeline.picking.pick_dataset"),
    ],
)
def test_the_search_for_upward_imports_can_fail(module, source):
    assert upward(module, source) != []


def test_schemas_import_no_library():
    """Nothing but the standard library, errors, types and the schemas of their group."""
    group = {"rivals": "picker"}
    schemas = [(name, source) for name, source in modules() if name.endswith(".schema")]
    for name, source in schemas:
        package = name.split(".")[1]
        of_group = f"deepcryopicker.{group.get(package, package)}."
        ours = {"deepcryopicker.errors", "deepcryopicker.types"}
        ours |= {other for other, _ in schemas if other.startswith(of_group)}
        assert set(imported(source)) <= SCHEMA_MAY_IMPORT | ours, name


def test_a_command_starts_without_torch():
    heavy = ("torch", "lightning", "wandb", "matplotlib", "cv2", "scipy")
    program = (
        "import sys, deepcryopicker.app.hydra_app, deepcryopicker.train, deepcryopicker.label, "
        "deepcryopicker.pick, deepcryopicker.classes, deepcryopicker.evaluate, "
        "deepcryopicker.report; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_only_commands_and_what_runs_them_import_hydra():
    may = ("app", "config", "runs", "search")
    of_hydra = {
        name
        for name, source in modules()
        if any(other.split(".")[0] == "hydra" for other in imported(source))
    }
    assert "deepcryopicker.app.hydra_app" in of_hydra
    assert {name for name in of_hydra if box(name) not in may} == set()
