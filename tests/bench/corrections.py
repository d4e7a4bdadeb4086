"""What corrections are worth: F1 on the others after 1, 3 and 5 corrected micrographs, and seconds.

python tests/bench/corrections.py DATA RUN DATASET OUT [SEED [NAME]]

DATA is the folder of the datasets, RUN a run folder with picks of all micrographs of DATASET. A
script stands in for the person: it keeps the picks that hit, removes those that do not, and adds
the missed particles. Training continues from what picked, as on the page. A micrograph whose truth
is not to be relied on can be left out by its NAME.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[2]))

from deepcryopicker.dataset.pixel_sizes import spread_sample
from deepcryopicker.evaluation.matching import FALSE
from deepcryopicker.evaluation.metrics import average_precision, scores_at
from deepcryopicker.evaluation.scores import Evaluated, evaluate_micrograph, pooled
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.model.weights_file import INCLUDED, NETWORK_FILE
from deepcryopicker.types import Picks

COUNTS, THRESHOLD = (1, 3, 5), 0.5


def matched(data: Path, run: Path, name: str) -> Evaluated:
    """Match the candidates of a micrograph with its truth."""
    picks = read_picks(run / "picks" / f"{name}.csv")
    truth, vague = (data / "coordinates" / f"{name}{end}.csv" for end in ("", ".uncertain"))
    uncertain = read_picks(vague) if vague.is_file() else Picks.empty()
    radius = float(np.nanmedian(picks.diameter)) / 2.0
    return evaluate_micrograph(name, picks, read_picks(truth), uncertain, radius)


def corrected(one: Evaluated) -> dict[str, object]:
    """Return what a person with the truth at hand would make of the picks of a micrograph."""
    shown = one.picks.score >= THRESHOLD
    false = one.outcome == FALSE

    def rows(picks: Picks) -> list[list[float]]:
        return np.column_stack([picks.positions, picks.score]).tolist()

    return {
        "name": one.name,
        "diameter": 2.0 * one.radius,
        "kept": rows(one.picks[shown & ~false]),
        "removed": rows(one.picks[shown & false]),
        "added": [row[:2] for row in rows(one.missed_at(THRESHOLD))],
    }


def score(data: Path, run: Path, names: list[str]) -> str:
    """Return F1 at the threshold and AP over micrographs."""
    each = pooled([matched(data, run, name) for name in names])
    return f"F1 {scores_at(*each, THRESHOLD).f1:.3f}, AP {average_precision(*each):.3f}"


def main(
    data: Path, run: Path, dataset: str, out: Path, seed: str = "0", without: str = ""
) -> None:
    """Correct, train, pick and score for each number of micrographs."""
    say = Console(highlight=False).print
    folder = data / dataset
    names = sorted(path.stem for path in (run / "picks").glob("*.csv"))
    with_truth = [
        name
        for name in names
        if name != without and (folder / "coordinates" / f"{name}.csv").is_file()
    ]
    weights = str(run) if (run / NETWORK_FILE).is_file() else INCLUDED
    for count in COUNTS:
        chosen = spread_sample(with_truth, count)
        others = [name for name in with_truth if name not in chosen]
        given = [corrected(matched(folder, run, name)) for name in chosen]
        changed = sum(len(one[key]) for one in given for key in ("added", "removed"))
        file, target = out / f"corrections_{count}.json", out / f"corrected_{count}"
        out.mkdir(parents=True, exist_ok=True)
        content = {"deepcryopicker_corrections": 1, "threshold": THRESHOLD, "weights": weights}
        file.write_text(json.dumps(content | {"micrographs": given}))
        typed = ["+experiment=corrections", f"dataset={dataset}", f"dataset.root={folder}"]
        typed += [f"dataset.coordinates={file}", "overlays=0", f"seed={seed}"]
        command = [sys.executable, "-m", "deepcryopicker.train", *typed, f"hydra.run.dir={target}"]
        start = time.perf_counter()
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        learned = f"{count} corrected ({changed} corrections) in {seconds:.0f} s"
        say(f"{learned}, the other {len(others)}:")
        say(f"  before: {score(folder, run, others)}")
        say(f"  after:  {score(folder, target, others)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), *sys.argv[5:7])
