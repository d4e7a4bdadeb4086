"""Train general weights towards the mean of what they find in eight orientations.

python tests/bench/orientations.py DATA WEIGHTS OUT [STEPS]

The last stage of ``+experiment=general``, for weights that were made without it: DATA is the folder
of the datasets, of which the density maps are used, WEIGHTS a run folder or ``general``, OUT the
folder for the new weights. Its micrographs are simulated as those of the experiment are.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.evaluation.label_calibration import (
    CALIBRATE_ON_GIVEN,
    MatchedPicks,
    calibration_of,
)
from deepcryopicker.evaluation.matching import match
from deepcryopicker.io.console import track
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.weights import Trained, load_weights, save_weights
from deepcryopicker.picker.scanning.prepare import prepare
from deepcryopicker.picker.schema import DenseConfig
from deepcryopicker.picker.search import build_search
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.trainer.crops.symmetry import symmetrise
from deepcryopicker.types import UNCALIBRATED, Image, Micrograph, Picks, particle_classes

SIDE, SEED, COUNT, STEPS = 20, 41_000_000, 300, 600  # diameters, first seed, micrographs


def main() -> None:
    """Train, and save the weights with their card."""
    data, weights, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    steps = int(sys.argv[4]) if len(sys.argv) > 4 else STEPS
    torch.manual_seed(0)
    trained = load_weights(weights)
    chain = chain_on(trained.preprocessing, weights)
    variety = variety_of(data)
    images: list[Image] = []
    for seed in track(range(SEED, SEED + COUNT), "simulating"):
        seen, _ = simulated(seed, variety, chain)
        if not seen.is_blank:
            images.append(seen.flat.image.astype(np.float16))
    teacher = prepare(trained.network, "cpu")
    particles = particle_classes(trained.classes)
    symmetrise(trained.network, teacher, images, particles, steps, seed=0)
    out.mkdir(parents=True, exist_ok=True)
    stages = {**trained.provenance.get("trainer", {}), "symmetry_steps": steps}
    trained = replace(trained, provenance={**trained.provenance, "trainer": stages})
    save_weights(out, calibrated(trained, variety))


def variety_of(data: Path) -> Variety:
    """Return what the experiment simulates, with the density maps in the folder of the datasets."""
    maps = (data / "structures").glob("*.mrc")
    return Variety(structures=tuple(sorted(path for path in maps if "_10A" not in path.name)))


def simulated(
    seed: int, variety: Variety, chain: PreprocessingConfig
) -> tuple[Preprocessed, Picks]:
    """Simulate a micrograph, and return it with its particles."""
    made = simulate_any(SIDE, seed, variety)
    diameter = plan(seed, variety).conditions.diameter
    micrograph = Micrograph(str(seed), Path(), made.image.astype(np.float32))
    true = Picks.create(made.x, made.y, label=made.label)
    return Preprocessed(micrograph, diameter, chain), true


def calibrated(trained: Trained, variety: Variety) -> Trained:
    """Calibrate the scores on other micrographs, as after a training with given labels."""
    settings = replace(DenseConfig(), floor=0.0)
    search = build_search(replace(trained, calibration=UNCALIBRATED), settings)
    chain = chain_on(trained.preprocessing, "weights")
    matched = []
    for seed in track(range(SEED + COUNT, SEED + COUNT + CALIBRATE_ON_GIVEN), "calibrating on"):
        seen, true = simulated(seed, variety, chain)
        picks = Picks.empty() if seen.is_blank else search(seen).picks
        outcome = match(picks, true, Picks.empty(), seen.diameter / 2.0)
        matched.append(MatchedPicks(picks.score, outcome, len(true)))
    return replace(trained, calibration=calibration_of(matched, given=True))


if __name__ == "__main__":
    main()
