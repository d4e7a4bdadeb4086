"""The paper's network: a dense scan beside a sliding one of equal stride, on one micrograph.

python tests/bench/scan.py RUN MICROGRAPH

RUN is a run folder of train with model=deepcryopicker. CPU seconds of this process. The sliding
scan is timed on some of its windows and extrapolated. Picks are compared in the middle of the
micrograph, in which the sliding scan classifies every window.
"""

import argparse
import resource
import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy.spatial import cKDTree

from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.model.weights import load_weights
from deepcryopicker.picker.particles import find_particles
from deepcryopicker.picker.scanning.prepare import prepare
from deepcryopicker.picker.scanning.scan import scan, slide
from deepcryopicker.picker.schema import NetworkPickerConfig
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Picks

BATCHES = (1, 8, 32, 128)
WINDOWS = 128
REPEATS = 3


def cpu_seconds(work: Callable[[], object]) -> float:
    """Median CPU seconds of a few calls."""
    taken = []
    for _ in range(REPEATS):
        before = resource.getrusage(resource.RUSAGE_SELF)
        work()
        after = resource.getrusage(resource.RUSAGE_SELF)
        taken.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return statistics.median(taken)


def share_of_equal_picks(one: Picks, other: Picks, within: float) -> float:
    """Share of the picks of both that have a pick of the other within a distance."""
    if not len(one) or not len(other):
        return float(len(one) == len(other))
    a, b = (np.column_stack([picks.x, picks.y]) for picks in (one, other))
    found = [cKDTree(b).query(a)[0] <= within, cKDTree(a).query(b)[0] <= within]
    return float(np.concatenate(found).mean())


def main() -> None:
    """Print a row for each stride and precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("micrograph", type=Path)
    parser.add_argument("--strides", type=int, nargs="+", default=[16, 8])
    parser.add_argument("--precisions", nargs="+", default=["auto"])
    parser.add_argument("--tile", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--middle", type=int, default=100_000, help="its side; default all")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    trained = load_weights(given.run)
    chain = PreprocessingConfig(**trained.preprocessing)
    preprocessed = Preprocessed(read_micrograph(given.micrograph), trained.diameter, chain)
    image, diameter = preprocessed.flat.image, preprocessed.working_diameter
    top, left = (max(size - given.middle, 0) // 2 for size in image.shape)
    middle = image[top : top + given.middle, left : left + given.middle]
    config = NetworkPickerConfig()
    table = Table(title=f"{image.shape[1]} x {image.shape[0]} working pixels, CPU seconds")
    for heading in ("precision", "stride", "windows", "sliding, batch 1", "sliding, best batch"):
        table.add_column(heading, justify="right")
    for heading in ("dense", "ratio to batch 1", "to best", "picks", "equal picks"):
        table.add_column(heading, justify="right")

    for precision in given.precisions:
        whole = prepare(trained.network, precision=precision)
        for stride in given.strides:
            network = prepare(trained.network, precision=precision, stride=stride)

            def dense(part, network=network):
                return scan(network, part, trained.classes, given.tile)

            def sliding(part, batch, padding="reflect", whole=whole, stride=stride):
                return slide(whole, part, trained.classes, stride, batch, padding)

            count = dense(image).probability[0].size
            seconds = cpu_seconds(lambda work=dense: work(image))
            some = image[: whole.window, : whole.window + (WINDOWS - 1) * stride]
            per_window = {
                batch: cpu_seconds(lambda b=batch, work=sliding, some=some: work(some, b, "none"))
                / WINDOWS
                for batch in BATCHES
            }
            best = min(per_window, key=lambda batch: per_window[batch])
            found = [
                find_particles(scores, diameter, config)
                for scores in (dense(middle), sliding(middle, best))
            ]
            chosen = [each[each.score >= config.threshold] for each in found]
            cells = (
                precision,
                stride,
                count,
                f"{count * per_window[1]:.0f}",
                f"{count * per_window[best]:.0f} ({best})",
                f"{seconds:.1f}",
                f"{count * per_window[1] / seconds:.1f}",
                f"{count * per_window[best] / seconds:.1f}",
                " / ".join(str(len(each)) for each in chosen),
                f"{share_of_equal_picks(*chosen, diameter / 4):.3f}",
            )
            table.add_row(*map(str, cells))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
