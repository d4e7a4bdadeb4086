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

from orientations import COUNT, SEED, calibrated, simulated, variety_of

from deepcryopicker.class_set.sampling_sites import find_sites
from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.dataset.simulator.micrographs.plans import Variety
from deepcryopicker.evaluation.label_calibration import CALIBRATE_ON_GIVEN
from deepcryopicker.io.console import track
from deepcryopicker.labeler.truth import as_candidates
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.weights import Trained, load_weights, save_weights
from deepcryopicker.pipeline.training.fitting.further_training import with_targets
from deepcryopicker.trainer.crops.supervised import LabelledImage, train_on_crops
from deepcryopicker.types import particle_classes

FIRST = SEED + COUNT + CALIBRATE_ON_GIVEN  # seed; those before serve the other stages
MICROGRAPHS, STEPS, JITTER = 1200, 4000, 0.1


def main() -> None:
    """Train, and save the weights with their card."""
    data, weights, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    steps = int(sys.argv[4]) if len(sys.argv) > 4 else STEPS
    torch.manual_seed(0)
    trained = load_weights(weights)
    variety = variety_of(data)
    labelled = [
        one
        for seed in track(range(FIRST, FIRST + MICROGRAPHS), "simulating")
        if (one := labelled_as_given(seed, variety, trained)) is not None
    ]
    particles = particle_classes(trained.classes)
    train_on_crops(trained.network, labelled, particles, steps, JITTER, seed=0)
    out.mkdir(parents=True, exist_ok=True)
    stages = {**trained.provenance.get("trainer", {}), "crop_steps": steps}
    trained = replace(trained, provenance={**trained.provenance, "trainer": stages})
    save_weights(out, calibrated(trained, variety))


def labelled_as_given(seed: int, variety: Variety, trained: Trained) -> LabelledImage | None:
    """Simulate a micrograph with a target at every output; None if it is blank."""
    seen, true = simulated(seed, variety, chain_on(trained.preprocessing, "weights"))
    if seen.is_blank:
        return None
    class_set = ClassSetConfig(list(trained.classes), edge=0.0)
    candidates = as_candidates(seen, true, np.full(len(true), "", "<U1"))
    window = trained.network.window * seen.diameter / seen.working_diameter
    rng = np.random.default_rng(seed)
    shape = seen.micrograph.image.shape
    sites = find_sites(candidates, shape, seen.diameter, window, class_set, rng)
    return with_targets(seen, sites, np.ones(len(sites.x), bool), trained.network, class_set)


if __name__ == "__main__":
    main()
