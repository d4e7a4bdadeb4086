"""Threads that work on several micrographs at the same time."""

import os
import sys
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_MOST = 8
"""Threads; each holds a micrograph in memory."""
_SWITCH_SECONDS = 0.0005
"""Longest wait for the interpreter, which 5 ms by default make as long as a step of the work."""


def count_threads() -> int:
    """Return the number of cores of this process, at most eight."""
    return min(len(os.sched_getaffinity(0)), _MOST)


def single_threaded(work: Callable[[T], R]) -> Callable[[T], R]:
    """Return a function for one of several threads, in which torch uses that thread alone.

    A network picks several micrographs at the same time faster than one after the other with
    several threads each: not all of the work of a micrograph can be divided.
    """
    import torch  # on demand: labelers and programs pick without it

    sys.setswitchinterval(_SWITCH_SECONDS)

    def alone(item: T) -> R:
        torch.set_num_threads(1)
        return work(item)

    return alone
