"""Print what a bug report needs: ``python -m deepcryopicker.info``."""

import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import console
from deepcryopicker.plugins.plugin_modules import load_plugins, plugin_contents
from deepcryopicker.runs.made_with import provenance

_PROGRAMS = ("relion_autopick", "topaz")
_DATA = "DEEPCRYOPICKER_DATA"


def info() -> int:
    """Print versions, devices, threads, plugins, external programs and the data that is found."""
    import torch  # decides devices and threads

    try:
        load_plugins()
        plugins = ", ".join(plugin_contents()) or "none"
    except UsageError as error:
        plugins = str(error).splitlines()[0]
    made = provenance()
    rows: dict[str, Any] = {
        "deepcryopicker": made["version"],
        "commit": _commit(made),
        "code": made["content"][:12],
        "python": f"{made['versions'].pop('python')} on {platform.platform()}",
        "processor": f"{made['cpu']}, {os.cpu_count()} cores, {made['threads']} threads",
        "GPU": _gpus(torch),
        **{name: number or "not installed" for name, number in made["versions"].items()},
        "plugins": plugins,
        **{name: shutil.which(name) or "not on the PATH" for name in _PROGRAMS},
        _DATA: _data(os.environ.get(_DATA)),
    }
    width = max(map(len, rows))
    for name, value in rows.items():
        console.print(f"{name:<{width}}  {value}", soft_wrap=True, markup=False, highlight=False)
    return 0


def _commit(made: dict[str, Any]) -> str:
    if made["commit"] is None:
        return "not a checkout"
    return f"{made['commit'][:12]}{', with changes' if made['modified'] else ''}"


def _gpus(torch: Any) -> str:
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return ", ".join(names) or "none that torch finds"


def _data(folder: str | None) -> str:
    """Name the datasets of the program that are below a folder."""
    if folder is None:
        return "not set"
    known = (path.stem for path in sorted((CONF_DIR / "dataset").glob("*.yaml")))
    found = [name for name in known if (Path(folder) / name / "micrographs").is_dir()]
    return f"{folder} ({', '.join(found) or 'no dataset'})"


if __name__ == "__main__":
    sys.exit(info())
