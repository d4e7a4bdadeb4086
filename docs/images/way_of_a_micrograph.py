"""Draw docs/images/way_of_a_micrograph.png: one simulated micrograph through the pipeline.

python docs/images/way_of_a_micrograph.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from hydra import compose, initialize_config_dir
from matplotlib import pyplot as plt
from omegaconf import OmegaConf
from PIL import Image as PillowImage

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.registry import register
from deepcryopicker.dataset.simulator import DOSE, KINDS, simulate
from deepcryopicker.detection.windows import cut
from deepcryopicker.frames import to_working
from deepcryopicker.labeler import interface
from deepcryopicker.model.weights import GENERAL, load_weights
from deepcryopicker.picker import dense
from deepcryopicker.picker.scanning.scan import build_scan
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Micrograph, particle_classes

SHAPE = (640, 768)
WINDOWS = (3, 4)  # rows and columns of the sheet


def draw(path: Path) -> None:
    """Run every step on one micrograph and draw what it leaves."""
    register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        config = OmegaConf.to_object(compose("train", ["dataset=simulated"]))
    kind = KINDS["ribosome"]
    diameter = kind.diameter / kind.pixel_size
    simulated = simulate(kind, SHAPE, DOSE, seed=3)
    raw = Micrograph("simulated", Path("simulated.mrc"), simulated.image)
    preprocessed = Preprocessed(raw, diameter, config.preprocessing)
    candidates = interface.label(preprocessed, interface.learn([preprocessed], config.labeler))
    trained = load_weights(GENERAL)
    picks, scores = dense.pick(
        preprocessed.flat,
        build_scan(trained, config.picker),
        preprocessed.working_diameter,
        config.picker,
    )
    picks = picks[picks.score >= config.picker.threshold]
    windows = _sheet(preprocessed, candidates.picks[candidates.good], trained.network.window)
    probability = scores.probability[particle_classes(scores.classes)].sum(axis=0)

    figure, panels = plt.subplots(2, 3, figsize=(12, 8.4), constrained_layout=True)
    steps = (
        ("1  micrograph", "dataset/, io/images/"),
        ("2  preprocessed", "preprocessing/"),
        ("3  labels, found without labels", "labeler/"),
        ("4  training windows", "class_set/, then model/, trainer/"),
        ("5  score map", "picker/scanning/, picker/cleaning.py"),
        ("6  picks", "detection/, picker/particles.py, io/coordinates/"),
    )
    images = (raw.image, preprocessed.flat.image, raw.image, windows, probability, raw.image)
    for panel, (title, where), image in zip(panels.flat, steps, images, strict=True):
        low, high = np.percentile(image, (1, 99))
        panel.imshow(image, cmap="gray", vmin=low, vmax=high)
        panel.set_title(title, loc="left", fontsize=12)
        panel.set_xlabel(where, fontsize=10)
        panel.set_xticks([])
        panel.set_yticks([])
    good, found = candidates.good, candidates.picks
    _circles(panels[0, 2], found[good], diameter, "#56b4e9")
    _circles(panels[0, 2], found[~good], diameter, "#e69f00")
    _circles(panels[1, 2], picks, diameter, "#56b4e9")
    figure.savefig(path, dpi=80)
    PillowImage.open(path).convert("RGB").quantize(64).save(path, optimize=True)


def _sheet(preprocessed: Preprocessed, picks, size: int) -> np.ndarray:
    """Arrange windows around particles in a sheet."""
    flat = preprocessed.flat
    x, y = (to_working(position, flat.scale) for position in (picks.x, picks.y))
    rows, columns = WINDOWS
    windows = cut(flat.image, np.column_stack([x, y])[: rows * columns], size)
    windows = np.pad(windows, ((0, 0), (0, 1), (0, 1)), constant_values=windows.max())
    size += 1  # a white line between windows
    sheet = windows.reshape(rows, columns, size, size).swapaxes(1, 2)
    return sheet.reshape(rows * size, columns * size)


def _circles(panel, picks, diameter: float, colour: str) -> None:
    for x, y in zip(picks.x, picks.y, strict=True):
        panel.add_patch(plt.Circle((x, y), diameter / 2, fill=False, color=colour, linewidth=1))


if __name__ == "__main__":
    draw(Path(__file__).with_suffix(".png"))
