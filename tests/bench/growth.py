"""Cost as work grows: picking and training without labels on more and more micrographs, and shards.

python tests/bench/growth.py [--counts 10 100 1000] [--shards 1 2 4]

Micrographs are simulated, 512 x 512, each of a few under many names. ``evaluate`` and ``report``
over thousands are in ``many_micrographs.py``. Shards run at the same time, each on a core of its
own as long as there are enough; efficiency is the time of one shard, divided by that of the slowest
and by the number of cores they have.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from costs import ONE_THREAD, Usage, run
from inputs import Inputs, link_copies, make_inputs
from programs import ROOT, label_free, picking
from results import show, write

SIDE, DISTINCT = 512, 5  # pixels, micrographs
SHARDED = 400  # micrographs
COLUMNS = ("command", "micrographs", "s", "CPU s", "CPU ms each", "peak MiB")
SHARD_COLUMNS = ("shards", "cores", "s", "efficiency")


def commands(folder: Path, inputs: Inputs, work: Path) -> dict[str, list[str]]:
    """Return what is typed for a folder of micrographs, by the name of the command."""
    return {
        "pick": picking(folder, inputs.diameter, work / f"pick-{folder.name}"),
        "no_labels": label_free(folder, inputs.diameter, work / f"train-{folder.name}"),
    }


def cells(name: str, count: int, used: Usage) -> list[str]:
    """Return a row of the table."""
    each = f"{1000 * used.cpu / count:.0f}"
    return [name, str(count), f"{used.wall:.1f}", f"{used.cpu:.1f}", each, f"{used.peak:.0f}"]


def seconds_of_shards(count: int, typed: Sequence[str], out: Path) -> tuple[float, int]:
    """Pick a folder by shards at the same time.

    Returns
    -------
    float, int
        Seconds until the last one has ended, and the number of cores they had.
    """
    cores = sorted(os.sched_getaffinity(0))
    used = cores[: min(count, len(cores))]
    start, processes = time.perf_counter(), []
    for number in range(count):
        command = ["taskset", "-c", str(used[number % len(used)]), sys.executable, *typed]
        command += [f"shard={number + 1}/{count}", f"hydra.run.dir={out}"]
        with (out.parent / f"{out.name}-{number}.log").open("wb") as log:
            environment = os.environ | ONE_THREAD
            processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
    if any(process.wait() for process in processes):
        sys.exit(f"a shard of {count} failed: see {out.parent}")
    return time.perf_counter() - start, len(used)


def main() -> None:
    """Measure, print the tables, write ``growth.csv`` and ``shards.csv``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--out", type=Path, default=ROOT / "outputs" / "bench")
    given = parser.parse_args()
    rows, shards = [], []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        inputs = make_inputs(work / "distinct", DISTINCT, SIDE)
        for count in given.counts:
            many = work / str(count)
            link_copies(inputs.files, many, count)
            for name, typed in commands(many, inputs, work).items():
                used = run([sys.executable, *typed], work, work / f"{name}-{count}.log")
                rows.append(cells(name, count, used))
                show("growth", COLUMNS, rows[-1:])
        many = work / "sharded"
        link_copies(inputs.files, many, SHARDED)
        typed = commands(many, inputs, work)["pick"][:-1]
        for count in given.shards:
            wall, cores = seconds_of_shards(count, typed, work / f"shards-{count}")
            first = float(shards[0][2]) if shards else wall
            shards.append([str(count), str(cores), f"{wall:.1f}", f"{first / wall / cores:.2f}"])
    show(f"{SIDE} x {SIDE}, all cores", COLUMNS, rows)
    write(given.out / "growth.csv", COLUMNS, rows)
    if shards:
        show(f"shards of {SHARDED} micrographs, a core each", SHARD_COLUMNS, shards)
        write(given.out / "shards.csv", SHARD_COLUMNS, shards)


if __name__ == "__main__":
    main()
