"""A micrograph, its score map and its cleaned score map, side by side."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from deepcryopicker.picker.particles import Surface
from deepcryopicker.plots.overlays import CLASS_COLOURS, draw_circles, typical_diameter
from deepcryopicker.plots.tiles import WHITE, Rgb, Tile, grid, micrograph_tile, write_picture
from deepcryopicker.types import Image, Micrograph, Picks, ScoreMap


def draw_score_maps(
    micrograph: Micrograph,
    scores: ScoreMap,
    scale: float,
    surfaces: Sequence[Surface],
    picks: Picks,
    threshold: float,
    tile: int = 512,
) -> Rgb:
    """Show in three tiles how a score map is turned into picks.

    Parameters
    ----------
    micrograph : Micrograph
        As read.
    scores : ScoreMap
    scale : float
        Working pixels of `scores` per original pixel.
    surfaces : sequence of Surface
        Surfaces of `scores`; of several, the highest score at each position is shown.
    picks : Picks
        Circled on the cleaned map, in the colours of their classes, if at or above the threshold.
    threshold : float
    tile : int
        Longer side of a tile, pixels.

    Returns
    -------
    (H, W, 3) uint8
        RGB. Scores are coloured from dark blue (0) to yellow (1).
    """
    typical = typical_diameter(picks, Picks.empty(), micrograph)
    original, zoom = micrograph_tile(micrograph, tile, typical)
    size = original.shape[1], original.shape[0]
    before, after = (
        _coloured(_on_tile(np.max(maps, axis=0), scores, scale, zoom, size))
        for maps in ([one.score for one in surfaces], [one.cleaned for one in surfaces])
    )
    title = [("cleaned, picks:", WHITE)]
    for name, colour in CLASS_COLOURS.items():
        chosen = picks[(picks.label == name) & (picks.score >= threshold)]
        draw_circles(after, chosen, colour, zoom, typical, dashed=False)
        title.append((f"{len(chosen)} {name}", colour))
    tiles: list[Tile] = [
        ([("micrograph", WHITE)], original),
        ([("score map, smoothed", WHITE)], before),
        (title, after),
    ]
    return grid(tiles, columns=3)


def save_score_maps(
    path: Path,
    micrograph: Micrograph,
    scores: ScoreMap,
    scale: float,
    surfaces: Sequence[Surface],
    picks: Picks,
    threshold: float,
) -> None:
    """Write :func:`draw_score_maps` as a PNG, atomically.

    Parameters
    ----------
    path : Path
        PNG to write.
    micrograph, scores, scale, surfaces, picks, threshold
        As in :func:`draw_score_maps`.
    """
    write_picture(path, draw_score_maps(micrograph, scores, scale, surfaces, picks, threshold))


def _on_tile(
    image: Image,
    scores: ScoreMap,
    scale: float,
    zoom: tuple[float, float],
    size: tuple[int, int],
) -> Image:
    """Resample a map of `scores` onto the pixels of the micrograph's tile."""
    rows = []
    for axis, factor in enumerate(zoom):
        # From a pixel of the tile via original and working pixels to a position in the map.
        step = scale / factor
        row = np.zeros(3)
        row[axis], row[2] = step / scores.stride, (0.5 * step - 0.5 - scores.offset) / scores.stride
        rows.append(row)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(image, np.array(rows), size, flags=flags, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )


def _coloured(scores: Image) -> Rgb:
    """Colour scores in order, distinguishable for the colour-blind."""
    levels = (np.clip(scores, 0.0, 1.0) * 255.0).round().astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_CIVIDIS)[:, :, ::-1])
