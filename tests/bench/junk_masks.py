"""What the mask of where not to pick covers: film, ice, empty micrographs, and true particles.

python tests/bench/junk_masks.py DATA

DATA is the folder of the datasets. Masks are made at the scale of the general weights. "Elsewhere"
is what lies more than a particle diameter from the solid, precision the share of the mask on it.
The simulated micrographs are twelve of each kind, half of those with particles with a given
structure; their solid is film, contamination and missing ice into which a disc of 1.5 diameters
fits.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from unittest import mock

import cv2
import mrcfile
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from zero_shot import SETS, away_from_blobs, files, labelled

from deepcryopicker.dataset.simulator import junk
from deepcryopicker.dataset.simulator.micrographs.micrograph_kinds import KINDS_OF_MICROGRAPHS
from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.weights import GENERAL, load_weights
from deepcryopicker.picker.masking.grids import opened
from deepcryopicker.picker.masking.junk_mask import junk_mask
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Mask, Micrograph, Picks

FIRST_OF_BETA_GALACTOSIDASE = 4  # micrographs; they are large
KINDS = ("particles", "ice", "thick_ice", "carbon", "contaminated", "stain", "empty_ice")
EMPTY_KINDS = ("empty_carbon", "crystalline", "cracked", "bare")
SIDE, SEED, COUNT = 32, 9_000_000, 12  # particle diameters, -, micrographs of each kind


@dataclass
class Row:
    """Pixels and particles of a line of the table, and those of them that are masked.

    Attributes
    ----------
    solid, elsewhere, particles : list of (int, int)
        Masked and all, an entry for each micrograph.
    precise : list of (int, int)
        Pixels of the mask on solid, and all.
    area : list of float
        Masked fraction of a micrograph.
    seconds : list of float
        Processor time.
    """

    solid: list[tuple[int, int]]
    precise: list[tuple[int, int]]
    elsewhere: list[tuple[int, int]]
    particles: list[tuple[int, int]]
    area: list[float]
    seconds: list[float]

    @classmethod
    def empty(cls) -> "Row":
        return cls([], [], [], [], [], [])

    def add(self, preprocessed: Preprocessed, true: Picks, solid: Mask | None = None) -> Mask:
        """Mask a micrograph and count; `solid` (H, W) is at the scale of the mask."""
        flat, diameter = preprocessed.flat, preprocessed.working_diameter
        start = time.process_time()
        mask = junk_mask(flat.image, diameter, flat.margins)
        self.seconds.append(time.process_time() - start)
        self.area.append(float(mask.mean()))
        places = np.rint((true.positions + 0.5) * flat.scale - 0.5).astype(int)
        x, y = np.clip(places, 0, np.array(mask.shape[::-1]) - 1).T
        self.particles.append((int(mask[y, x].sum()), len(true)))
        if solid is not None:
            away = ndimage.distance_transform_edt(~solid) > diameter if solid.any() else ~solid
            self.solid.append((int(mask[solid].sum()), int(solid.sum())))
            self.precise.append((int(mask[solid].sum()), int(mask.sum())))
            self.elsewhere.append((int(mask[away].sum()), int(away.sum())))
        return mask

    def cells(self) -> list[str]:
        """Return the columns of the table."""
        shares = [
            _share(pairs) for pairs in (self.solid, self.precise, self.elsewhere, self.particles)
        ]
        worst = max((hit / count for hit, count in self.particles if count), default=np.nan)
        return [
            *shares,
            str(sum(count for _, count in self.particles)),
            "" if np.isnan(worst) else f"{100 * worst:.1f}",
            f"{100 * np.mean(self.area):.1f}",
            f"{1000 * np.median(self.seconds):.0f}",
        ]


def _share(pairs: list[tuple[int, int]]) -> str:
    masked, count = (sum(pair[index] for pair in pairs) for index in (0, 1))
    return f"{100 * masked / count:.2f}" if count else ""


def scaled(mask: Mask, shape: tuple[int, int]) -> Mask:
    """Return a mask resampled to a shape."""
    size = (shape[1], shape[0])
    return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5


def film(data: Path, diameter: float, chain: PreprocessingConfig) -> Row:
    """Mask the micrograph whose contamination is known."""
    (path,) = files(data, "carbon_example")
    truth = mrcfile.read(next((data / "carbon_example" / "masks").iterdir())) > 0.5
    preprocessed = Preprocessed(read_micrograph(path), diameter, chain)
    row = Row.empty()
    row.add(preprocessed, Picks.empty(), scaled(truth, preprocessed.flat.image.shape))
    return row


def ice_blobs(data: Path, chain: PreprocessingConfig) -> Row:
    """Mask the micrograph with large ice blobs, half a diameter round them included."""
    (path,) = files(data, "small_with_ice")
    micrograph, diameter = read_micrograph(path), 12.0
    near = away_from_blobs(micrograph.image) <= diameter / 2
    preprocessed = Preprocessed(micrograph, diameter, chain)
    row = Row.empty()
    row.add(preprocessed, Picks.empty(), scaled(near, preprocessed.flat.image.shape))
    return row


@contextmanager
def surroundings_of(kind: str) -> Iterator[list[Mask]]:
    """Keep where the simulator puts film and contamination, or leaves no ice, (H, W) each."""
    kept: list[Mask] = []
    drawn = KINDS_OF_MICROGRAPHS[kind].draw

    def draw(canvas, mass, rng):
        around = drawn(canvas, mass, rng)
        pad = int(np.ceil(canvas.diameter))
        kept.append((around.solid.occupied | (around.remaining < 0.5))[pad:, pad:])
        return around

    def draw_carbon(shape, rng):
        carbon = carbon_drawn(shape, rng)
        rows, columns = np.ogrid[: shape[0], : shape[1]]
        kept.append(carbon.depth(columns, rows) > 0)
        return carbon

    carbon_drawn = junk.draw_carbon
    changed = replace(KINDS_OF_MICROGRAPHS[kind], draw=drawn and draw)
    with (
        mock.patch.dict(KINDS_OF_MICROGRAPHS, {kind: changed}),
        mock.patch.object(junk, "draw_carbon", draw_carbon),
    ):
        yield kept


def simulated(kind: str, structures: list[Path], chain: PreprocessingConfig) -> Row:
    """Mask simulated micrographs of a kind."""
    row, variety = Row.empty(), Variety((kind,), (), structures)
    for seed in range(SEED, SEED + COUNT):
        diameter = plan(seed, variety).conditions.diameter
        with surroundings_of(kind) as kept:
            made = simulate_any(SIDE, seed, variety)
        height, width = made.image.shape
        micrograph = Micrograph(str(seed), Path(kind), made.image.astype(np.float32))
        preprocessed = Preprocessed(micrograph, diameter, chain)
        solid = scaled(kept[0][:height, :width], preprocessed.flat.image.shape)
        large = opened(solid, 0.75 * preprocessed.working_diameter)
        row.add(preprocessed, Picks.create(made.x, made.y), large)
    return row


def rows(data: Path) -> Iterator[tuple[str, Row]]:
    """Yield the lines of the table."""
    chain = chain_on(load_weights(GENERAL).preprocessing, GENERAL)
    for diameter in (24, 32, 48):
        yield f"carbon_example, {diameter} px", film(data, diameter, chain)
    yield "small_with_ice, 12 px", ice_blobs(data, chain)
    for path in files(data, "nothing"):
        row = Row.empty()
        row.add(Preprocessed(read_micrograph(path), 14.0, chain), Picks.empty())
        yield f"nothing, {path.stem[:12]}", row
    for name in SETS:
        last = FIRST_OF_BETA_GALACTOSIDASE if name == "beta_galactosidase" else None
        row = Row.empty()
        for micrograph, diameter, true, _ in islice(labelled(data, name), last):
            row.add(Preprocessed(micrograph, diameter, chain), true)
        yield f"{name}, {SETS[name]} px", row
    structures = sorted(
        path for path in (data / "structures").glob("*.mrc") if "_10A" not in path.name
    )
    for kind in (*KINDS, *EMPTY_KINDS):
        yield f"simulated {kind}", simulated(kind, structures, chain)


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    table = Table(title="masked, %")
    for column in ("", "solid", "precision", "elsewhere", "particles", "n", "worst", "area", "ms"):
        table.add_column(column, justify="right" if column else "left")
    for name, row in rows(Path(sys.argv[1])):
        table.add_row(name, *row.cells())
    Console(highlight=False, width=100).print(table)


if __name__ == "__main__":
    main()
