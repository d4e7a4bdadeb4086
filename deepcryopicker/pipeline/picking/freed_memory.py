"""How the C library hands out memory."""

import ctypes
import sys

# Parameters of mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGEST = 2**30  # bytes


def keep_freed_memory() -> None:
    """Let the C library keep the memory of large arrays for the next ones.

    By default it returns every block of 32 MB or more to the system, and the next such array has
    its pages mapped and zeroed again: for the images and activations here that takes longer than
    the arithmetic. One pool for all threads, so that what one thread frees another can use.

    Only glibc is told; elsewhere this does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl has none
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST)
    mallopt(_TRIM_THRESHOLD, _LARGEST)
    mallopt(_ARENA_MAX, 1)
