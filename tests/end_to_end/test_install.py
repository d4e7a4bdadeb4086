"""The package as installed, from a wheel and from a source distribution, is the whole program."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[2]
SDIST = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
LOCATE = "import deepcryopicker; print(deepcryopicker.__file__)"


def files(folder, pattern):
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern)}


# What the program reads; conf/ is a folder of the checkout and a link in the package.
PARTS = (
    files("deepcryopicker", "*.py")
    | files("deepcryopicker/model/general", "*")
    | files("deepcryopicker/reporting/page/assets", "*")
    | {f"deepcryopicker/{name}" for name in files("conf", "*.yaml")}
    | {"deepcryopicker/py.typed"}
)


def build(folder, source):
    """Build a wheel of a checkout or a source distribution, with the libraries installed here."""
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*pip, "-w", folder, source], check=True, cwd=folder.parent)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A clean copy of the checkout; building leaves files in it."""
    folder = tmp_path_factory.mktemp("install") / "checkout"
    for name in ("deepcryopicker", "conf"):
        for path in sorted((ROOT / name).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                target = folder / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    (folder / "deepcryopicker" / "conf").symlink_to("../conf")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def sdist(checkout):
    folder = checkout.parent / "sdist"
    command = [sys.executable, "-c", SDIST, folder]
    subprocess.run(command, check=True, cwd=checkout, capture_output=True)
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def wheels(checkout, sdist):
    """The wheel of the checkout and that of the source distribution."""
    return [
        build(checkout.parent / "of_checkout", checkout),
        build(checkout.parent / "of_sdist", sdist),
    ]


def test_the_source_distribution_holds_every_part(sdist):
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert PARTS - held == set()


def test_the_wheels_hold_every_part_and_are_alike(wheels):
    held = []
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            held.append(set(archive.namelist()))
    assert PARTS - held[0] == set()
    assert held[0] == held[1]


def test_an_installed_wheel_answers_away_from_the_checkout(wheels, tmp_path):
    site = tmp_path / "site"
    with zipfile.ZipFile(wheels[1]) as archive:
        archive.extractall(site)

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert Path(run("-c", LOCATE).strip()).parent == site / "deepcryopicker"
    assert "picker: " in run("-m", "deepcryopicker.pick", "--help-all")
