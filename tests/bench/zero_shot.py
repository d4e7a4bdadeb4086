"""What weights find with only the diameter given: real sets, empty micrographs, simulated ones.

python tests/bench/zero_shot.py DATA [WEIGHTS]

DATA is the folder of the datasets, WEIGHTS a run folder or the general weights. Average precision
within half a diameter; picks are counted at the threshold of 0.5. The simulated micrographs are
close to focus in thick ice, three of each structure; ``log`` is the blob detector of the program.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import mrcfile
import numpy as np
import torch
from rich.console import Console
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).parents[2]))

from deepcryopicker.api.finding import find_particles
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.scene import SimulatedMicrograph
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.evaluation.metrics import average_precision, best_f1, scores_at
from deepcryopicker.evaluation.scores import evaluate_micrograph, pooled
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.weights import GENERAL, load_weights
from deepcryopicker.picker.schema import DenseConfig
from deepcryopicker.picker.search import build_search
from deepcryopicker.preprocessing.operators.contrast import standardise
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Micrograph, Picks

SETS = {
    "apoferritin": 60,
    "ribosome": 92,
    "klh": 150,
    "beta_galactosidase": 108,
    "rings": 18,
    "groel_stain": 11,
}
"""Particle diameters, pixels."""
HARD = Variety(kinds=("thick_ice",), instruments=("counting",))
HARD_SIDE, HARD_SEED, HARD_COUNT, HARD_PARTICLES = 24, 5_000_000, 3, 15
BLOB = 5.0  # robust standard deviations of an ice blob, smoothed over 5 pixels
BLOB_AREA = 300  # pixels

Find = Callable[[Micrograph, float], Picks]


def finder(weights: str) -> Find:
    """Return a function from a micrograph and a diameter, pixels, to all picks."""
    trained = load_weights(weights)
    chain = chain_on(trained.preprocessing, weights)
    search = build_search(trained, DenseConfig())
    return lambda micrograph, diameter: search(Preprocessed(micrograph, diameter, chain)).picks


def blobs_found(micrograph: Micrograph, diameter: float) -> Picks:
    """Return what the blob detector finds."""
    found = find_particles([micrograph.image], diameter=diameter, labeler="log")
    return found[0].picks


def files(data: Path, name: str) -> list[Path]:
    """List the micrographs of a dataset."""
    return sorted(path for path in (data / name / "micrographs").rglob("*") if path.is_file())


def scored(
    find: Find, micrographs: Iterable[tuple[Micrograph, float, Picks, Picks]]
) -> tuple[float, str]:
    """Return the average precision and a line of scores."""
    evaluated = []
    for micrograph, diameter, true, uncertain in micrographs:
        picks = find(micrograph, diameter)
        evaluated.append(
            evaluate_micrograph(micrograph.name, picks, true, uncertain, diameter / 2.0)
        )
    score, outcome, count = pooled(evaluated)
    precision = average_precision(score, outcome, count)
    given, (best, at) = scores_at(score, outcome, count, 0.5), best_f1(score, outcome, count)
    line = f"AP {precision:.3f}  F1 {given.f1:.3f}  best {best:.3f} at {at:.2f}  n {count}"
    return precision, line


def labelled(data: Path, name: str) -> Iterable[tuple[Micrograph, float, Picks, Picks]]:
    """Yield the micrographs of a dataset that have a truth."""
    for path in files(data, name):
        found = next((data / name / "coordinates").rglob(f"{path.stem}.csv"), None)
        entry = Entry(path.stem, path, name, SETS[name], truth=found)
        truth = entry.load_truth()
        if truth is not None and len(truth[0]):
            yield entry.load(), SETS[name], *truth


def hard(structure: Path) -> Iterable[tuple[Micrograph, float, Picks, Picks]]:
    """Yield simulated micrographs of a structure, close to focus in thick ice."""
    variety = Variety(HARD.kinds, HARD.instruments, (structure,))
    seed, made = HARD_SEED, 0
    while made < HARD_COUNT:
        seed += 1
        planned = plan(seed, variety)
        if planned.structure is None:
            continue
        simulated: SimulatedMicrograph = simulate_any(HARD_SIDE, seed, variety)
        if len(simulated.x) < HARD_PARTICLES:
            continue
        made += 1
        micrograph = Micrograph(str(seed), structure, simulated.image.astype(np.float32))
        true = Picks.create(simulated.x, simulated.y)
        yield micrograph, planned.conditions.diameter, true, Picks.empty()


def confident(find: Find, path: Path, diameter: float) -> Picks:
    """Return the picks of a file above the threshold."""
    picks = find(read_micrograph(path), diameter)
    return picks[picks.score >= 0.5]


def values_at(image: np.ndarray, picks: Picks) -> np.ndarray:
    """Return the pixels of an image at picks."""
    row = np.clip(np.rint(picks.y), 0, image.shape[0] - 1).astype(int)
    column = np.clip(np.rint(picks.x), 0, image.shape[1] - 1).astype(int)
    return image[row, column]


def away_from_blobs(image: np.ndarray) -> np.ndarray:
    """Return the distance of each pixel from the nearest large ice blob, pixels."""
    smooth = standardise(ndimage.gaussian_filter(image, 5))
    number, _ = ndimage.label(abs(smooth) > BLOB)
    large = np.bincount(number.ravel()) > BLOB_AREA
    large[0] = False
    return ndimage.distance_transform_edt(~large[number])


def main() -> None:
    """Print a line for each set."""
    torch.set_num_threads(1)
    console = Console(highlight=False)
    data = Path(sys.argv[1])
    find = finder(sys.argv[2] if len(sys.argv) > 2 else GENERAL)
    for name in SETS:
        console.print(f"{name:20s} {scored(find, labelled(data, name))[1]}")
    counts = [len(confident(find, path, 14)) for path in files(data, "nothing")]
    console.print(f"nothing: {np.mean(counts):.1f} picks a micrograph {counts}")
    (path,) = files(data, "small_with_ice")
    picks = confident(find, path, 12)
    away = away_from_blobs(read_micrograph(path).image)
    console.print(
        f"small_with_ice: {len(picks)} picks, {np.sum(values_at(away, picks) <= 6)} at a blob"
    )
    (path,) = files(data, "carbon_example")
    mask = mrcfile.read(next((data / "carbon_example" / "masks").iterdir()))
    for diameter in (24, 32, 48):
        inside = values_at(mask, confident(find, path, diameter)) > 0.5
        console.print(
            f"carbon_example, {diameter} px: {inside.sum()} of {len(inside)} picks on carbon"
        )
    rows = []
    for structure in sorted((data / "structures").glob("*.mrc")):
        if "_10A" not in structure.name:
            ours, log = (scored(one, hard(structure))[0] for one in (find, blobs_found))
            rows.append((ours, log))
            console.print(f"hard, {structure.stem:10s} AP {ours:.3f}, log {log:.3f}")
    console.print("hard, mean AP {:.3f}, log {:.3f}".format(*np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
