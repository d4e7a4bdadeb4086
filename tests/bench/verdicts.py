"""Verdicts of the general weights against truth, on good and spoiled folders.

python tests/bench/verdicts.py DATA [WEIGHTS]

DATA is the folder of the datasets. Each folder has one to three micrographs: of the real sets as
they are and spoiled, of micrographs without particles, and simulated. It is good if a threshold
exists at which its F1 is at least 0.8. A row has the verdict, the expected and the true precision
at the default threshold, F1 there and the best F1.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from zero_shot import SETS, files, hard, labelled

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.simulator.micrographs.micrograph_kinds import KINDS_OF_MICROGRAPHS
from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.evaluation.metrics import best_f1, scores_at
from deepcryopicker.evaluation.scores import evaluate_micrograph, pooled
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.weights import GENERAL, load_weights
from deepcryopicker.picker.folder.assessment import FOUND, Assessment, expected_counts
from deepcryopicker.picker.folder.candidate_windows import cut_windows, most_windows, strongest
from deepcryopicker.picker.folder.curve import apply_curve, fit_curve
from deepcryopicker.picker.folder.score_counts import count_scores
from deepcryopicker.picker.folder.second_opinion import apply_opinion, form_opinion
from deepcryopicker.picker.pick_counts import disc_share
from deepcryopicker.picker.schema import DenseConfig
from deepcryopicker.picker.search import build_search, search_beside_noise
from deepcryopicker.pipeline.picking.results.folder_calibration import (
    FolderCalibration,
    assess_parts,
)
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Micrograph, Picks

SIDE, SEED = 24, 11_000_000  # diameters, and the first seed of simulated micrographs
GOOD = 0.8

Known = tuple[Micrograph, float, Picks, Picks]
"""Micrograph, diameter in pixels, true and uncertain particles."""


@dataclass(frozen=True)
class Row:
    """What is found in a folder."""

    name: str
    assessment: Assessment
    precision: float
    f1: float
    best: float


def spoiled(known: Known, how: str) -> Known:
    """Spoil a micrograph, or turn its particles bright; the truth of the latter is empty."""
    micrograph, diameter, true, uncertain = known
    image, spread = micrograph.image, float(micrograph.image.std())
    noise = np.random.default_rng(0).normal(0, spread, image.shape).astype(np.float32)
    changed = {
        "blurred": lambda: ndimage.gaussian_filter(image, diameter / 12),
        "noisy": lambda: image + noise,
        "very noisy": lambda: image + 4 * noise,
        "bright": lambda: -image,
        "gradient": lambda: image + np.linspace(0, 4 * spread, image.shape[1], dtype=np.float32),
    }[how]()
    if how == "bright":
        true = Picks.empty()
    return replace(micrograph, image=changed.astype(np.float32)), diameter, true, uncertain


def empty(path: Path, diameter: float) -> Known:
    """Return a micrograph without particles."""
    return read_micrograph(path), diameter, Picks.empty(), Picks.empty()


def of_kind(kind: str, number: int) -> Iterator[Known]:
    """Simulate micrographs of a kind, each a folder of its own."""
    variety = Variety((kind,))
    for seed in range(SEED, SEED + number):
        simulated = simulate_any(SIDE, seed, variety)
        micrograph = Micrograph(str(seed), Path(kind), simulated.image.astype(np.float32))
        true = Picks.create(simulated.x, simulated.y)
        yield micrograph, plan(seed, variety).conditions.diameter, true, Picks.empty()


def folders(data: Path) -> Iterator[tuple[str, list[Known]]]:
    """Yield the folders."""
    for name in SETS:
        known = list(islice(labelled(data, name), 3))
        yield name, known
        for number, one in enumerate(known):
            yield f"{name}, {number + 1} alone", [one]
        for how in ("blurred", "noisy", "very noisy", "bright", "gradient"):
            yield f"{name}, {how}", [spoiled(known[0], how)]
    for path in files(data, "nothing"):
        yield f"nothing, {path.stem[:12]}", [empty(path, 14)]
    for diameter in (24, 32, 48):
        yield (
            f"carbon, {diameter} px",
            [empty(path, diameter) for path in files(data, "carbon_example")],
        )
    for kind in KINDS_OF_MICROGRAPHS:
        for number, one in enumerate(of_kind(kind, 2)):
            yield f"simulated {kind} {number}", [one]
    for structure in sorted((data / "structures").glob("*.mrc")):
        if "_10A" not in structure.name:
            yield f"hard {structure.stem}", list(hard(structure))


def main() -> None:
    """Print a row for each folder, and a summary."""
    torch.set_num_threads(1)
    console = Console(highlight=False, width=140)
    weights = sys.argv[2] if len(sys.argv) > 2 else GENERAL
    trained = load_weights(weights)
    chain = chain_on(trained.preprocessing, weights)
    search = build_search(trained, DenseConfig())

    def find(known: list[Known]) -> tuple[Assessment, list[Picks]]:
        """Pick a folder as `pick` does."""
        found, noise, windows, shown, discs = [], [], [], [], []
        for micrograph, diameter, _, _ in known:
            seen = Preprocessed(micrograph, diameter, chain)
            entry = Entry(micrograph.name, micrograph.path, "", diameter)
            picks, in_noise = search_beside_noise(search, entry, seen, DenseConfig().mask)
            found.append(picks)
            noise.append(count_scores(in_noise))
            index = strongest(picks, most_windows(seen))
            windows.append(cut_windows(seen, picks[index]))
            shown.append(index)
            discs.append(disc_share(1, diameter, micrograph.image.shape))
        counts = [count_scores(each.score) for each in found]
        curve = fit_curve(np.sum(counts, axis=0), np.sum(noise, axis=0))
        scores = [apply_curve(one.score, curve) for one in found]
        chances = [score[index] for score, index in zip(scores, shown, strict=True)]
        opinion = form_opinion(windows, chances, curve.gain)
        scores = [
            apply_opinion(*each, opinion) for each in zip(scores, shown, windows, strict=True)
        ]
        parts = [
            (expected_counts(score, score >= DenseConfig().threshold), *others)
            for score, *others in zip(scores, counts, discs, strict=True)
        ]
        whole, _ = assess_parts(parts, FolderCalibration(curve, opinion))
        return whole, [replace(one, score=score) for one, score in zip(found, scores, strict=True)]

    rows = []
    for name, known in folders(Path(sys.argv[1])):
        assessment, picks = find(known)
        matched = [
            evaluate_micrograph(micrograph.name, each, true, uncertain, diameter / 2.0)
            for (micrograph, diameter, true, uncertain), each in zip(known, picks, strict=True)
        ]
        score, outcome, count = pooled(matched)
        at, best = scores_at(score, outcome, count, 0.5), best_f1(score, outcome, count)[0]
        rows.append(Row(name, assessment, at.precision, at.f1, best if count else 0.0))
        row = rows[-1]
        console.print(
            f"{name:34s} {assessment.verdict:16s} gain {assessment.gain:5.1f}  picks "
            f"{assessment.picks:5d}  precision {row.precision:.2f} (expected "
            f"{assessment.precision:.2f})  F1 {row.f1:.3f}  best {row.best:.3f}  n {count}"
        )
    good = [row for row in rows if row.best >= GOOD]
    verdicts = Counter(row.assessment.verdict for row in good)
    wrong = [row for row in rows if row.assessment.verdict == FOUND and row.precision < 0.5]
    close = [abs(row.assessment.precision - row.precision) <= 0.05 for row in good]
    console.print(f"{len(rows)} folders, {len(good)} good: {dict(verdicts)}")
    console.print(f"found with a precision below 0.5: {[row.name for row in wrong]}")
    console.print(f"expected precision within 0.05 on good folders: {np.mean(close):.2f}")
    lost = [row.best - row.f1 for row in good]
    console.print(f"F1 below the best, good folders: mean {np.mean(lost):.3f}")


if __name__ == "__main__":
    main()
