"""Medians of repeated runs, and the memory that one takes, as a table."""

import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

RUNS = 5
PROCESS = Path("/proc/self")


def median_seconds(work: Callable[[], object], clock: Callable[[], float] | None = None) -> float:
    """Time `RUNS` calls after one to warm up, by the wall's clock if no other is given."""
    clock = clock or time.perf_counter
    work()
    times = []
    for _ in range(RUNS):
        start = clock()
        work()
        times.append(clock() - start)
    return statistics.median(times)


def extra_memory(work: Callable[[], object]) -> float:
    """Return by how much resident memory grows at most while `work` is done, MiB."""
    (PROCESS / "clear_refs").write_text("5")  # the peak falls to what is resident now
    before = _status("VmHWM")
    work()
    return (_status("VmHWM") - before) / 1024


def _status(key: str) -> int:
    """Read a number of KiB from the status that Linux reports for this process."""
    lines = (PROCESS / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def print_table(title: str, stages: Mapping[str, Callable[[], object]]) -> list[tuple[str, ...]]:
    """Measure each stage, print a row for it, and return the rows."""
    table = Table(title=title)
    table.add_column("stage")
    for heading in ("median s", "CPU s", "extra MiB"):
        table.add_column(heading, justify="right")
    rows = []
    for name, work in stages.items():
        wall, cpu = median_seconds(work), median_seconds(work, time.process_time)
        rows.append((name, f"{wall:.3f}", f"{cpu:.3f}", f"{extra_memory(work):.0f}"))
        table.add_row(*rows[-1])
    Console().print(table)
    return rows
