"""A faster start: no garbage collection while modules are loaded."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """Suspend garbage collection, which loading torch would trigger many times."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # loaded objects are not searched later either
        if was_on:
            gc.enable()
