"""Figures of the preprocessing and of the selection of training particles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepcryopicker.evaluation.matching import HIT
from deepcryopicker.evaluation.scores import Evaluated
from deepcryopicker.frames import to_working
from deepcryopicker.io.images.pictures import read_picture
from deepcryopicker.paper.figures.candidates import cut_examples, sheet
from deepcryopicker.paper.figures.score_figures import file_name
from deepcryopicker.plots.overlays import (
    BLUE,
    CLASS_COLOURS,
    VERMILLION,
    YELLOW,
    draw_circles,
)
from deepcryopicker.plots.panels import draw_shapes, save_stages
from deepcryopicker.plots.tiles import (
    WHITE,
    Tile,
    grid,
    micrograph_tile,
    resize,
    to_rgb,
    write_picture,
)
from deepcryopicker.preprocessing import steps
from deepcryopicker.reporting.content.scored_pickers import ScoredMicrograph, ScoredPicker
from deepcryopicker.reporting.reading.run_files import read_rows
from deepcryopicker.reporting.reading.run_sources import validated_section
from deepcryopicker.types import Image, Mask, Micrograph, Picks

_TILE = 640  # longer side of a micrograph, pixels
_HALF_WIDTH = 0.9  # diameters from the particle to the edge of its crop
_ROWS, _COLUMNS = 6, 2  # of examples


@dataclass(frozen=True)
class Found:
    """Candidates of a labeler in one micrograph, read from its run folder.

    Attributes
    ----------
    group : str
    micrograph : Micrograph
    mask : (h, w) bool
    picks : Picks
        All candidates.
    good : (N,) bool
    evaluated : Evaluated or None
    """

    group: str
    micrograph: Micrograph
    mask: Mask
    picks: Picks
    good: Mask
    evaluated: Evaluated | None

    @property
    def typical(self) -> float:
        """Median diameter of the candidates, original pixels."""
        return float(np.median(self.picks.diameter))

    def tile(self) -> tuple[np.ndarray, tuple[float, float]]:
        """Draw the micrograph; return the tile and its pixels per original pixel (x, y)."""
        return micrograph_tile(self.micrograph, _TILE, self.typical)


def stages(scored_pickers: Sequence[ScoredPicker], folder: Path) -> list[Path]:
    """Draw one particle of each group after each preprocessing step (figure 10)."""
    files, groups = [], set()
    for scored in scored_pickers:
        for one in scored.micrographs:
            if one.entry is None or one.entry.group in groups or not len(one.picks):
                continue
            groups.add(one.entry.group)
            files.append(folder / f"figure_10_{file_name(one.entry.group)}.png")
            save_stages(files[-1], _around_particle(scored, one))
    return files


def masks(scored_pickers: Sequence[ScoredPicker], folder: Path) -> list[Path]:
    """Draw the particle mask and its candidates by shape (figure 11)."""
    files = []
    for found in _every_group(scored_pickers):
        tile, zoom = found.tile()
        size = tile.shape[1], tile.shape[0]
        words = [("candidates:", WHITE)]
        for name, colour in CLASS_COLOURS.items():
            members = found.picks[found.picks.label == name]
            draw_circles(tile, members, colour, zoom, found.typical, dashed=False)
            words.append((f"{len(members)} {name}", colour))
        mask = to_rgb(resize(found.mask.astype(np.uint8) * 255, size))
        files.append(folder / f"figure_11_{file_name(found.group)}.png")
        write_picture(files[-1], grid([([("particle mask", WHITE)], mask), (words, tile)], 2))
    return files


def views(
    scored_pickers: Sequence[ScoredPicker], number: int, shape: str, folder: Path
) -> list[Path]:
    """Draw candidates of a shape on mask and micrograph, with examples (figures 12, 14, 17).

    Parameters
    ----------
    scored_pickers : sequence of ScoredPicker
    number : int
        Number of the figure.
    shape : str
    folder : Path

    Returns
    -------
    list of Path
        PNG files, one for each group with such candidates.
    """
    files = []
    for found in _every_group(scored_pickers, shape):
        tile, zoom = found.tile()
        size = tile.shape[1], tile.shape[0]
        chosen = found.picks.label == shape
        picks, good = found.picks[chosen], found.good[chosen]
        working_scale = found.mask.shape[1] / found.micrograph.image.shape[1]
        shapes = draw_shapes(found.mask, picks, size, working_scale, zoom)
        draw_circles(tile, picks[~good], VERMILLION, zoom, found.typical, dashed=False)
        draw_circles(tile, picks[good], BLUE, zoom, found.typical, dashed=False)
        words = [
            (f"{shape}:", WHITE),
            (f"{good.sum()} good", BLUE),
            (f"{(~good).sum()} bad", VERMILLION),
        ]
        tiles: list[Tile] = [([("shapes on the mask", WHITE)], shapes), (words, tile)]
        files.append(folder / f"figure_{number}_{file_name(found.group)}.png")
        write_picture(files[-1], grid(tiles + _example_tiles(found, shape), 2))
    return files


def examples(
    scored_pickers: Sequence[ScoredPicker], number: int, shape: str, folder: Path
) -> list[Path]:
    """Draw single candidates of a shape with mask and outline (figures 13, 15).

    Parameters
    ----------
    scored_pickers : sequence of ScoredPicker
    number : int
        Number of the figure.
    shape : str
    folder : Path

    Returns
    -------
    list of Path
        PNG files, one for each group with such candidates.
    """
    files = []
    for found in _every_group(scored_pickers, shape):
        files.append(folder / f"figure_{number}_{file_name(found.group)}.png")
        write_picture(files[-1], grid(_example_tiles(found, shape), 2))
    return files


def beside_truth(scored_pickers: Sequence[ScoredPicker], folder: Path) -> list[Path]:
    """Draw truth, side views and top views side by side (figure 16)."""
    files = []
    for found in _every_group(scored_pickers, "side"):
        if found.evaluated is None:
            continue
        truth, good = found.evaluated.truth, found.picks[found.good]
        tiles: list[Tile] = []
        for title, picks, colour in (
            ("truth", truth, YELLOW),
            ("good side views", good[good.label == "side"], CLASS_COLOURS["side"]),
            ("good top views", good[good.label == "top"], CLASS_COLOURS["top"]),
        ):
            tile, zoom = found.tile()
            draw_circles(tile, picks, colour, zoom, found.typical, dashed=False)
            tiles.append(([(f"{len(picks)} {title}", colour)], tile))
        files.append(folder / f"figure_16_{file_name(found.group)}.png")
        write_picture(files[-1], grid(tiles, 3))
    return files


def _example_tiles(found: Found, shape: str) -> list[Tile]:
    """Draw a sheet of good and one of bad candidates: particle, mask, shape."""
    tiles: list[Tile] = []
    for title, wanted, colour in (("good", found.good, BLUE), ("bad", ~found.good, VERMILLION)):
        members = np.flatnonzero((found.picks.label == shape) & wanted)
        spread = np.linspace(0, len(members) - 1, min(_ROWS * _COLUMNS, len(members)))
        chosen = found.picks[members[np.round(spread).astype(int)]]
        crops = cut_examples(found.micrograph, found.mask, chosen)
        tiles.append(([(f"{title}: particle, mask, shape", colour)], sheet(crops, _ROWS, _COLUMNS)))
    return tiles


def _every_group(
    scored_pickers: Sequence[ScoredPicker], shape: str | None = None
) -> Iterator[Found]:
    """Yield the first micrograph of each group in which a labeler found such particles."""
    groups = set()
    for scored in scored_pickers:
        if scored.pick_set.run.command != "label":
            continue
        for one in scored.micrographs:
            if one.entry is None or one.entry.group in groups or not len(one.picks):
                continue
            if shape is not None and not (one.picks.label == shape).any():
                continue
            mask = scored.pick_set.folder / "masks" / f"{one.name}.png"
            if mask.is_file():
                groups.add(one.entry.group)
                yield _found(scored, one, mask)


def _found(scored: ScoredPicker, one: ScoredMicrograph, mask: Path) -> Found:
    assert one.entry is not None
    rows = read_rows(scored.pick_set.folder / "picks" / f"{one.name}.csv")
    good = np.array([row.get("good") == "1" for row in rows], np.bool_)
    image = read_picture(mask)
    return Found(
        one.entry.group, one.entry.load(), image > image.min(), one.picks, good, one.evaluated
    )


def _around_particle(scored: ScoredPicker, one: ScoredMicrograph) -> dict[str, Image]:
    """Crop every preprocessing step around the best-scored pick that is a hit."""
    assert one.entry is not None
    micrograph = one.entry.load()
    diameter = float(np.nanmedian(one.picks.diameter))
    height, width = micrograph.image.shape
    far = _HALF_WIDTH * diameter
    inside = (one.picks.x > far) & (one.picks.x < width - far)
    inside &= (one.picks.y > far) & (one.picks.y < height - far)
    if one.evaluated is not None:
        inside &= one.evaluated.outcome == HIT
    score = np.where(inside, one.picks.score, -np.inf)
    x, y = (float(values[score.argmax()]) for values in (one.picks.x, one.picks.y))
    config = validated_section(scored.pick_set.run, "preprocessing")
    images = {}
    for name, stage in steps.stages(micrograph, diameter, config):
        middle_x, middle_y = (round(float(to_working(at, stage.scale))) for at in (x, y))
        half = max(1, round(far * stage.scale))
        rows = slice(max(0, middle_y - half), middle_y + half + 1)
        columns = slice(max(0, middle_x - half), middle_x + half + 1)
        images[name] = stage.image[rows, columns].astype(np.float32)
    return images
