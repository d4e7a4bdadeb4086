"""Print what a bug report needs, or the card of weights: ``python -m deepcryopicker.info``.

python -m deepcryopicker.info
python -m deepcryopicker.info FILE.safetensors
"""

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import console
from deepcryopicker.model.weights_file import (
    NETWORK_CARD,
    NETWORK_FILE,
    RIVAL_CARD,
    RIVAL_FILE,
    find_weights,
)
from deepcryopicker.plugins.plugin_modules import load_plugins, plugin_contents
from deepcryopicker.runs.made_with import provenance

_PROGRAMS = ("relion_autopick", "topaz")
_DATA = "DEEPCRYOPICKER_DATA"


def info(arguments: Sequence[str] = ()) -> int:
    """Print versions, devices, threads, plugins, external programs and the data that is found.

    Parameters
    ----------
    arguments : sequence of str
        Run folder or file of weights, whose card is printed instead.
    """
    if arguments:
        return _show_card(Path(arguments[0]))
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
    _print(rows)
    return 0


def _show_card(path: Path) -> int:
    """Print the card of weights, a line each, and return the exit code."""
    from deepcryopicker.model.cards import open_card  # loads torch

    rival = (path / RIVAL_FILE).is_file() or path.name == RIVAL_FILE
    try:
        weights = find_weights(path, RIVAL_FILE if rival else NETWORK_FILE, "info")
        card, place = open_card(weights, RIVAL_CARD if rival else NETWORK_CARD, "info")
        rows = dict(_rows_of(card))
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except RecursionError:
        print(f"error: {path}: its card is nested too deeply", file=sys.stderr)  # noqa: T201
        return UsageError.exit_code
    _print({"card": _plain(str(place)), **rows})
    return 0


def _rows_of(card: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield dotted keys and values of a card, two levels deep."""
    for key, section in card.items():
        below = section if isinstance(section, dict) and section else {None: section}
        for name, value in below.items():
            yield _plain(str(key) if name is None else f"{key}.{name}"), _plain(value)


def _plain(value: Any) -> str:
    """Write a value as JSON, which has no characters that control a terminal."""
    text = json.dumps(value, default=str)
    return text[1:-1] if isinstance(value, str) else text


def _print(rows: dict[str, Any]) -> None:
    width = max(map(len, rows))
    for name, value in rows.items():
        console.print(f"{name:<{width}}  {value}", soft_wrap=True, markup=False, highlight=False)


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
    sys.exit(info(sys.argv[1:]))
