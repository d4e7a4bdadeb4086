"""What `pick` loads, and how long it takes to start: ``start.py [--runs N] [CHECKOUT ...]``.

For each checkout (by default this one) it starts ``python -m deepcryopicker.pick`` with the general
weights on one small micrograph, several times, in turn with ``import torch`` alone, so that all are
measured on the machine in the same state. The start ends when the micrograph is opened.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from os import environ
from pathlib import Path

import mrcfile
import numpy as np
from costs import ONE_THREAD
from programs import ROOT
from rich.console import Console
from rich.table import Table

PACKAGE = "deepcryopicker"
LARGEST = 12  # libraries that are listed

# Runs in a process of its own and imports only what every interpreter has loaded already.
WATCHED = """
import atexit, builtins, io, os, sys

def snapshot(name):
    times = os.times()
    files = {key: getattr(module, "__file__", None) for key, module in list(sys.modules.items())}
    with plain(f"{result}.{name}", "w") as stream:
        stream.write(repr((sum(times[:4]), files)))

def watched(file, *arguments, **keywords):
    global waiting
    if waiting and str(file) == micrograph:
        waiting = False
        snapshot("start")
    return plain(file, *arguments, **keywords)

result, micrograph, waiting = sys.argv[1], sys.argv[2], True
sys.argv = ["pick", *sys.argv[3:]]
plain, builtins.open, io.open = open, watched, watched
atexit.register(snapshot, "end")
import runpy
runpy.run_module("deepcryopicker.pick", run_name="__main__", alter_sys=True)
"""
# As for users, modules are compiled once: the first, untimed run leaves them in __pycache__.
ENVIRONMENT = {**environ, **ONE_THREAD}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
TORCH = "import os, torch; print(sum(os.times()[:4]))"


@dataclass(frozen=True)
class Snapshot:
    """A process at one moment.

    Attributes
    ----------
    seconds : float
        Processor seconds, user and system, since the process began, those of children included.
    modules : dict
        Name of each loaded module to its file; None for one without.
    """

    seconds: float
    modules: dict[str, str | None]

    def ours(self) -> dict[str, Path]:
        """Modules of the package with their files."""
        return {
            name: Path(file)
            for name, file in self.modules.items()
            if file and name.split(".")[0] == PACKAGE
        }

    def lines(self) -> int:
        """Lines of the package's modules."""
        return sum(len(path.read_text().splitlines()) for path in self.ours().values())

    def libraries(self) -> Counter[str]:
        """How many modules of each top-level library are loaded."""
        return Counter(name.split(".")[0] for name in self.modules)


def write_micrograph(folder: Path) -> Path:
    """Write a small micrograph of noise."""
    path = folder / "micrographs" / "noise.mrc"
    path.parent.mkdir()
    with mrcfile.new(path) as file:
        file.set_data(np.random.default_rng(0).normal(size=(512, 512)).astype(np.float32))
        file.voxel_size = 2.0
    return path


def start(checkout: Path, micrograph: Path, work: Path, options: Sequence[str]) -> list[Snapshot]:
    """Pick one micrograph and return the process when it is opened and at the end.

    Parameters
    ----------
    checkout : Path
        Whose package is used.
    micrograph : Path
    work : Path
        A new folder, which becomes the run folder.
    options : sequence of str
        More of the command line.
    """
    command = [
        *(sys.executable, "-c", WATCHED, f"{work}.modules", str(micrograph)),
        *("dataset=folder", f"dataset.micrographs={micrograph.parent}", "dataset.diameter=40"),
        *("picker.device=cpu", f"hydra.run.dir={work}", *options),
    ]
    variables = {**ENVIRONMENT, "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        command, env=variables, cwd=work.parent, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    snapshots = []
    for moment in ("start", "end"):
        seconds, modules = eval(Path(f"{work}.modules.{moment}").read_text())
        snapshots.append(Snapshot(seconds, modules))
    if not all(path.is_relative_to(checkout) for path in snapshots[0].ours().values()):
        sys.exit(f"not the package of {checkout} was loaded")
    return snapshots


def import_torch() -> float:
    """Processor seconds of a Python that imports torch and nothing else."""
    command = [sys.executable, "-c", TORCH]
    answer = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return float(answer.stdout)


def table_of(runs: dict[str, list[list[Snapshot]]], torch: list[float]) -> Table:
    """Put medians beside each other, a column for each checkout."""
    alone = statistics.median(torch)
    table = Table(title=f"starting pick; import torch alone: {alone:.2f} CPU s")
    table.add_column("")
    for name in runs:
        table.add_column(name, justify="right")

    def row(what: str, values: list[str]) -> None:
        table.add_row(what, *values)

    for moment, when in enumerate(("the micrograph is opened", "the end")):
        every = [[one[moment] for one in each] for each in runs.values()]
        seconds = [statistics.median(one.seconds for one in each) for each in every]
        row(f"CPU s until {when}", [f"{value:.2f}" for value in seconds])
        row("  more than import torch", [f"{value - alone:.2f}" for value in seconds])
        first = [each[0] for each in every]
        row("  modules of the package", [str(len(one.ours())) for one in first])
        row("  lines of these", [f"{one.lines():,}" for one in first])
        row("  modules of all libraries", [f"{len(one.modules):,}" for one in first])
    opened = [each[0][0].libraries() for each in runs.values()]
    together: Counter[str] = sum(opened, Counter())
    table.add_section()
    for library, _ in together.most_common(LARGEST):
        row(f"  modules of {library}", [str(one[library]) for one in opened])
    return table


def main(arguments: argparse.Namespace) -> None:
    """Measure, print the table, and write the modules as JSON if asked to."""
    checkouts = {str(path): path.resolve() for path in arguments.checkouts}
    runs: dict[str, list[list[Snapshot]]] = {name: [] for name in checkouts}
    torch = []
    with tempfile.TemporaryDirectory() as folder:
        micrograph = write_micrograph(Path(folder))
        for name, path in checkouts.items():  # once to warm the file cache
            start(path, micrograph, Path(folder) / f"warm_{len(name)}_{path.name}", ["overlays=0"])
        for number in range(arguments.runs):
            torch.append(import_torch())
            for place, (name, path) in enumerate(checkouts.items()):
                work = Path(folder) / f"run_{number}_{place}"
                runs[name].append(start(path, micrograph, work, ["overlays=0"]))
    Console().print(table_of(runs, torch))
    if arguments.json:
        document = {
            name: {"start": sorted(each[0][0].ours()), "end": sorted(each[0][1].ours())}
            for name, each in runs.items()
        }
        arguments.json.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkouts", nargs="*", type=Path, default=[ROOT])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the names of the package's modules here")
    main(parser.parse_args())
