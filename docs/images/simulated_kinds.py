"""Draw docs/images/simulated_kinds.png and simulated_instruments.png: micrographs of every kind.

python docs/images/simulated_kinds.py
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PillowImage

from deepcryopicker.dataset.schema import INSTRUMENTS, MICROGRAPH_KINDS
from deepcryopicker.dataset.simulator.micrographs.plans import Variety
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.types import Image

SIDE = 12  # diameters
PANEL = 200  # pixels
LEVELS = 24  # grey levels, so that the files are small
SEEDS = {
    **{"particles": (5, 8), "ice": (4, 6), "thick_ice": (6, 7), "carbon": (2, 7)},
    **{"contaminated": (4, 9), "stain": (4, 7), "empty_ice": (0, 2), "empty_carbon": (3, 8)},
    **{"empty_stain": (0, 4), "crystalline": (3, 9), "empty_contaminated": (2, 8)},
    **{"cracked": (2, 5), "bare": (3, 9), "spoiled": (1, 5)},
}
"""Two of each kind that differ."""
CAMERA = ("counting",)


def panel(variety: Variety, seed: int) -> Image:
    """Return one micrograph between its percentiles, fitted into a square panel."""
    image = simulate_any(SIDE, seed, variety).image
    low, high = np.percentile(image, (0.5, 99.5))
    grey = np.clip((image - low) / max(float(high - low), 1e-9), 0, 1)
    scale = PANEL / max(image.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    square = np.ones((PANEL, PANEL), np.float32)
    square[: size[1], : size[0]] = cv2.resize(grey, size, interpolation=how)
    return square


def draw(path: Path, titles: Sequence[str], panels: Sequence[Image], columns: int) -> None:
    """Draw the panels below their titles, row by row."""
    cells = [np.vstack([_written(title), one]) for title, one in zip(titles, panels, strict=True)]
    cells += [np.ones_like(cells[0])] * (-len(cells) % columns)
    spaced = [np.pad(cell, ((0, 6), (0, 6)), constant_values=1) for cell in cells]
    rows = [np.hstack(spaced[at : at + columns]) for at in range(0, len(spaced), columns)]
    levels = np.round(np.vstack(rows) * (LEVELS - 1)) * (255 / (LEVELS - 1))
    PillowImage.fromarray(levels.astype(np.uint8)).save(path, optimize=True)


def _written(title: str) -> Image:
    strip = np.full((18, PANEL), 255, np.uint8)
    cv2.putText(strip, title, (1, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, 0, 1, cv2.LINE_AA)
    return strip.astype(np.float32) / 255


def main() -> None:
    """Draw two micrographs of every kind, and one of every instrument."""
    folder = Path(__file__).parent
    kinds = [kind for kind in MICROGRAPH_KINDS for _ in SEEDS[kind]]
    shown = [
        panel(Variety((kind,), CAMERA), seed) for kind in MICROGRAPH_KINDS for seed in SEEDS[kind]
    ]
    draw(folder / "simulated_kinds.png", kinds, shown, 4)
    seen = [panel(Variety(("ice",), (name,)), 106) for name in INSTRUMENTS]
    draw(folder / "simulated_instruments.png", INSTRUMENTS, seen, 4)


if __name__ == "__main__":
    main()
