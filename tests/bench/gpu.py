"""What a GPU changes: ``gpu.py [--weights RUN] [--micrographs N] [--device cuda]``, some minutes.

Picks the same micrographs on the CPU and on the GPU, compares the picks, and prints micrographs a
second, memory of the GPU, and the time of a training without labels on both. On a machine without
CUDA it says so and ends with code 2.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from costs import Usage, run, split_startup
from inputs import Inputs, link_copies, make_inputs
from rich.console import Console
from rich.table import Table
from scan import share_of_equal_picks

from deepcryopicker.io.coordinates.formats import read_picks

_DISTINCT, _LABELLED = 3, 6
_POLL_SECONDS = 0.25
_THRESHOLD = 0.5
_WITHIN = 0.05  # diameters
_FEWEST_EQUAL = 0.99

console = Console(highlight=False, width=120)


@dataclass
class GpuMemory:
    """Largest memory in use on the GPU while a block runs, MiB, by ``nvidia-smi``."""

    peak: float = 0.0
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "GpuMemory":
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        while not self._ended.wait(_POLL_SECONDS):
            try:
                answer = subprocess.run(command, capture_output=True, text=True, check=True)
            except (OSError, subprocess.CalledProcessError):
                return
            self.peak = max(self.peak, *(float(line) for line in answer.stdout.split()))


def pick(
    inputs: Inputs, weights: str, count: int, device: str, work: Path, name: str = "", *options: str
) -> Usage:
    """Pick `count` micrographs on a device; results go to `name`, or ``<device>-<count>``."""
    name = name or f"{device}-{count}"
    folder = work / f"micrographs_{count}"
    if not folder.is_dir():
        link_copies(inputs.files, folder, count)
    command = [
        *(sys.executable, "-m", "deepcryopicker.pick", f"picker.weights={weights}"),
        *(f"picker.device={device}", "dataset=folder", f"dataset.micrographs={folder}"),
        *(f"dataset.diameter={inputs.diameter}", "overlays=0", f"hydra.run.dir={name}", *options),
    ]
    return run(command, work, work / f"{name}.log")


def train(inputs: Inputs, device: str, work: Path) -> Usage:
    """Train without labels on a few micrographs, and pick them."""
    folder = work / "labelled"
    if not folder.is_dir():
        link_copies(inputs.files, folder, _LABELLED)
    command = [
        *(sys.executable, "-m", "deepcryopicker.train", "+experiment=no_labels"),
        *(f"dataset.micrographs={folder}", f"dataset.diameter={inputs.diameter}"),
        *(f"trainer.device={device}", f"picker.device={device}", "overlays=0", "logger=csv"),
        f"hydra.run.dir=trained-{device}",
    ]
    return run(command, work, work / f"trained-{device}.log")


def equal_picks(expected: Path, found: Path, within: float) -> float:
    """Return the share of picks that two run folders have in common, of the worst micrograph."""
    shares = []
    for path in sorted((expected / "picks").glob("*.csv")):
        both = [read_picks(path), read_picks(found / "picks" / path.name)]
        chosen = (each[each.score >= _THRESHOLD] for each in both)
        shares.append(share_of_equal_picks(*chosen, within))
    return min(shares)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="general", help="run folder of train")
    parser.add_argument("--micrographs", type=int, default=60, help="on the GPU, at least 4")
    parser.add_argument("--side", type=int, default=4096, help="of the micrographs, pixels")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"], help="cpu: to try it")
    given = parser.parse_args()
    import torch

    if given.device == "cuda" and not torch.cuda.is_available():
        console.print("torch finds no GPU here; nothing was measured")
        sys.exit(2)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        inputs = make_inputs(work / "distinct", _DISTINCT, given.side)
        table = Table(title=f"{given.side} x {given.side}, {inputs.source}")
        for heading in ("", "start, s", "micrographs / s", "CPU s / micrograph", "GPU MiB"):
            table.add_column(heading, justify="left" if not heading else "right")
        for device, count in (("cpu", _DISTINCT), (given.device, given.micrographs)):
            one = pick(inputs, given.weights, 1, device, work)
            with GpuMemory() as memory:
                cost = split_startup(one, pick(inputs, given.weights, count, device, work), count)
            speed = "" if not cost.wall else f"{1 / cost.wall:.1f}"
            cells = (f"{cost.startup:.1f}", speed, f"{cost.cpu:.2f}", f"{memory.peak:.0f}")
            table.add_row(f"pick, {device}", *cells)
        # Without thresholds from the folder, which react to any rounding.
        for name, device, precision in (
            ("expected", "cpu", "float32"),
            ("found", given.device, "auto"),
        ):
            options = "picker.recalibrate=false", f"picker.precision={precision}"
            pick(inputs, given.weights, _DISTINCT, device, work, name, *options)
        console.print(table)
        share = equal_picks(work / "expected", work / "found", _WITHIN * inputs.diameter)
        console.print(f"picks equal to those of the CPU: {share:.4f} of the worst micrograph's")
        for device in dict.fromkeys(("cpu", given.device)):
            usage = train(inputs, device, work)
            console.print(
                f"training without labels, {device}: {usage.wall:.0f} s, {usage.cpu:.0f} CPU s"
            )
    if share < _FEWEST_EQUAL:
        sys.exit(f"fewer than {_FEWEST_EQUAL:.0%} of the picks are equal")


if __name__ == "__main__":
    main()
