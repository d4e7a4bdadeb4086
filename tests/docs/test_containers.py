"""The recipes of containers copy what is there, and start what the package installs."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTAINERS = ROOT / "docs" / "containers"


def copied(recipe):
    """Return the files and folders of the project that a recipe copies."""
    if recipe.suffix == ".def":
        part = re.search(r"^%files\n((?: {4}.*\n)+)", recipe.read_text(), re.MULTILINE)
        return [line.split()[0] for line in part[1].splitlines()]
    lines = re.findall(r"^COPY (.*)$", recipe.read_text(), re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


@pytest.mark.parametrize("name", ["Dockerfile", "deepcryopicker.def"])
def test_everything_that_the_build_needs_is_copied(name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sources = copied(CONTAINERS / name)
    assert all((ROOT / source).exists() for source in sources)
    needed = {"pyproject.toml", project["readme"], "LICENSE", "conf", "deepcryopicker"}
    assert set(sources) == needed
    assert "deepcryopicker" in project["scripts"]
    least = project["requires-python"].removeprefix(">=")
    assert f"python:{least}-slim" in (CONTAINERS / name).read_text()
