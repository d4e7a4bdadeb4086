"""Time, memory and size of `evaluate` and `report` over thousands of micrographs.

python tests/bench/many_micrographs.py [--counts 100 1000 10000] [--pictures]

Truth and picks are made with known errors, 300 true particles and 400 candidates a micrograph, in
the frame of micrographs of 4096 x 4096 pixels. With ``--pictures``, `pick` reads the same picks
beside micrographs of 256 x 256 pixels, and `report` shows that run.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import mrcfile
import numpy as np
from costs import ONE_THREAD, run
from programs import ROOT
from results import show, write
from rich.console import Console

from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.types import Floats, Picks

TRUE, FOUND, FALSE = 300, 270, 130
SIDE, DIAMETER, SMALL = 4096, 120.0, 256  # pixels
COLUMNS = ("micrographs", "rows", "command", "s", "CPU s", "peak MiB", "MB written")


def positions(rng: np.random.Generator) -> Floats:
    """Return true positions, (TRUE, 2), on a jittered grid without overlaps."""
    across = int(np.ceil(TRUE**0.5))
    cells = rng.permutation(across**2)[:TRUE]
    pitch = (SIDE - 2 * DIAMETER) / across
    free = pitch - DIAMETER
    corner = np.column_stack(np.divmod(cells, across)) * pitch
    return DIAMETER + corner + rng.random((TRUE, 2)) * free


def make_micrograph(folder: Path, name: str, rng: np.random.Generator, pictures: bool) -> None:
    """Write the truth, the picks, and a small micrograph of noise with both in its frame."""
    true = positions(rng)
    near = true[:FOUND] + rng.normal(0, DIAMETER / 10, (FOUND, 2))
    places = np.vstack([near, rng.random((FALSE, 2)) * SIDE])
    score = np.append(rng.beta(5, 2, FOUND), rng.beta(2, 5, FALSE))
    truth = Picks.create(*true.T, diameter=DIAMETER)
    picks = Picks.create(*places.T, score=score, diameter=DIAMETER)
    write_csv(folder / "truth" / f"{name}.csv", truth)
    write_csv(folder / "picks" / f"{name}.csv", picks)
    if not pictures:
        return
    scale, small = SMALL / SIDE, DIAMETER * SMALL / SIDE
    for kind, each in (("small_truth", truth), ("small_picks", picks)):
        moved = Picks.create(each.x * scale, each.y * scale, each.score, diameter=small)
        write_csv(folder / kind / f"{name}.csv", moved)
    (folder / "micrographs").mkdir(exist_ok=True)
    with mrcfile.new(folder / "micrographs" / f"{name}.mrc") as file:
        file.set_data(rng.normal(0, 1, (SMALL, SMALL)).astype(np.float16))


def commands(folder: Path, pictures: bool) -> dict[str, list[str]]:
    """Name the commands to measure, in order, with what is typed; each has a folder of its name."""
    picks, truth, small = folder / "picks", folder / "truth", folder / "small_picks"
    chosen = {
        "evaluate": ["evaluate", f"evaluate.picks={picks}", f"evaluate.truth={truth}"],
        "report of evaluate": ["report", f"report.runs=[{folder / 'evaluate'}]"],
    }
    if pictures:
        typed = ["pick", "picker=imported", f"picker.picks={small}", "dataset=folder", "overlays=0"]
        typed += [f"dataset.micrographs={folder / 'micrographs'}", "dataset.diameter=7.5"]
        typed += [f"dataset.coordinates={folder / 'small_truth'}"]
        chosen |= {"pick": typed, "report of pick": ["report", f"report.runs=[{folder / 'pick'}]"]}
    return chosen


def written(folder: Path) -> float:
    """Return the size of the page of a report, else of the whole run folder, MB."""
    page = folder / "report.html"
    files = [page] if page.is_file() else [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files) / 1e6


def main() -> None:
    """Measure each command on each number of micrographs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--pictures", action="store_true", help="measure `pick` and its report too")
    parser.add_argument("--out", type=Path, default=ROOT / "outputs" / "bench")
    given = parser.parse_args()
    console, rows = Console(highlight=False, width=120), []
    for count in given.counts:
        with tempfile.TemporaryDirectory() as name:
            folder, rng = Path(name), np.random.default_rng(0)
            for number in range(count):
                make_micrograph(folder, f"m{number:05d}", rng, given.pictures)
            for what, typed in commands(folder, given.pictures).items():
                target = folder / what.replace(" ", "_")
                words = [sys.executable, "-m", "deepcryopicker", *typed, f"hydra.run.dir={target}"]
                used = run(words, ROOT, folder / "log.txt", ONE_THREAD)
                numbers = (f"{each:.0f}" for each in (used.wall, used.cpu, used.peak))
                cells = (str(count), str(count * (TRUE + FOUND + FALSE)), what, *numbers)
                rows.append((*cells, f"{written(target):.1f}"))
                console.print(*rows[-1])
    show("many micrographs", COLUMNS, rows)
    write(given.out / "many_micrographs.csv", COLUMNS, rows)


if __name__ == "__main__":
    main()
