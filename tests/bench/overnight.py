"""`pick` over thousands of small micrographs, killed and resumed: memory, outputs, work redone."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from endurance import Sample, watch
from inputs import link_copies, make_inputs, train_weights
from programs import ROOT, ours
from results import write
from rich.console import Console

SIDE = 1024  # pixels
SETTLED = 100  # micrographs after which memory is not to grow
PATTERNS = ("picks/*.csv", "relion/**/*_autopick.star")


def growth(samples: Sequence[Sample], settled: int) -> tuple[float, float, float]:
    """Compare memory from when `settled` micrographs were done to the end of a run.

    Returns
    -------
    (float, float, float)
        Resident MiB at first, at the most and at the last.

    Raises
    ------
    ValueError
        If nothing was seen after that.
    """
    after = [sample.memory for sample in samples if sample.done >= settled]
    if not after:
        raise ValueError(f"no sample after {settled} micrographs: give more micrographs")
    return after[0], max(after), after[-1]


def written(run: Path) -> dict[Path, int]:
    """Map the candidates' files of a run to their times of change, nanoseconds."""
    return {path: path.stat().st_mtime_ns for path in (run / "picks").glob("*.csv")}


def redone(before: Mapping[Path, int], after: Mapping[Path, int]) -> int:
    """Count the files that were there before and have been written again."""
    return sum(after[path] != changed for path, changed in before.items())


def kill_after(command: Sequence[str], work: Path, count: int) -> None:
    """Start a run and kill it once so many micrographs are done."""
    with (work / "killed.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=work, stdout=log, stderr=subprocess.STDOUT)
        while len(written(work / "run")) < count:
            if process.poll() is not None:
                sys.exit((work / "killed.log").read_text())
            time.sleep(0.05)
        process.kill()
        process.wait()


def main() -> None:
    """Kill a run, continue it, and report memory, outputs and repeated work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, help="run folder of train; default: train one now")
    parser.add_argument("--micrographs", type=int, default=2000)
    parser.add_argument("--kill-after", type=int, default=50)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two polls")
    parser.add_argument("--out", type=Path, default=ROOT / "outputs" / "bench")
    given = parser.parse_args()
    console = Console(highlight=False, width=120)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        run = work / "run"
        inputs = make_inputs(work / "distinct", 1, SIDE)
        weights = given.weights.resolve() if given.weights else train_weights(inputs, work)
        links = link_copies(inputs.files, work / "all", given.micrographs)
        command = ours(weights, inputs.diameter)[-1].command(links, "run")
        console.print(f"picking {given.micrographs} names of one {SIDE} x {SIDE} micrograph")
        kill_after(command, work, given.kill_after)
        before = written(run)
        with (work / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=work, stdout=log, stderr=subprocess.STDOUT)
            samples = watch(process, run / "picks", given.every)
        if process.returncode:
            sys.exit((work / "log").read_text())
        counts = {pattern: sum(1 for _ in run.glob(pattern)) for pattern in PATTERNS}
        again = redone(before, written(run))
    write(given.out / "overnight.csv", ("second", "memory_mib", "done"), samples)
    first, most, last = growth(samples, SETTLED)
    console.print(f"killed after {len(before)} were written; {again} of these picked again")
    console.print(f"outputs: {', '.join(f'{n} {pattern}' for pattern, n in counts.items())}")
    console.print(
        f"resident memory: {first:.0f} MiB after the {SETTLED}th, at most {most:.0f}, "
        f"{last:.0f} at the last: {most / first - 1.0:+.1%}"
    )
    console.print(f"{samples[-1].second:.0f} s from there; written: {given.out / 'overnight.csv'}")
    complete = all(count == given.micrographs for count in counts.values())
    sys.exit(0 if complete and again <= 1 and abs(most / first - 1.0) <= 0.1 else 1)


if __name__ == "__main__":
    main()
