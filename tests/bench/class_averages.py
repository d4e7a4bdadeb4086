"""Class averages: seconds for 6,600 windows, and what junk classes hold.

python tests/bench/class_averages.py

Micrographs of one species each are simulated; picks are the true particles, and three for every
seven of them junk: places between particles, and places half a diameter off a particle. A person
who sees the averages is taken to tick off every class most of whose picks are junk.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[2]))

from deepcryopicker.api.micrographs import simulate_micrograph
from deepcryopicker.class_averages.classify import classify, number_of_classes
from deepcryopicker.config.options import read_option
from deepcryopicker.pipeline.classes.cut_dataset import cut_one, places_between
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Picks

SPECIES = ("apoferritin", "klh", "ribosome", "beta_galactosidase")
MICROGRAPHS, WINDOWS = 8, 6600
JUNK = 3 / 7  # for each particle: 30 % of the picks


def windows_of(species: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Return windows, which of them show particles, and the diameter in them, pixels."""
    chain = read_option("preprocessing", "default")
    stacks, true = [], []
    for seed in range(MICROGRAPHS):
        micrograph, particles = simulate_micrograph(species, seed=seed)
        rng = np.random.default_rng(seed)
        diameter = float(np.median(particles.diameter))
        seen = Preprocessed(micrograph, diameter, chain)
        shape = micrograph.image.shape
        number = round(JUNK * len(particles))
        between = places_between(particles.positions, shape, diameter, number // 2, rng)
        beside = particles.positions[rng.permutation(len(particles))[: number - len(between)]]
        angle = rng.uniform(0, 2 * np.pi, len(beside))
        beside = beside + diameter / 2 * np.column_stack([np.cos(angle), np.sin(angle)])
        places = np.concatenate([particles.positions, between, beside])
        stacks.append(cut_one(seen, Picks.create(*places.T), rng)[0])
        true.append(np.arange(len(places)) < len(particles))
    return np.concatenate(stacks), np.concatenate(true), chain.working_diameter


def main() -> None:
    """Print a line for each species, and the seconds."""
    torch.set_num_threads(1)
    console = Console(highlight=False, width=140)
    for species in SPECIES:
        windows, true, diameter = windows_of(species)
        count = number_of_classes(len(windows))
        found = classify(windows, diameter, count, np.random.default_rng(0))
        total = np.bincount(found.label)
        share = np.bincount(found.label, true) / total
        kept = share[found.label] > 0.5
        precision = true[kept].mean()
        console.print(
            f"{species:20s} {len(windows)} picks, {count} classes: precision {true.mean():.3f}, "
            f"without junk classes {precision:.3f}; particles kept {kept[true].mean():.3f}"
        )
    many = np.concatenate([windows] * (WINDOWS // len(windows) + 1))[:WINDOWS]
    start, before = time.perf_counter(), time.process_time()
    classify(many, diameter, number_of_classes(WINDOWS), np.random.default_rng(0))
    console.print(
        f"{WINDOWS} windows of {windows.shape[1]} pixels in {number_of_classes(WINDOWS)} classes: "
        f"{time.perf_counter() - start:.1f} s, {time.process_time() - before:.1f} CPU seconds"
    )


if __name__ == "__main__":
    main()
