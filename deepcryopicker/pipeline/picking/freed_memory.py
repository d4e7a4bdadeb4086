"""Memory allocation of the C library."""

import ctypes
import sys

# Parameters of mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGEST = 2**30  # bytes
_REUSED = 48 * 2**20  # bytes
"""More than any layer's outputs of a tile; less than a 4096 x 4096 micrograph of float32."""


def keep_freed_memory() -> None:
    """Make the C library reuse the memory of large arrays.

    By default it returns blocks to the system, and the pages of the next array are mapped and
    zeroed again, which for images and activations takes longer than the arithmetic. All threads
    share one pool, so that each can reuse memory freed by another. Only micrographs at their own
    scale are returned: smaller arrays would take parts of their place, and the pool would grow.

    Applies to glibc only; with other C libraries it does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl has none
        return
    mallopt(_MMAP_THRESHOLD, _REUSED)
    mallopt(_TRIM_THRESHOLD, _LARGEST)
    mallopt(_ARENA_MAX, 1)
