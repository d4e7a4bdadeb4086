"""Print the package, a line for each package and module, from the commands down to the files."""

import ast
import signal
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "deepcryopicker"
WIDTH = 28  # columns of the names, indentation included


def _levels():
    """Levels of the packages, from the bottom up, as the test of one-way imports lists them."""
    tree = ast.parse(Path(__file__).with_name("test_imports.py").read_text(encoding="utf-8"))
    named = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    return ast.literal_eval(named["LEVELS"])


ORDER = {name: -rank for rank, level in enumerate(_levels()) for name in level.split()}


def first_line(path):
    """First line of the docstring of a module, or of a package's own module; empty for none."""
    path = path / "__init__.py" if path.is_dir() else path
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) if path.is_file() else ""
    return (text or "").partition("\n")[0]


def members(folder):
    """Packages and modules directly in a package, each after those that may import it."""
    packages = [
        path
        for path in folder.iterdir()
        if path.is_dir() and not path.is_symlink() and any(path.rglob("*.py"))
    ]
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    return sorted(modules + packages, key=_place)


def tree(folder=PACKAGE, depth=0):
    """Yield depth, path and first line of a package and all within it."""
    yield depth, folder, first_line(folder)
    for path in members(folder):
        if path.is_dir():
            yield from tree(path, depth + 1)
        else:
            yield depth + 1, path, first_line(path)


def _place(path):
    """Sort key: levels from the top, within one level modules before packages, then by name."""
    name = ".".join(path.with_suffix("").relative_to(PACKAGE).parts)
    levels = [rank for other, rank in ORDER.items() if f"{other}.".startswith(f"{name}.")]
    return min(levels, default=0), path.is_dir(), path.name


def main():
    """Print the tree."""
    for depth, path, line in tree():
        name = "  " * depth + (f"{path.name}/" if path.is_dir() else path.stem)
        sys.stdout.write(f"{name:<{WIDTH}} {line}\n")


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # ``make tree | head``
    main()
