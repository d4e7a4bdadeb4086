"""A sheet of class averages with their numbers of picks and resolutions."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from deepcryopicker.plots.tiles import WHITE, Colour, Rgb, Tile, grid, to_rgb, write_picture
from deepcryopicker.types import Image

_SIDE = 128  # pixels of a tile
COLUMNS = 8
_GREY: Colour = (150, 150, 150)
_RANGE = (0.5, 99.5)  # percentiles of an average that are shown black and white


def draw_average(average: Image, side: int) -> Rgb:
    """Draw an average (S, S), particles white, as grey values (side, side) uint8."""
    low, high = np.percentile(average, _RANGE)
    grey = np.clip((average - low) / max(high - low, 1e-9), 0.0, 1.0)
    large = cv2.resize(grey, (side, side), interpolation=cv2.INTER_CUBIC)
    return (np.clip(large, 0.0, 1.0) * 255).astype(np.uint8)


def save_class_sheet(
    path: Path, averages: Image, counts: Sequence[int], notes: Sequence[str], dim: Sequence[bool]
) -> None:
    """Draw class averages, particles white.

    Parameters
    ----------
    path : Path
        PNG to write.
    averages : (K, S, S) float32
        Particles positive.
    counts : sequence of K int
        Picks of each class.
    notes : sequence of K str
        Shown beside the count.
    dim : sequence of K bool
        Whether the title is grey.
    """
    tiles: list[Tile] = []
    each = zip(averages, counts, notes, dim, strict=True)
    for number, (average, count, note, is_dim) in enumerate(each, 1):
        picture = draw_average(average, _SIDE)
        colour = _GREY if is_dim else WHITE
        tiles.append(([(f"{number}: {count} {note}".rstrip(), colour)], to_rgb(picture)))
    write_picture(path, grid(tiles, min(COLUMNS, len(tiles))))
