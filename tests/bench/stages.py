"""Median seconds of each stage on a simulated 4096 x 4096 micrograph: `make bench`."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import mrcfile
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table

from deepcryopicker._conf import CONF_DIR
from deepcryopicker.config import register
from deepcryopicker.dataset.simulator import DOSE, KINDS, simulate
from deepcryopicker.io.coordinates import write_csv
from deepcryopicker.io.micrographs import read_micrograph
from deepcryopicker.labeler import ibc
from deepcryopicker.model.build import build_network
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker import dense, log
from deepcryopicker.preprocessing.pipeline import preprocess
from deepcryopicker.reporting.overlays import save_overlay

RUNS = 5


def median_seconds(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        config = OmegaConf.to_object(compose("train"))
    kind = KINDS["ribosome"]
    simulated = simulate(kind, (4096, 4096), DOSE, seed=0)
    diameter = kind.diameter / kind.pixel_size
    network = build_network(config.model, 4).eval()
    trained = Trained(network, config.model, tuple(config.class_set.classes), {}, diameter, {})
    chain, working = config.preprocessing, config.preprocessing.working_diameter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "micrograph.mrc"
        with mrcfile.new(path) as file:
            file.set_data(simulated.image)
        raw = read_micrograph(path)
        seen = preprocess(raw, diameter, chain, until=chain.model_input)
        last = preprocess(raw, diameter, chain)
        picks = log.pick(seen, working, config.baseline)
        stages = {
            "read MRC": lambda: read_micrograph(path),
            "preprocess for the network": lambda: preprocess(
                raw, diameter, chain, until=chain.model_input
            ),
            "preprocess for the labeler": lambda: preprocess(raw, diameter, chain),
            "label (ibc)": lambda: ibc.label(last, working, config.labeler),
            "scan and pick (compact)": lambda: dense.pick(seen, trained, working, config.picker),
            "difference of Gaussians": lambda: log.pick(seen, working, config.baseline),
            "write CSV": lambda: write_csv(Path(folder) / "picks.csv", picks),
            "overlay": lambda: save_overlay(Path(folder) / "overlay.png", raw, picks, 0.5),
        }
        table = Table(
            title=f"4096 x 4096, {diameter:g} px particles, {torch.get_num_threads()} threads"
        )
        table.add_column("stage")
        table.add_column("median s", justify="right")
        for name, work in stages.items():
            table.add_row(name, f"{median_seconds(work):.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
