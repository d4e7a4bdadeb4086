"""Simulated beside real micrographs of the same kind: a page, and pairs for a reader.

python tests/bench/simulated_pages.py DATA [OUT]

DATA is the folder of the datasets, OUT (outputs/simulated_pages) that of the pictures. A row of
``page.png`` is a real crop and the three simulated ones nearest to it in spectrum, grey values and
texture, of the kinds that the real one belongs to and, where it is known, of its molecule.
``pairs/`` has 20 pairs in random order, one real and one simulated, and ``key.csv``, beside that
folder, which is which.
"""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.types import Floats, Image
from tests.bench.micrograph_statistics import ACROSS, Statistics, at_scale, describe

SIDE = 10  # of a crop, diameters
CANDIDATES = 160
BLURS = (0.15, 0.4, 1.5)
"""Standard deviations, diameters: outlines, particles, and shading are compared."""
QUANTILES = (0.5, 2, 5, 15, 30, 50, 70, 85, 95, 98, 99.5)
PAIRS = 20
PANEL = 360  # pixels


@dataclass(frozen=True)
class Match:
    """A sort of real micrographs and what it is simulated by.

    Attributes
    ----------
    pattern : str
        Of the files, below the folder of the datasets.
    diameter : float
        Pixels.
    kinds, instruments : tuple of str
    margin : int
        Of the real micrographs that is invalid, pixels.
    structure : str
        Of its particles, a file in ``structures``; empty if there is none.
    """

    pattern: str
    diameter: float
    kinds: tuple[str, ...]
    instruments: tuple[str, ...]
    margin: int = 0
    structure: str = ""


@dataclass(frozen=True)
class Candidate:
    """A simulated crop.

    Attributes
    ----------
    statistics : Statistics
    texture : (3, 11) float64
        See :func:`texture`.
    panel : (360, 360) float32
    """

    statistics: Statistics
    texture: Floats
    panel: Image


MATCHES = (
    Match(
        "apoferritin/micrographs/*",
        60,
        ("particles", "ice", "thick_ice"),
        ("counting",),
        0,
        "6pxm_10A",
    ),
    Match(
        "beta_galactosidase/micrographs/*",
        108,
        ("particles", "ice"),
        ("processed",),
        100,
        "1f4a_10A",
    ),
    Match("klh/micrographs/*", 150, ("particles", "ice"), ("any",)),
    Match("ribosome/micrographs/*", 92, ("particles", "ice"), ("any", "counting"), 0, "4v7r"),
    Match("rings/micrographs/*", 18, ("particles", "ice"), ("leginon",)),
    Match("groel_stain/micrographs/*", 11, ("stain",), ("leginon",)),
    Match("small_with_ice/micrographs/*", 12, ("contaminated",), ("leginon",)),
    Match("carbon_example/micrographs/*", 32, ("empty_contaminated",), ("counting",)),
    Match("nothing/micrographs/c2*", 14, ("empty_contaminated", "cracked"), ("leginon",)),
    Match("nothing/micrographs/c3*", 14, ("bare",), ("leginon",)),
    Match("nothing/micrographs/c4*", 14, ("crystalline",), ("leginon",)),
    Match("nothing/micrographs/c5*", 14, ("empty_ice", "empty_contaminated"), ("leginon",)),
)


def cropped(image: Image, diameter: float, rng: np.random.Generator) -> Image:
    """Cut a square of `SIDE` diameters out of an image, as stored."""
    side = int(SIDE * diameter)
    top, left = (int(rng.integers(0, max(1, length - side))) for length in image.shape)
    return image[top : top + side, left : left + side]


def panel(image: Image, diameter: float) -> Image:
    """Return a crop as it is shown: the scale of the statistics at first, equal percentiles."""
    scaled = at_scale(image, diameter)
    low, high = np.percentile(scaled, [0.5, 99.5])
    grey = np.clip(255 * (scaled - low) / max(float(high - low), 1e-12), 0, 255)
    return cv2.resize(grey, (PANEL, PANEL), interpolation=cv2.INTER_CUBIC).clip(0, 255)


