"""Read the next micrograph while the current one is worked on."""

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
    """Read items in a background thread, in order and never more than one ahead.

    While the caller works on one item the next is read, and no other: two of them are in memory
    at most, if the caller keeps none.

    Parameters
    ----------
    items : iterable
    read : callable
        Reads one item. It runs in another thread, so it must leave what others use alone.

    Yields
    ------
    callable
        For each item, a function to be called once: it returns what was read, or raises what
        reading it raised.
    """
    remaining = iter(items)
    coming = _begin(remaining, read)
    try:
        while coming is not None:
            coming.wait()
            current, coming = coming, _begin(remaining, read)
            yield current.take
            del current  # with it goes what nobody took
    finally:
        if coming is not None:
            coming.wait(_PATIENCE)


def _begin(remaining: Iterator[T], read: Callable[[T], R]) -> "_Reading[R] | None":
    """Begin to read the next item, if there is one."""
    for item in remaining:
        return _Reading(partial(read, item))
    return None


class _Reading(Generic[R]):
    """One read in a thread of its own, and then its outcome."""

    def __init__(self, work: Callable[[], R]) -> None:
        self._work = work
        self._results: list[R] = []
        self._error: BaseException | None = None
        # A daemon: a file system that hangs does not keep the program from ending.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end of the read, but no longer than so many seconds."""
        self._thread.join(seconds)

    def take(self) -> R:
        """Hand the result over, without keeping it, or raise what the read raised."""
        self.wait()
        if self._error is not None:
            raise self._error
        return self._results.pop()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # raised again where the result is asked for
            self._error = error
