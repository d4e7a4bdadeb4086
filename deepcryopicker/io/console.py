"""Progress of long work: a bar with an ETA on a terminal, plain lines elsewhere."""

import time
from collections.abc import Collection, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")

# Off a terminal, rich assumes 80 columns: too few for a table of scores.
_detected = Console()
console = Console(
    highlight=False,
    soft_wrap=True,
    width=None if _detected.is_terminal else max(_detected.width, 120),
)
SECONDS_BETWEEN_LINES = 15.0


def track(items: Collection[T], description: str) -> Iterator[T]:
    """Yield the items and show how many are done and how long the rest will take."""
    if not items:
        return
    if console.is_terminal:
        columns = (
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        with Progress(*columns, console=console) as progress:
            yield from progress.track(items, description=description)
        return
    start = last = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if done and now - last >= SECONDS_BETWEEN_LINES:
            left = (now - start) / done * (len(items) - done)
            console.print(f"{description}: {done}/{len(items)}, about {left:.0f} s left")
            last = now
        yield item
    console.print(f"{description}: {len(items)} done in {time.monotonic() - start:.0f} s")
