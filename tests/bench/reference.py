"""A template for RELION from our picks: ``reference.py MICROGRAPH PICKS DIAMETER OUT``."""

import sys
from pathlib import Path

import mrcfile
import numpy as np
import numpy.typing as npt

from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.types import Floats, Image

BOX = 1.5  # diameters, what is usual
BEST = 200  # picks


def rotational_average(image: npt.NDArray[np.floating]) -> Floats:
    """Replace every pixel by the mean of its ring around the middle.

    Parameters
    ----------
    image : (N, N) float
        The middle is pixel (N // 2, N // 2), as RELION has it.

    Returns
    -------
    (N, N) float64
    """
    offset = np.arange(len(image)) - len(image) // 2
    ring = np.rint(np.hypot(*np.meshgrid(offset, offset))).astype(int)
    means = np.bincount(ring.ravel(), image.ravel()) / np.bincount(ring.ravel())
    return means[ring]


def mean_window(image: Image, x: Floats, y: Floats, side: int) -> Floats:
    """Average the windows around (x, y) that lie inside the image."""
    left, top = (np.rint(position).astype(int) - side // 2 for position in (x, y))
    rows, columns = image.shape
    inside = (left >= 0) & (top >= 0) & (left <= columns - side) & (top <= rows - side)
    corners = zip(left[inside], top[inside], strict=True)
    return np.mean([image[t : t + side, c : c + side] for c, t in corners], axis=0, dtype=float)


def main(micrograph: Path, coordinates: Path, diameter: float, path: Path) -> None:
    """Write the average of the best picks, its background at 0 and its deviation 1."""
    read = read_micrograph(micrograph)
    picks = read_picks(coordinates)
    best = picks[np.argsort(-picks.score)[:BEST]]
    average = mean_window(read.image, best.x, best.y, 2 * round(BOX * diameter / 2))
    average = rotational_average(average)
    average = (average - average[0].mean()) / average.std()
    with mrcfile.new(path) as file:
        file.set_data(average[None].astype(np.float32))
        file.set_image_stack()
        file.voxel_size = read.pixel_size


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]))
