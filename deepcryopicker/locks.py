"""One run at a time in a folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepcryopicker.errors import UsageError


class InUseError(UsageError):
    """Another run is at work in the folder."""


_LOCK = ".lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder; the system lets go when the process ends, however it does.

    Raises
    ------
    InUseError
        If another run is in it.
    """
    path = folder / _LOCK
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUseError(
                f"another run is at work in {folder}\n"
                "wait until it has ended, or choose another folder: hydra.run.dir=OTHER"
            ) from None
        except OSError:
            pass  # a file system without locks
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
