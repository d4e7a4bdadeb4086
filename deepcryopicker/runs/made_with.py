"""What computed the results of a run: program, libraries and machine, and whether they changed."""

import hashlib
import json
import os
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from deepcryopicker import __version__
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.plugins.plugin_modules import plugin_contents

PACKAGE = Path(__file__).resolve().parents[1]
_LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-image",
    "opencv-python-headless",
    "mrcfile",
    "timm",
    "lightning",
    "hydra-core",
    "wandb",
)
_SHOWN = 12  # characters of a commit


def provenance() -> dict[str, Any]:
    """Return versions of program and libraries, the commit of a checkout, and the machine.

    Returns
    -------
    dict
        ``version``, ``commit`` (None outside a checkout), ``modified`` (whether the package differs
        from its commit), ``content`` (SHA-256 of code and options), ``versions`` of the libraries,
        ``plugins`` with the SHA-256 of their files, ``cpu`` and ``threads``.
    """
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--", str(PACKAGE), str(CONF_DIR)) if commit else None
    return {
        "version": __version__,
        "commit": commit,
        "modified": None if changes is None else bool(changes),
        "content": _content(),
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in _LIBRARIES},
        },
        "plugins": plugin_contents(),
        "cpu": _processor(),
        "threads": _threads(),
    }


def changes_since(folder: Path) -> str | None:
    """Describe how program or libraries differ from those of the run in a folder.

    Returns
    -------
    str or None
        Such as ``torch 2.7.1 instead of 2.8.0``; None if they are the same, or not known.
    """
    try:
        document = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        there: dict[str, Any] = document["provenance"]
        old: dict[str, Any] = there["versions"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    here = provenance()
    new = here["versions"]
    found = [
        f"{name} {old[name]} instead of {new[name]}"
        for name in new
        if name in old and old[name] != new[name]
    ]
    if there.get("content", here["content"]) != here["content"]:
        commits = [str(one.get("commit") or "no commit")[:_SHOWN] for one in (there, here)]
        same = commits[0] == commits[1]
        code = "other code" if same else f"code of {commits[0]} instead of {commits[1]}"
        found.insert(0, code)
    plugins: dict[str, str] = there.get("plugins", {})
    found += [
        f"another plugin {name}"
        for name in sorted({*plugins, *here["plugins"]})
        if plugins.get(name) != here["plugins"].get(name)
    ]
    return ", ".join(found) or None


@cache
def _content() -> str:
    """Hash the code and the options of the package."""
    digest = hashlib.sha256()
    files = {*PACKAGE.rglob("*.py"), *CONF_DIR.rglob("*.yaml")}
    for path in sorted(files):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def _git(*words: str) -> str | None:
    """Return what git says of the checkout of the package; None outside of one."""
    root = PACKAGE.parent
    if not (root / ".git").exists():
        return None
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    text = answer.stdout.strip()
    return text if answer.returncode == 0 else None


def _version(library: str) -> str | None:
    """Return the version of an installed library without importing it."""
    try:
        return version(library)
    except PackageNotFoundError:
        return None


@cache
def _processor() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or None
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or None


def _threads() -> int | None:
    """Return how many threads torch uses; they decide the order of sums. Else the cores."""
    torch = sys.modules.get("torch")
    return os.cpu_count() if torch is None else int(torch.get_num_threads())
