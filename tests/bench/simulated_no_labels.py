"""Training without labels beside the general weights, on simulated micrographs of every structure.

python tests/bench/simulated_no_labels.py DATA OUT [WEIGHTS]

DATA is the folder of the datasets, of which the density maps are used, OUT a folder for micrographs
and runs. Of each structure four micrographs are simulated in ice, and four close to focus in thick
ice; F1 within half a diameter at the default threshold, of ``train +experiment=no_labels`` and of
``pick``. WEIGHTS, a run folder, stand in for the general weights, for structures that those have
not seen.
"""

import json
import subprocess
import sys
from pathlib import Path

import mrcfile
import numpy as np
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[2]))

from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.model.weights import GENERAL
from deepcryopicker.types import Picks

CONDITIONS = {"easy": "ice", "hard": "thick_ice"}
SIDE, SEED, COUNT, FEWEST = 24, 7_000_000, 4, 15  # diameters, first seed, micrographs, particles


def simulate(folder: Path, structure: Path, kind: str) -> float:
    """Simulate micrographs of one diameter with their truth, and return the diameter, pixels."""
    variety = Variety((kind,), ("counting",), (structure,))
    seed, diameters = SEED, []
    for part in ("micrographs", "coordinates"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    while len(diameters) < COUNT:
        seed += 1
        planned = plan(seed, variety)
        wanted = planned.conditions.diameter
        if planned.structure is None or (diameters and abs(wanted / diameters[0] - 1) > 0.1):
            continue
        simulated = simulate_any(SIDE, seed, variety)
        if len(simulated.x) < FEWEST:
            continue
        with mrcfile.new(folder / "micrographs" / f"m{seed}.mrc", overwrite=True) as file:
            file.set_data(simulated.image.astype(np.float32))
        write_csv(
            folder / "coordinates" / f"m{seed}.csv",
            Picks.create(simulated.x, simulated.y, diameter=wanted),
        )
        diameters.append(wanted)
    return float(np.median(diameters))


def run(command: str, folder: Path, *typed: str) -> dict[str, object]:
    """Run a command unless it has run, and return its metrics."""
    result = folder / "metrics.json"
    if not result.is_file():
        words = [sys.executable, "-m", "deepcryopicker", command, *typed, "overlays=0"]
        words.append(f"hydra.run.dir={folder}")
        subprocess.run(words, check=False, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[2])
    return json.loads(result.read_text()) if result.is_file() else {}


def main(data: Path, out: Path, weights: str = GENERAL) -> None:
    """Print a line for each structure and condition, and the means."""
    say = Console(highlight=False).print
    for condition, kind in CONDITIONS.items():
        rows = []
        for structure in sorted((data / "structures").glob("*.mrc")):
            if "_10A" in structure.name:
                continue
            folder = out / f"{structure.stem}_{condition}"
            known = folder / "diameter"
            if not known.is_file():
                known.write_text(str(simulate(folder, structure, kind)))
            given = [f"dataset.micrographs={folder / 'micrographs'}"]
            given += [f"dataset.coordinates={folder / 'coordinates'}"]
            given += [f"dataset.diameter={float(known.read_text()):.2f}"]
            general = [] if weights == GENERAL else [f"picker.weights={weights}"]
            theirs = run("pick", folder / "general", "dataset=folder", *given, *general)
            start = [f"start_from={weights}", "logger=csv"]
            ours = run("train", folder / "no_labels", "+experiment=no_labels", *given, *start)
            scores = [float(one.get("f1", 0.0)) for one in (ours, theirs)]
            best = [float(one.get("best_f1", 0.0)) for one in (ours, theirs)]
            rows.append(scores)
            say(
                f"{condition} {structure.stem:10s} F1 {scores[0]:.3f} (best {best[0]:.3f}), "
                f"general weights {scores[1]:.3f} (best {best[1]:.3f}); "
                f"{ours.get('network')} picked"
            )
        say("{} mean F1 {:.3f}, general weights {:.3f}".format(condition, *np.mean(rows, axis=0)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:4])
