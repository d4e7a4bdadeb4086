"""Write files atomically, so that no reader sees a partial file."""

import errno
import os
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from deepcryopicker.errors import OutputError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_TEMPORARY = re.compile(r"\..*\.tmp-\d+(\.[^.]*)?")
LOCK = ".lock"
"""Marks a folder in which a run is active; the lock of a killed run is void."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder that becomes `path` when the block succeeds.

    The file is flushed to disk before it is renamed; if the block fails, it is removed and an
    older `path` is left unchanged. Missing parent folders are created. The file has the mode that
    the umask gives, whatever mode its writer or an older `path` has.

    Raises
    ------
    OutputError
        The disk is full or writing is not permitted.
    """
    # The suffix stays last: some writers choose the format by it.
    temporary = path.with_name(f".{path.stem}.tmp-{os.getpid()}{path.suffix}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            usual = _usual_mode(path.parent)
            temporary.unlink(missing_ok=True)
            yield temporary
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            _set_mode(temporary, usual)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk or missing permission while `path` is written into an OutputError.

    Raises
    ------
    OutputError
        Other errors pass unchanged.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutputError(
                f"disk full writing {path}\n"
                "what is finished is kept: free some space, then type the same command again"
            ) from error
        if error.errno in _FORBIDDEN:
            raise OutputError(f"{path} cannot be written: {os.strerror(error.errno)}") from error
        raise


def share_as_usual(folder: Path) -> None:
    """Give all files below a folder the mode that the umask gives to new ones."""
    with writing(folder):
        usual = _usual_mode(folder)
    for place, _, files in os.walk(folder):
        for name in files:
            _set_mode(Path(place) / name, usual)


@lru_cache(maxsize=256)  # thousands of files are written into a few folders
def _usual_mode(folder: Path) -> int:
    """Return the mode of a new file in a folder, found by creating one, which is removed again.

    Reading the umask itself would change it for a moment, also for other threads.
    """
    probe = folder / f".mode-{threading.get_ident()}.tmp-{os.getpid()}"
    probe.unlink(missing_ok=True)
    probe.touch()
    mode = probe.stat().st_mode
    probe.unlink()
    return mode


def _set_mode(path: Path, mode: int) -> None:
    """Set the mode of a regular file, unless it shares its content with a file elsewhere."""
    found = path.lstat()
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_mode != mode:
        path.chmod(mode)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def append_lines(path: Path, lines: str) -> None:
    """Append lines of text and flush them to disk; an interruption may leave a partial line."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(lines)
            stream.flush()
            os.fsync(stream.fileno())


def remove_temporary(folder: Path) -> None:
    """Remove temporary files of a killed run, except below folders that hold a lock.

    Call it only where no other run writes into `folder` itself.
    """
    for place, folders, files in os.walk(folder):
        below = Path(place)
        folders[:] = [name for name in folders if not (below / name / LOCK).exists()]
        for name in files:
            if _TEMPORARY.fullmatch(name):
                (below / name).unlink(missing_ok=True)
