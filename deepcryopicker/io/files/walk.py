"""Find the files below a folder; linked folders are followed, and each file is found once."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deepcryopicker.errors import UsageError

logger = logging.getLogger(__name__)

MOST_FILES = 2_000_000
"""A folder with more files below it is refused: a link may lead to a whole disk."""


@dataclass(frozen=True)
class _Folder:
    """A folder as it is reached, its real path, its files by name, and links to files."""

    path: str
    real: str
    files: dict[str, str]
    links: list[str]


def files_below(folder: Path) -> list[Path]:
    """List the files in a folder and its sub-folders, sorted.

    Hidden files and folders are not listed. Linked folders are followed; a folder or file that is
    reached by several ways is listed once, by a way without links if there is one. What is neither
    a folder nor a regular file, such as a broken link, is listed as well.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    OSError
        If the folder itself cannot be read; a sub-folder that cannot be read is a warning.
    UsageError
        If there are more than `MOST_FILES`.
    """
    found: dict[str, str] = {}
    links: list[str] = []
    for one in _walk(folder):
        found |= {f"{one.real}/{name}": path for name, path in one.files.items()}
        links += one.links
        if len(found) + len(links) > MOST_FILES:
            raise UsageError(
                f"{folder}: more than {MOST_FILES} files lie below it, links included\n"
                "give a folder that holds fewer"
            )
    twice = 0
    for path in sorted(links):
        twice += found.setdefault(os.path.realpath(path), path) != path
    if twice:
        logger.info("%s: %d files are linked twice, used once", folder, twice)
    return [Path(path) for path in sorted(found.values())]


def _walk(folder: Path) -> Iterator[_Folder]:
    """Visit every real folder once; those without a link on the way come first."""
    start = str(folder)
    real = os.path.realpath(start)
    waiting, visited = [(start, real)], {real}
    linked: list[str] = []
    while waiting or linked:
        if not waiting:
            linked.sort(reverse=True)
            path = linked.pop()
            real = os.path.realpath(path)
            if real in visited:
                continue
            visited.add(real)
            waiting.append((path, real))
        path, real = waiting.pop()
        try:
            with os.scandir(path) as scan:
                entries = [entry for entry in scan if not entry.name.startswith(".")]
        except OSError as error:
            if path == start:
                raise
            logger.warning("%s cannot be read: %s", path, error.strerror)
            continue
        files, links = {}, []
        for entry in entries:
            if _is_folder(entry):
                below = f"{real.rstrip('/')}/{entry.name}"
                if entry.is_symlink():
                    linked.append(entry.path)
                elif below not in visited:
                    visited.add(below)
                    waiting.append((entry.path, below))
            elif entry.is_symlink():
                links.append(entry.path)
            else:
                files[entry.name] = entry.path
        yield _Folder(path, real.rstrip("/"), files, links)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle, or a disk that does not answer
        return False
