"""How often a wrong diameter or polarity is named, and a right one doubted.

python tests/bench/fit_doubt.py DATA

DATA is the folder of the datasets. Single micrographs of the real sets, simulated ones close to
focus in thick ice, simulated ones of other kinds, and micrographs without particles, each with the
right diameter and polarity, half and twice the diameter, and the opposite polarity. A row counts in
how many a size or the polarity is named.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from zero_shot import SETS, files, hard, labelled

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.weights import GENERAL, load_weights
from deepcryopicker.picker.schema import DenseConfig
from deepcryopicker.picker.search import build_search
from deepcryopicker.pipeline.picking.fit_doubt import fit_doubt
from deepcryopicker.types import Micrograph

KINDS = ("particles", "particles", "stain", "contaminated", "carbon", "thick_ice")
SIDE, SEED, COUNT, FEWEST = 34, 32_000_000, 25, 20
WAYS = (("as it is", 1.0, 1), ("half", 0.5, 1), ("twice", 2.0, 1), ("opposite polarity", 1.0, -1))


class InMemory(Entry):
    """An entry that is not read from its file."""

    shown: Micrograph

    def load(self) -> Micrograph:
        """Return the micrograph."""
        return self.shown


def micrographs(data: Path) -> Iterator[tuple[str, Micrograph, float]]:
    """Yield kind, micrograph and diameter."""
    for name in SETS:
        for micrograph, diameter, _, _ in islice(labelled(data, name), 4):
            yield "real", micrograph, diameter
    for structure in sorted((data / "structures").glob("*.mrc")):
        if "_10A" not in structure.name:
            micrograph, diameter, _, _ = next(iter(hard(structure)))
            yield "close to focus in thick ice", micrograph, diameter
    variety, seed, made = Variety(KINDS), SEED, 0
    while made < COUNT:
        simulated, planned = simulate_any(SIDE, seed, variety), plan(seed, variety)
        if len(simulated.x) >= FEWEST:
            made += 1
            image = simulated.image.astype(np.float32)
            diameter = planned.conditions.diameter
            yield "simulated", Micrograph(str(seed), Path(), image), diameter
        seed += 1
    for path in files(data, "nothing"):
        yield "without particles", read_micrograph(path), 14.0


def main() -> None:
    """Print a row for each kind and way."""
    torch.set_num_threads(1)
    console = Console(highlight=False, width=120)
    trained = load_weights(GENERAL)
    chain, search = chain_on(trained.preprocessing, GENERAL), build_search(trained, DenseConfig())
    counts: dict[tuple[str, str], Counter[str]] = {}
    for kind, micrograph, diameter in micrographs(Path(sys.argv[1])):
        for way, factor, sign in WAYS:
            entry = InMemory("m", Path(), "", factor * diameter)
            shown = replace(micrograph, image=sign * micrograph.image)
            object.__setattr__(entry, "shown", shown)  # entries are frozen
            doubt = fit_doubt(entry, chain, lambda _, seen: search(seen).picks)
            named = "nothing" if doubt is None else doubt.subject
            counts.setdefault((kind, way), Counter())[named] += 1
    for (kind, way), count in counts.items():
        console.print(
            f"{kind:28s} {way:18s} size named {count['size']}, polarity named "
            f"{count['polarity']}, of {count.total()}"
        )


if __name__ == "__main__":
    main()
