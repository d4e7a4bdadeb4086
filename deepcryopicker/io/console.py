"""Console output and progress: a bar with remaining time on a terminal, plain lines elsewhere."""

import logging
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
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
SUBJECT = "subject"
"""Attribute of a log record whose subject the terminal names once, see `subjects_shown`."""


class _Subjects(logging.Handler):
    """Prints the first warning about each subject."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._shown: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        subject = getattr(record, SUBJECT, None)
        if subject is not None and subject not in self._shown:
            self._shown.add(subject)
            said = f"{record.getMessage()} (if there are more such files, the log names them)"
            console.print(f"[yellow]{escape(said)}[/]")


@contextmanager
def subjects_shown() -> Iterator[None]:
    """Print the first warning about each subject meanwhile; all of them go to the log.

    Warnings about single files go to the log alone, except those with ``extra={SUBJECT: ...}``,
    which concern a whole folder more often than not.
    """
    logger, handler = logging.getLogger("deepcryopicker"), _Subjects()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@contextmanager
def quiet(silent: bool = True) -> Iterator[None]:
    """Print nothing meanwhile, unless it is not to be silent; no progress either."""
    before = console.quiet
    console.quiet = before or silent
    try:
        yield
    finally:
        console.quiet = before


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1.

    Examples
    --------
    >>> counted(1, "micrograph"), counted(2, "micrograph")
    ('1 micrograph', '2 micrographs')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def track(items: Collection[T], description: str, unit: str = "micrograph") -> Iterator[T]:
    """Yield the items and show how many are done and the time remaining.

    Parameters
    ----------
    items : collection
        Nothing is shown for an empty one.
    description : str
        What is done to them; their number follows: ``"cutting training windows from"``.
    unit : str
        Name of an item, in the singular.
    """
    if not items:
        return
    description = f"{description} {counted(len(items), unit)}"
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
    console.print(f"{description}: done in {time.monotonic() - start:.0f} s")
