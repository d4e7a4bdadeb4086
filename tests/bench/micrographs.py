"""Write micrographs as MRC: ``micrographs.py FOLDER MOST [SIDE]``; prints facts as JSON.

The real beta-galactosidase set, 4096 x 4096, where ``$DEEPCRYOPICKER_DATA`` has it, simulated ones
elsewhere and where a side is given.
"""

import json
import os
import sys
from pathlib import Path

import mrcfile
from omegaconf import OmegaConf

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.dataset.simulator import DOSE, KINDS, simulate
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.types import Image

REAL = "beta_galactosidase"
SIMULATED, SIDE, DISTINCT = "ribosome", 4096, 3  # of those that take seconds each to simulate


def write_mrc(path: Path, image: Image, pixel_size: float) -> None:
    """Write float32 with a pixel size in the header."""
    with mrcfile.new(path) as file:
        file.set_data(image)
        file.voxel_size = pixel_size


def write_real(folder: Path, paths: list[Path]) -> dict[str, str | float]:
    """Convert files; diameter and pixel size are those of the dataset's configuration."""
    known = OmegaConf.load(CONF_DIR / "dataset" / f"{REAL}.yaml")
    for path in paths:
        image = read_micrograph(path).image
        write_mrc(folder / f"{path.stem}.mrc", image, known.pixel_size)
    return {"source": REAL, "diameter": known.diameter, "pixel_size": known.pixel_size}


def write_simulated(folder: Path, count: int, side: int) -> dict[str, str | float]:
    """Simulate with seeds 0, 1, ..."""
    kind = KINDS[SIMULATED]
    for seed in range(count):
        image = simulate(kind, (side, side), DOSE, seed).image
        write_mrc(folder / f"simulated_{seed}.mrc", image, kind.pixel_size)
    diameter = kind.diameter / kind.pixel_size
    return {
        "source": f"simulated {SIMULATED}",
        "diameter": diameter,
        "pixel_size": kind.pixel_size,
    }


def main(folder: Path, most: int, side: int | None = None) -> None:
    """Write real ones or simulated ones."""
    folder.mkdir()
    data = Path(os.environ.get("DEEPCRYOPICKER_DATA", "")) / REAL / "micrographs"
    paths = [] if side else sorted(data.glob("*.jpg"))[:most]
    count = min(most, DISTINCT)
    facts = write_real(folder, paths) if paths else write_simulated(folder, count, side or SIDE)
    sys.stdout.write(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
