"""Micrographs named by a pattern, or by a file that lists them."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from deepcryopicker.dataset.listing import is_star
from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.formats import NAMES
from deepcryopicker.io.coordinates.micrograph_names import NameIndex, bare_name, plain_name
from deepcryopicker.io.files.tables import read_rows
from deepcryopicker.io.files.text import text_lines
from deepcryopicker.io.star.relion_star import micrograph_names


def chosen_names(key: str, given: str, names: Sequence[str]) -> set[str]:
    """Return the names that a pattern or a list of micrographs chooses.

    Parameters
    ----------
    key : str
        Configuration key, for messages.
    given : str
        A pattern such as ``grid2_*``, or a file: STAR with rlnMicrographName, CSV with a column
        such as ``micrograph``, or text with a name in each line.
    names : sequence of str
        Of all micrographs.

    Raises
    ------
    UsageError
        The file is damaged, or nothing is chosen.
    """
    path = Path(given).expanduser()
    if path.is_file():
        index = NameIndex(names, bare_name)
        chosen = {
            name for listed in _listed(key, path) for name in index.matching(plain_name(listed))
        }
    else:
        chosen = {
            name
            for name in names
            if fnmatchcase(name, given) or fnmatchcase(Path(name).name, given)
        }
    if not chosen:
        shown = ", ".join(names[:3])
        raise UsageError(f"{key}={given} matches no micrograph; there are, for example, {shown}")
    return chosen


def _listed(key: str, path: Path) -> list[str]:
    if is_star(path):
        return micrograph_names(path)
    if path.suffix.lower() != ".csv":
        lines = (line.strip() for line in text_lines(path))
        return [line for line in lines if line and not line.startswith("#")]
    header, rows = read_rows(path, "micrograph")
    column = next((header.index(name) for name in NAMES if name in header), None)
    if column is None:
        raise UsageError(f"{key}: {path} has no column {NAMES[0]}, it has {', '.join(header)}")
    return [cells[column] for _, cells in rows]
