"""Find micrographs: a file, a folder, a glob, a STAR or a text list."""

import glob
import logging
import os
from collections import Counter
from pathlib import Path, PurePosixPath

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.suffixes import EXTENSIONS, VENDORS, suffix_of, without_suffix
from deepcryopicker.io.files.text import text_lines
from deepcryopicker.io.star.relion_star import micrograph_names

logger = logging.getLogger(__name__)


class NoMicrographsError(UsageError):
    """The given place holds no micrographs."""


def list_micrographs(given: str) -> list[tuple[str, Path]]:
    """List micrographs and the names of their outputs, sorted by name.

    A name is the path below the deepest common folder of all micrographs, without extension, so
    that outputs never lie outside the run folder. Duplicates are dropped.

    Parameters
    ----------
    given : str
        File, folder, glob, STAR or text list, relative to the working folder or absolute.

    Raises
    ------
    UsageError
        Nothing is found, or two outputs would have the same name.
    """
    paths = _unique(_expand(given))
    if not paths:
        raise NoMicrographsError(_nothing_found(given))
    root = Path(given) if Path(given).is_dir() else _common_folder(paths)
    stems = [str(without_suffix(PurePosixPath(os.path.relpath(path, root)))) for path in paths]
    shared = {stem for stem, count in Counter(stems).items() if count > 1}
    # The outputs of two files with one stem (a.mrc, a.png) would overwrite each other.
    names = [
        f"{stem}_{suffix_of(path)[1:]}" if stem in shared else stem
        for stem, path in zip(stems, paths, strict=True)
    ]
    clashes = [name for name, count in Counter(names).items() if count > 1]
    if clashes:
        raise UsageError(
            f"dataset.micrographs: two files would both be called {clashes[0]}; rename one"
        )
    return sorted(zip(names, paths, strict=True))


def listed_path(listing: Path, name: str) -> Path:
    """Resolve a listed path against the working folder, or else the folder of the list."""
    path = Path(name)
    return path if path.is_absolute() or path.exists() else listing.parent / path


def _expand(given: str) -> list[Path]:
    path = Path(given)
    if path.is_dir():
        return [p for p in sorted(path.rglob("*")) if _is_micrograph(p)]
    if glob.has_magic(given) and not path.exists():
        return [Path(p) for p in sorted(glob.glob(given, recursive=True))]  # noqa: PTH207
    if not path.exists():
        raise UsageError(f"dataset.micrographs: there is no file or folder {given}")
    if path.suffix == ".star":
        return [listed_path(path, name) for name in micrograph_names(path)]
    if path.suffix in {".txt", ".lst"}:
        return [listed_path(path, line.strip()) for line in text_lines(path) if line.strip()]
    return [path]


def _is_micrograph(path: Path) -> bool:
    return suffix_of(path) in EXTENSIONS and not path.name.startswith(".")


def _nothing_found(given: str) -> str:
    """Return the message that no micrograph was found; often the folder holds movies instead."""
    message = (
        f"dataset.micrographs: no micrographs ({' '.join(sorted(EXTENSIONS))}) found in {given}"
    )
    there = Path(given).rglob("*") if Path(given).is_dir() else ()
    other = next((path for path in there if suffix_of(path) in VENDORS), None)
    return message if other is None else f"{message}\n{other} is {VENDORS[suffix_of(other)]}"


def _unique(paths: list[Path]) -> list[Path]:
    unique = list({os.path.realpath(path): path for path in reversed(paths)}.values())[::-1]
    if len(unique) < len(paths):
        logger.warning("%d micrographs are listed twice, used once", len(paths) - len(unique))
    return unique


def _common_folder(paths: list[Path]) -> Path:
    """Return the deepest folder that holds all paths, which may contain ``..``."""
    return Path(os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths]))  # noqa: PTH100, PTH120
