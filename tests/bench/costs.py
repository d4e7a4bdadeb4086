"""What a program costs: seconds, processor seconds and memory of a process and its children."""

import os
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "OPENCV_FOR_THREADS_NUM",
    ),
    "1",
)
"""The environment in which numerical libraries use one thread."""


class ProgramError(Exception):
    """A program could not be measured, and why."""


@dataclass(frozen=True)
class Usage:
    """Of one process that has ended.

    Attributes
    ----------
    wall : float
        Seconds.
    cpu : float
        User and system seconds, those of children included.
    peak : float
        Largest resident memory, MiB; of children the largest one's, if it is larger.
    """

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Cost:
    """Of a program that works on one micrograph after the other.

    Attributes
    ----------
    micrographs : int
        In the longer of the two runs that were measured.
    startup, startup_cpu : float
        Seconds and processor seconds that every run takes, however many micrographs it has.
    wall, cpu : float
        Seconds and processor seconds that each micrograph adds.
    peak : float
        MiB, of the longer run.
    """

    micrographs: int
    startup: float
    startup_cpu: float
    wall: float
    cpu: float
    peak: float


def run(
    command: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str] | None = None
) -> Usage:
    """Run a command to its end and measure it.

    The calling process should be small: Linux includes its memory in the peak of the process that
    it starts.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        Where it runs.
    log : Path
        What it prints goes there.
    environment : mapping, optional
        Variables set on top of those of this process.

    Raises
    ------
    ProgramError
        If it ends with another code than 0.
    """
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = log.read_text(errors="replace").strip().splitlines()
        raise ProgramError(
            f"{shlex.join(command[:3])} ... ended with code {process.returncode}: "
            f"{said[-1] if said else 'it printed nothing'}"
        )
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def split_startup(one: Usage, many: Usage, micrographs: int) -> Cost:
    """Part the cost of starting from that of each micrograph: a line through two runs.

    Parameters
    ----------
    one, many : Usage
        Of a run with a single micrograph, and of one with `micrographs`, at least two.

    Notes
    -----
    On a busy machine a longer run may take less time than a shorter one: what would be negative
    is 0 then. Processor seconds vary much less.
    """
    startup, wall = _line(one.wall, many.wall, micrographs)
    startup_cpu, cpu = _line(one.cpu, many.cpu, micrographs)
    return Cost(micrographs, startup, startup_cpu, wall, cpu, many.peak)


def _line(at_one: float, at_many: float, many: int) -> tuple[float, float]:
    """Return intercept and slope."""
    slope = max(0.0, (at_many - at_one) / (many - 1))
    return max(0.0, at_one - slope), slope


def in_sequence(costs: Sequence[Cost]) -> Cost:
    """Add up programs that run one after the other on the same micrographs."""
    return Cost(
        min(cost.micrographs for cost in costs),
        sum(cost.startup for cost in costs),
        sum(cost.startup_cpu for cost in costs),
        sum(cost.wall for cost in costs),
        sum(cost.cpu for cost in costs),
        max(cost.peak for cost in costs),
    )
