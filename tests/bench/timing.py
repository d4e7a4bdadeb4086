"""Medians of repeated runs, as a table."""

import statistics
import time
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.table import Table

RUNS = 5


def median_seconds(work: Callable[[], object]) -> float:
    """Time `RUNS` calls after one to warm up."""
    work()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def print_table(title: str, stages: Mapping[str, Callable[[], object]]) -> None:
    """Time each stage and print a row for it."""
    table = Table(title=title)
    table.add_column("stage")
    table.add_column("median s", justify="right")
    for name, work in stages.items():
        table.add_row(name, f"{median_seconds(work):.3f}")
    Console().print(table)
