"""Load plugins: those of installed packages, and those that the user names."""

import hashlib
import os
import sys
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from deepcryopicker.errors import UsageError

ENTRY_POINT = "deepcryopicker.plugins"
"""Group of entry points of installed packages that are plugins."""
VARIABLE = "DEEPCRYOPICKER_PLUGINS"
"""Environment variable of plugins named on a command line, for the processes that it starts."""

_loaded: dict[str, ModuleType] = {}


def load_plugins(named: Iterable[str] = ()) -> None:
    """Load the plugins of installed packages, those of the environment, and those named.

    Parameters
    ----------
    named : iterable of str
        Modules that Python finds, or paths of ``.py`` files.

    Raises
    ------
    UsageError
        If one cannot be loaded.
    """
    for name, module in _installed(tuple(sys.path)):
        _load(module, f"plugin {name}")
    known = [one for one in os.environ.get(VARIABLE, "").split(os.pathsep) if one]
    every = list(dict.fromkeys([*known, *(_absolute(one) for one in named)]))
    for one in every:
        _load(one, f"plugins={one}")
    if every:
        os.environ[VARIABLE] = os.pathsep.join(every)


def plugin_contents() -> dict[str, str]:
    """Return the loaded plugins with the SHA-256 of their files."""
    found = {}
    for name, module in sorted(_loaded.items()):
        path = Path(module.__file__ or "")
        content = path.read_bytes() if path.is_file() else b""
        found[Path(name).stem] = hashlib.sha256(content).hexdigest()
    return found


@cache
def _installed(_path: tuple[str, ...]) -> list[tuple[str, str]]:
    """List name and module of the installed plugins; the search takes tens of milliseconds."""
    points = entry_points(group=ENTRY_POINT)
    return [(point.name, point.value.partition(":")[0]) for point in points]


def _absolute(name: str) -> str:
    return str(Path(name).absolute()) if name.endswith(".py") else name


def _load(name: str, what: str) -> None:
    if name in _loaded:
        return
    try:
        _loaded[name] = _from_file(Path(name)) if name.endswith(".py") else import_module(name)
    except UsageError:
        raise
    except Exception as error:  # whatever the module does
        reason = (str(error).splitlines() or [""])[0]
        raise UsageError(
            f"{what} cannot be loaded: {type(error).__name__}: {reason}\n"
            "correct it, or leave it out (an installed one: pip uninstall)"
        ) from error


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"plugins={path}: there is no such file")
    name = f"deepcryopicker_plugin_{path.stem}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # so that its classes can be sent to other processes
    spec.loader.exec_module(module)
    return module
