"""The files of ``dataset.structure``, checked before anything is read; no library is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.files.checks import file_size
from deepcryopicker.io.files.suffixes import COMPRESSED, suffix_of

PDB = frozenset({".pdb", ".ent"})
MODELS = PDB | {".cif", ".mmcif"}
MAPS = frozenset({".mrc", ".map", ".ccp4"})


def given_structures(given: Any) -> list[Path]:
    """Return the files of ``dataset.structure``: one, or several for a mixture.

    Parameters
    ----------
    given : str, list of str or None
        Relative to the working directory.

    Raises
    ------
    UsageError
        Not a path or a list of paths; no such file; neither a model nor a map by its suffix.
    """
    if given is None:
        return []
    several = isinstance(given, Sequence) and not isinstance(given, str)
    names = list(given) if several else [given]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise UsageError(
            f"dataset.structure must be a file or a list of files, [A.pdb,B.mrc], got '{given}'"
        )
    paths = [Path(name) for name in names]
    for path in paths:
        require_structure(path)
    return paths


def require_structure(path: Path) -> None:
    """Refuse what is not a file of a known suffix.

    Raises
    ------
    UsageError
        Names the file and what it should be.
    """
    if bare_suffix(path) not in MODELS | MAPS:
        raise UsageError(
            f"dataset.structure: {path} is neither a model (.pdb, .cif) nor a density map (.mrc, "
            ".map), by its suffix"
        )
    try:
        file_size(path)
    except (MicrographError, ValueError) as error:
        raise UsageError(f"dataset.structure: {path}: {error}") from error


def is_model(path: Path) -> bool:
    """Return whether a file is an atomic model rather than a density map, by its suffix."""
    return bare_suffix(path) in MODELS


def bare_suffix(path: Path) -> str:
    """Return the lower-case suffix without that of a compression."""
    suffix = suffix_of(path)
    return next((suffix.removesuffix(one) for one in COMPRESSED if suffix.endswith(one)), suffix)
