"""Read the next micrographs while the current one is processed.

Not a ThreadPoolExecutor: the interpreter waits for its threads when it exits, while a daemon thread
that a file system does not answer is abandoned.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE = 5.0  # seconds that closing waits for a read under way


def read_ahead(
    items: Iterable[T], read: Callable[[T], R], ahead: int = 1
) -> Generator[Callable[[], R], None, None]:
    """Read items in background threads, in order.

    While the caller processes one item, the next `ahead` are read at the same time: at most one
    more is in memory, unless the caller keeps them.

    Parameters
    ----------
    items : iterable
    read : callable
        Reads one item, in another thread, so that it must not modify shared state.
    ahead : int
        Number of threads, at least 1.

    Yields
    ------
    callable
        For each item, a function to be called once: it returns the result of `read`, or raises
        its exception.
    """
    remaining = iter(items)
    coming: deque[_Reading[R]] = deque()
    try:
        _fill(coming, remaining, read, ahead)
        while coming:
            coming[0].wait()
            current = coming.popleft()
            _fill(coming, remaining, read, ahead)
            yield current.take
            del current  # frees a result that was not used
    finally:
        for reading in coming:
            reading.wait(_PATIENCE)


def in_parallel(items: Iterable[T], work: Callable[[T], R], threads: int) -> list[R]:
    """Apply a function to items in threads, and return the results in order.

    Parameters
    ----------
    items : iterable
    work : callable
        Must not modify state that calls for other items use.
    threads : int
        At least 1.
    """
    return [take() for take in read_ahead(items, work, threads)]


def _fill(
    coming: "deque[_Reading[R]]", remaining: Iterator[T], read: Callable[[T], R], ahead: int
) -> None:
    """Begin to read items until `ahead` are under way."""
    while len(coming) < ahead:
        begun = _begin(remaining, read)
        if begun is None:
            return
        coming.append(begun)


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
