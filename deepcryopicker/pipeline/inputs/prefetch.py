"""Work on the next micrographs while the current one is processed.

Not a ThreadPoolExecutor: the interpreter waits for its threads when it exits, while a daemon thread
that a file system does not answer is abandoned.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from typing import Generic, TypeVar

from deepcryopicker.io.console import track

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE = 5.0  # seconds that closing waits for a read under way
_MOST_THREADS = 8
"""Each holds a micrograph in memory."""


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


def work_ahead(
    items: Iterable[T], work: Callable[[T], R]
) -> Generator[Callable[[], R], None, None]:
    """Work on items with a network, as :func:`read_ahead`, in a thread for each core.

    In each of several threads torch uses that thread alone: a network works on several micrographs
    at the same time faster than on one after the other with several threads each, because not all
    of the work on a micrograph can be divided.

    Parameters
    ----------
    items : iterable
    work : callable
        Must not modify shared state.
    """
    threads = count_threads()
    if threads == 1:
        yield from read_ahead(items, work)
        return
    import torch  # on demand: labelers and programs pick without it

    def alone(item: T) -> R:
        torch.set_num_threads(1)
        return work(item)

    # What a thread sets is the default of those that use torch for the first time after it, which
    # may be this one.
    usual = torch.get_num_threads()
    try:
        with _alone_in_algebra():
            yield from read_ahead(items, alone, threads)
    finally:
        torch.set_num_threads(usual)


def track_ahead(
    items: Sequence[T], work: Callable[[T], R], description: str
) -> Iterator[tuple[T, Callable[[], R]]]:
    """Work on items as :func:`work_ahead`, with a progress bar.

    Parameters
    ----------
    items : sequence
    work : callable
    description : str
        Text of the progress bar.

    Yields
    ------
    item, callable
        Each item, and the function that returns its result, or raises its exception.
    """
    with closing(work_ahead(items, work)) as coming:
        yield from zip(track(items, description), coming, strict=False)


def count_threads() -> int:
    """Return the number of cores of this process, at most eight."""
    return min(len(os.sched_getaffinity(0)), _MOST_THREADS)


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
    with _alone_in_algebra():
        return [take() for take in read_ahead(items, work, threads)]


def _alone_in_algebra() -> AbstractContextManager[object]:
    """Keep NumPy's and SciPy's products to the thread that asks for them.

    Their libraries have a thread for each core, which after each product waits busily for the next
    and takes the cores from threads that work on other items.
    """
    from threadpoolctl import threadpool_limits  # on demand: it looks at every loaded library

    return threadpool_limits(1, user_api="blas")


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
