"""One `pick` run over hundreds of micrographs: is memory flat, is throughput steady?"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from inputs import link_copies, make_inputs, train_weights
from programs import ROOT, ours
from results import write
from rich.console import Console
from rich.table import Table

SHOWN = {"first": 0, "middle": 2, "last": 4}  # fifths


class Sample(NamedTuple):
    """What is seen of a run at one time.

    Attributes
    ----------
    second : float
        Since it began.
    memory : float
        Resident, MiB.
    done : int
        Micrographs whose coordinates are written.
    """

    second: float
    memory: float
    done: int


class Stretch(NamedTuple):
    """A fifth of a run: micrographs a second, and median and largest memory in MiB."""

    throughput: float
    median: float
    largest: float


def fifth(samples: Sequence[Sample], index: int, count: int) -> Stretch:
    """Summarise the samples at which `index` to `index` + 1 fifths of the micrographs were done.

    Parameters
    ----------
    samples : sequence of Sample
        Those before the first micrograph is done do not count: the program is starting.
    index : int
        0 to 4.
    count : int
        All micrographs.

    Raises
    ------
    ValueError
        If a fifth took less time than two samples do.
    """
    share = count / 5
    inside = [s for s in samples if s.done > 0 and index * share <= s.done <= (index + 1) * share]
    if len(inside) < 2:
        raise ValueError("too few micrographs, or too few samples: give more micrographs")
    memory = sorted(s.memory for s in inside)
    seconds = inside[-1].second - inside[0].second
    done = inside[-1].done - inside[0].done
    return Stretch(done / seconds, memory[len(memory) // 2], memory[-1])


def resident(status: str) -> float:
    """Return MiB from the text of ``/proc/<pid>/status``; 0 for a process that has ended."""
    kib = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(kib[0]) / 1024 if kib else 0.0


def watch(process: subprocess.Popen[bytes], picks: Path, every: float) -> list[Sample]:
    """Look at a process until it ends."""
    start = time.perf_counter()
    samples = []
    while process.poll() is None:
        memory = resident(Path(f"/proc/{process.pid}/status").read_text())
        done = sum(1 for _ in picks.glob("*.csv"))
        if memory:
            samples.append(Sample(time.perf_counter() - start, memory, done))
        time.sleep(every)
    return samples


def show(samples: Sequence[Sample], count: int, cpu: float) -> Table:
    """Draw a row for each fifth that is looked at."""
    peak = max(sample.memory for sample in samples)
    title = (
        f"{count} micrographs in {samples[-1].second:.0f} s, "
        f"{cpu / count:.2f} CPU s each with the start, peak {peak:.0f} MiB"
    )
    table = Table(title=title)
    for heading in ("fifth", "micrographs / s", "median MiB", "largest MiB"):
        table.add_column(heading, justify="left" if heading == "fifth" else "right")
    for name, index in SHOWN.items():
        stretch = fifth(samples, index, count)
        table.add_row(
            name, f"{stretch.throughput:.2f}", f"{stretch.median:.0f}", f"{stretch.largest:.0f}"
        )
    return table


def main() -> None:
    """Run `pick`, watch it, print the table, write ``endurance.csv``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, help="run folder of train; default: train one now")
    parser.add_argument("--micrographs", type=int, default=500)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two polls")
    parser.add_argument("--out", type=Path, default=ROOT / "outputs" / "bench")
    given = parser.parse_args()
    console = Console(highlight=False, width=120)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        inputs = make_inputs(work / "distinct", given.micrographs)
        weights = given.weights.resolve() if given.weights else train_weights(inputs, work)
        links = link_copies(inputs.files, work / "all", given.micrographs)
        command = ours(weights, inputs.diameter)[-1].command(links, "run")
        console.print(f"picking {given.micrographs} names of {len(inputs.files)} micrographs")
        before = os.times()
        with (work / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=work, stdout=log, stderr=subprocess.STDOUT)
            samples = watch(process, work / "run" / "picks", given.every)
        after = os.times()
        done = sum(1 for _ in (work / "run" / "picks").glob("*.csv"))
        if process.returncode or done < given.micrographs:
            said = (work / "log").read_text()
            sys.exit(f"{said}{done} of {given.micrographs} micrographs were picked")
    write(given.out / "endurance.csv", ("second", "memory_mib", "done"), samples)
    used = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    console.print(show(samples, given.micrographs, used))
    console.print(f"written: {given.out / 'endurance.csv'}")


if __name__ == "__main__":
    main()
