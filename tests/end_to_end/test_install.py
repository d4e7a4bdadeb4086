"""The wheel holds the whole program."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_configuration_file(tmp_path):
    checkout = tmp_path / "checkout"  # building leaves traces in the folder
    for name in ("deepcryopicker", "conf"):
        for path in sorted((ROOT / name).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                target = checkout / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (checkout / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", tmp_path, checkout]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        archive.extractall(tmp_path / "installed")
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "deepcryopicker").rglob("*.py")}
    assets = {p.name for p in (ROOT / "deepcryopicker/reporting/page/assets").iterdir()}
    files = {p.relative_to(ROOT).as_posix() for p in (ROOT / "conf").rglob("*.yaml")}
    assert modules <= held
    assert {f"deepcryopicker/{name}" for name in files} <= held
    assert {f"deepcryopicker/reporting/page/assets/{name}" for name in assets} <= held

    program = (
        "import sys; sys.path.insert(0, 'installed'); "
        "from deepcryopicker.config.paths import CONF_DIR; print(CONF_DIR)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(answer.stdout.strip()) == tmp_path / "installed" / "deepcryopicker" / "conf"
