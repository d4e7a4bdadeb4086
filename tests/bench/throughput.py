"""Seconds that ``pick`` takes for a micrograph, by pixel type: ``throughput.py [CHECKOUT ...]``.

Every checkout (this one first) picks the same 4096 x 4096 micrographs with the general weights on
all cores, few and many of them, several times in turn; the difference is what a micrograph costs,
masks and verdict included. Medians, with the lowest and the highest.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import mrcfile
import numpy as np
from costs import Cost, run, split_startup
from inputs import Inputs, link_copies, make_inputs
from programs import ROOT, picking
from results import show, write
from rich.console import Console

FEW, MANY, DISTINCT = 4, 44, 4
TYPES = {"float32": np.float32, "float16": np.float16, "8 bits": np.int8}
COLUMNS = ("checkout", "pixels", "wall_s", "lowest", "highest", "cpu_s", "peak_mib", "faster")


def convert(inputs: Inputs, folder: Path, name: str) -> list[Path]:
    """Write the micrographs with pixels of another type."""
    folder.mkdir()
    converted = []
    for path in inputs.files:
        with mrcfile.open(path) as file:
            image, pixel_size = np.array(file.data), file.voxel_size.copy()
        if name == "8 bits":  # as binned pictures have them: four standard deviations to each side
            image = np.clip((image - image.mean()) / image.std() * 31.0, -127, 127).round()
        converted.append(folder / path.name)
        with mrcfile.new(converted[-1]) as file:
            file.set_data(image.astype(TYPES[name]))
            file.voxel_size = pixel_size
    return converted


def pick(checkout: Path, micrographs: Path, diameter: float, work: Path) -> Cost:
    """Pick few and many micrographs with one checkout."""
    used = []
    for number in (FEW, MANY):
        results = Path(tempfile.mkdtemp(dir=work))
        typed = picking(micrographs / str(number), diameter, results / "run")
        used.append(run([sys.executable, *typed], checkout, results / "log"))
    return split_startup(used[0], used[1], MANY - FEW + 1)


def rows(found: dict[tuple[Path, str], list[Cost]]) -> list[list[str]]:
    """Return the cells of the table: medians, and how much faster this checkout is than each."""
    cells = []
    for (checkout, name), costs in found.items():
        wall, cpu, peak = (
            statistics.median(getattr(cost, key) for cost in costs)
            for key in ("wall", "cpu", "peak")
        )
        ratio = wall / statistics.median(cost.wall for cost in found[ROOT, name])
        walls = [cost.wall for cost in costs]
        numbers = [f"{number:.3f}" for number in (wall, min(walls), max(walls), cpu)]
        cells.append([checkout.name, name, *numbers, f"{peak:.0f}", f"{ratio:.2f}"])
    return cells


def main() -> None:
    """Measure, print the table, write ``throughput.csv``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkouts", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "outputs" / "bench")
    given = parser.parse_args()
    checkouts = list(dict.fromkeys([ROOT, *(path.resolve() for path in given.checkouts)]))
    console = Console(highlight=False, width=140)
    found: dict[tuple[Path, str], list[Cost]] = {}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        inputs = make_inputs(work / "distinct", DISTINCT)
        for name in TYPES:
            files = convert(inputs, work / f"{name}-distinct", name)
            for number in (FEW, MANY):
                (work / name).mkdir(exist_ok=True)
                link_copies(files, work / name / str(number), number)
        for attempt in range(given.runs):
            for name in TYPES:
                for checkout in checkouts:
                    console.print(f"{checkout.name}: {name}, run {attempt + 1} of {given.runs}")
                    cost = pick(checkout, work / name, inputs.diameter, work)
                    found.setdefault((checkout, name), []).append(cost)
    cells = rows(found)
    show(f"4096 x 4096, {inputs.source}, all cores, seconds a micrograph", COLUMNS, cells)
    write(given.out / "throughput.csv", COLUMNS, cells)


if __name__ == "__main__":
    main()