def texture(image: Image, diameter: float) -> Floats:
    """Return quantiles of the standardised image under each of `BLURS`, (3, 11) float64."""
    scaled = at_scale(image, diameter)
    scaled = (scaled - scaled.mean()) / max(float(scaled.std()), 1e-12)
    blurred = [cv2.GaussianBlur(scaled, (0, 0), blur * ACROSS) for blur in BLURS]
    return np.array([np.percentile(one, QUANTILES) for one in blurred])


def candidates(match: Match, data: Path, seed: int) -> list[Candidate]:
    """Return simulated crops of the kinds of a sort, all of its molecule where that is known."""
    files = (data / "structures" / f"{match.structure}.mrc",) if match.structure else ()
    variety = Variety(match.kinds, match.instruments, files)
    rng = np.random.default_rng(seed)
    found: list[Candidate] = []
    while len(found) < CANDIDATES:
        planned = plan(seed, variety)
        if bool(files) == (planned.structure is not None):
            diameter = planned.conditions.diameter
            crop = cropped(simulate_any(SIDE + 3, seed, variety).image, diameter, rng)
            found.append(
                Candidate(describe(crop, diameter), texture(crop, diameter), panel(crop, diameter))
            )
        seed += 1
    return found


def take_nearest(real: Image, diameter: float, left: list[Candidate]) -> Image:
    """Remove the candidate nearest to a real crop, and return its panel."""
    wanted, grain = describe(real, diameter), texture(real, diameter)
    away = [
        sum(one.statistics.distances(wanted).values())
        + 3 * float(np.abs(one.statistics.spectrum - wanted.spectrum).max())
        + 4 * float(np.abs(one.texture - grain).mean())
        for one in left
    ]
    return left.pop(int(np.argmin(away))).panel


def real_crops(data: Path, match: Match, rng: np.random.Generator) -> list[Image]:
    """Return a crop of each real micrograph of a sort, in random order."""
    paths = sorted(data.glob(match.pattern))
    crops = []
    for index in rng.permutation(len(paths))[:4]:
        image = read_micrograph(paths[index]).image
        inside = slice(match.margin, -match.margin or None)
        crops.append(cropped(image[inside, inside], match.diameter, rng))
    return crops


def main() -> None:
    """Draw the page and the pairs."""
    data = Path(sys.argv[1])
    out = Path(sys.argv[2] if len(sys.argv) > 2 else "outputs/simulated_pages")
    (out / "pairs").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20)
    rows, pairs = [], []
    for number, match in enumerate(MATCHES):
        left = candidates(match, data, 1000 * number)
        for order, real in enumerate(real_crops(data, match, rng)):
            shown = panel(real, match.diameter)
            count = 3 if order == 0 else 1
            found = [take_nearest(real, match.diameter, left) for _ in range(count)]
            pairs.append((order, match.pattern, shown, found[0]))
            if order == 0:
                rows.append(np.hstack([shown, *found]))
    cv2.imwrite(str(out / "page.png"), np.vstack(rows).astype(np.uint8))
    # One pair of each sort first, then a second, until there are enough.
    pairs.sort(key=lambda pair: pair[0])
    with (out / "key.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["pair", "real", "kind"])
        for place, index in enumerate(rng.permutation(min(PAIRS, len(pairs))), 1):
            _, pattern, real, simulated = pairs[index]
            left = bool(rng.uniform() < 0.5)
            gap = np.full((PANEL, 12), 255.0)
            both = (real, gap, simulated) if left else (simulated, gap, real)
            cv2.imwrite(
                str(out / "pairs" / f"pair_{place:02d}.png"), np.hstack(both).astype(np.uint8)
            )
            table.writerow([place, "left" if left else "right", pattern.split("/")[0]])


if __name__ == "__main__":
    main()
