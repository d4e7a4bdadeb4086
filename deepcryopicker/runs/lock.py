"""Lock of a run folder, so that only one run uses it at a time.

Not filelock: the lock file names the process and machine that hold it, for the message, and a file
system without locks is accepted.
"""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.atomic import LOCK


class InUseError(UsageError):
    """Another run is using the folder."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Lock a run folder; the operating system releases the lock when the process ends.

    Raises
    ------
    InUseError
        If another run is using the folder.
    UsageError
        If the folder cannot be written to.
    """
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = _locked(path)
    except BlockingIOError as error:
        raise InUseError(
            f"another run is using {folder}: {path.read_text('utf-8').strip()}\n"
            "wait until it has ended, or choose another folder: hydra.run.dir=OTHER"
        ) from error
    except OSError as error:
        raise UsageError(unwritable(folder, error)) from error
    with stream:
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        stream.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def unwritable(folder: Path, error: OSError) -> str:
    """Return the message for a folder that cannot be created or written to."""
    return (
        f"{folder} cannot be the run folder: {error.strerror}\n"
        "choose another one: hydra.run.dir=OTHER"
    )


def _locked(path: Path) -> TextIO:
    """Open and lock a file without changing its content.

    Raises
    ------
    BlockingIOError
        If another process holds the lock.
    """
    while True:
        stream = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            raise
        except OSError:
            return stream  # a file system without locks
        # The previous holder may have removed the file between opening and locking.
        if path.exists() and os.path.samestat(os.fstat(stream.fileno()), path.stat()):
            return stream
        stream.close()
