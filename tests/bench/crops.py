"""Train general weights further on crops of simulated micrographs.

python tests/bench/crops.py DATA WEIGHTS OUT [STEPS]

The stage of ``+experiment=general`` between windows and all orientations, for weights that were
made without it: DATA is the folder of the datasets, of which the density maps are used, WEIGHTS a
run folder or ``general``, OUT the folder for the new weights. Its micrographs are simulated as
those of the experiment are.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from orientations import COUNT, SEED, SIDE, calibrated

from deepcryopicker.class_set.sampling_sites import find_sites
from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.class_set.target_map import target_map
from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.evaluation.label_calibration import CALIBRATE_ON_GIVEN
from deepcryopicker.io.console import track
from deepcryopicker.labeler.truth import as_candidates
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.weights import Trained, load_weights, save_weights
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.trainer.crops.supervised import LabelledImage, labelled_image, train_on_crops
from deepcryopicker.types import Micrograph, Picks, particle_classes

FIRST = SEED + COUNT + CALIBRATE_ON_GIVEN  # seed; those before serve the other stages
MICROGRAPHS, STEPS, JITTER = 1200, 4000, 0.1


def main() -> None:
    """Train, and save the weights with their card."""
    data, weights, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    steps = int(sys.argv[4]) if len(sys.argv) > 4 else STEPS
    torch.manual_seed(0)
    trained = load_weights(weights)
    maps = sorted(path for path in (data / "structures").glob("*.mrc") if "_10A" not in path.name)
    variety = Variety(structures=tuple(maps))
    labelled = [
        one
        for seed in track(range(FIRST, FIRST + MICROGRAPHS), "simulating")
        if (one := with_targets(seed, variety, trained)) is not None
    ]
    particles = particle_classes(trained.classes)
    train_on_crops(trained.network, labelled, particles, steps, JITTER, seed=0)
    out.mkdir(parents=True, exist_ok=True)
    stages = {**trained.provenance.get("trainer", {}), "crop_steps": steps}
    trained = replace(trained, provenance={**trained.provenance, "trainer": stages})
    save_weights(out, calibrated(trained, variety))


def with_targets(seed: int, variety: Variety, trained: Trained) -> LabelledImage | None:
    """Simulate a micrograph with a target at every output; None if it is blank."""
    simulated, diameter = simulate_any(SIDE, seed, variety), plan(seed, variety).conditions.diameter
    micrograph = Micrograph(str(seed), Path(), simulated.image.astype(np.float32))
    seen = Preprocessed(micrograph, diameter, chain_on(trained.preprocessing, "weights"))
    if seen.is_blank:
        return None
    class_set = ClassSetConfig(list(trained.classes), edge=0.0)
    true = Picks.create(simulated.x, simulated.y, label=simulated.label)
    candidates = as_candidates(seen, true, np.full(len(true), "", "<U1"))
    window = trained.network.window * diameter / seen.working_diameter
    rng = np.random.default_rng(seed)
    shape = micrograph.image.shape
    sites = find_sites(candidates, shape, diameter, window, class_set, rng)
    flat, stride = seen.flat, trained.network.stride
    outputs = (-(-flat.image.shape[0] // stride), -(-flat.image.shape[1] // stride))
    learned = np.ones(len(sites.x), bool)
    target = target_map(sites, learned, outputs, flat.scale, diameter, stride, class_set)
    return labelled_image(flat.image, target, trained.network)


if __name__ == "__main__":
    main()
