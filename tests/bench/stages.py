"""Time and memory of each stage on a simulated 4096 x 4096 micrograph, one thread: `make bench`."""

import tempfile
from pathlib import Path

import cv2
import mrcfile
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from programs import ROOT
from results import write
from timing import print_table

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.registry import register
from deepcryopicker.dataset.simulator import DOSE, KINDS, simulate
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.labeler import interface
from deepcryopicker.labeler.interface import MaskLabeler
from deepcryopicker.labeler.schema import IbcConfig
from deepcryopicker.model.build import build_network
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker import dense
from deepcryopicker.picker.scanning.scan import build_scan
from deepcryopicker.plots.overlays import draw_overlay, save_overlay
from deepcryopicker.preprocessing.preprocessed import Preprocessed


def settings(*overrides: str):
    """Compose a configuration of `train`."""
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        return OmegaConf.to_object(compose("train", list(overrides)))


def large() -> list[tuple[str, ...]]:
    """Time every stage of the default line on a large micrograph."""
    config = settings()
    kind = KINDS["ribosome"]
    simulated = simulate(kind, (4096, 4096), DOSE, seed=0)
    diameter = kind.diameter / kind.pixel_size
    network = build_network(config.model, 4).eval()
    trained = Trained(network, config.model, tuple(config.class_set.classes), {}, diameter, {})

    scan = build_scan(trained, config.picker)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "micrograph.mrc"
        with mrcfile.new(path) as file:
            file.set_data(simulated.image)
        raw = read_micrograph(path)

        def preprocessed() -> Preprocessed:
            return Preprocessed(raw, diameter, config.preprocessing)

        ready = preprocessed()
        labeler = interface.learn([ready], config.labeler)
        masks = MaskLabeler(IbcConfig(), ())
        picks = interface.pick(ready, labeler)
        working = ready.working_diameter
        return print_table(
            f"4096 x 4096, {diameter:.0f} px particles, 1 thread",
            {
                "read MRC": lambda: read_micrograph(path),
                "preprocess for the network": lambda: preprocessed().flat,
                "preprocess to the last stage": lambda: preprocessed().enhanced,
                "preprocess and label (auto)": lambda: interface.label(preprocessed(), labeler),
                "preprocess and label (ibc)": lambda: interface.label(preprocessed(), masks),
                "learn the labeler, once": lambda: interface.learn(
                    [preprocessed()], config.labeler
                ),
                "scan and pick (compact)": lambda: dense.pick(
                    ready.flat, scan, working, config.picker
                ),
                "write CSV": lambda: write_csv(Path(folder) / "picks.csv", picks),
                "overlay": lambda: save_overlay(
                    Path(folder) / "overlay.png", draw_overlay(raw, picks, 0.5)
                ),
            },
        )


def matlab() -> list[tuple[str, ...]]:
    """Time the authors' chain and labeler on a micrograph of their size."""
    config = settings("preprocessing=matlab", "labeler=ibc")
    kind = KINDS["apoferritin"]
    simulated = simulate(kind, (1200, 1240), DOSE, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "micrograph.mrc"
        with mrcfile.new(path) as file:
            file.set_data(simulated.image)
        raw = read_micrograph(path)
    diameter = kind.diameter / kind.pixel_size
    masks = MaskLabeler(config.labeler, ())
    return print_table(
        "1240 x 1200, preset matlab, 1 thread",
        {
            "preprocess": lambda: Preprocessed(raw, diameter, config.preprocessing).enhanced,
            "preprocess and label (ibc)": lambda: interface.label(
                Preprocessed(raw, diameter, config.preprocessing), masks
            ),
        },
    )


if __name__ == "__main__":
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    register()
    rows = [("4096 x 4096", *row) for row in large()] + [("matlab", *row) for row in matlab()]
    header = ("case", "stage", "wall_s", "cpu_s", "extra_mib")
    write(ROOT / "outputs" / "bench" / "stages.csv", header, rows)
