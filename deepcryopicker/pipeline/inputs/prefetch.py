"""Read the next micrograph while the current one is processed.

Not a ThreadPoolExecutor: the interpreter waits for its threads when it exits, while a daemon thread
that a file system does not answer is abandoned.
"""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE = 5.0  # seconds that closing waits for a read under way


def read_ahead(
    items: Iterable[T], read: Callable[[T], R]
) -> Generator[Callable[[], R], None, None]:
    """Read items in a background thread, in order and at most one ahead.

    While the caller processes one item, only the next is read: at most two are in memory, unless
    the caller keeps them.

    Parameters
    ----------
    items : iterable
    read : callable
        Reads one item, in another thread, so that it must not modify shared state.

    Yields
    ------
    callable
        For each item, a function to be called once: it returns the result of `read`, or raises
        its exception.
    """
    remaining = iter(items)
    coming = _begin(remaining, read)
    try:
        while coming is not None:
            coming.wait()
            current, coming = coming, _begin(remaining, read)
            yield current.take
            del current  # frees a result that was not used
    finally:
        if coming is not None:
            coming.wait(_PATIENCE)


def _begin(remaining: Iterator[T], read: Callable[[T], R]) -> "_Reading[R] | None":
    """Start to read the next item, if any."""
    for item in remaining:
        return _Reading(partial(read, item))
    return None


class _Reading(Generic[R]):
    """One read in its own thread, and its result."""

    def __init__(self, work: Callable[[], R]) -> None:
        self._work = work
        self._results: list[R] = []
        self._error: BaseException | None = None
        # A daemon thread, so that the program can end although a file system hangs.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end of the read, for a limited time."""
        self._thread.join(seconds)

    def take(self) -> R:
        """Return the result without keeping it, or raise the exception of the read."""
        self.wait()
        if self._error is not None:
            raise self._error
        return self._results.pop()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # raised again by take()
            self._error = error
