"""The fit of given coordinates to their micrographs, for each way of reading them.

python tests/bench/readings.py DATA

DATA is the folder of the datasets. A row for each dataset with coordinates: the statistic on its
first four micrographs as they are read and in other readings, whether the fault was named after the
coordinates were changed so, and the number of micrographs that were doubted although nothing was
changed, each on its own.
"""

import sys
from pathlib import Path

from rich.console import Console

from deepcryopicker.detection.blob_responses import Responses, respond_to_micrograph
from deepcryopicker.evaluation.coordinate_fit import compare_readings
from deepcryopicker.frames import AS_THEY_ARE, Reading
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.types import Image, Picks

DIAMETERS = {
    **{"apoferritin": 60.0, "beta_galactosidase": 108.0, "klh": 150.0, "ribosome": 92.0},
    **{"rings": 18.0, "groel_stain": 11.0},
}
READINGS = {
    "turned over": Reading(from_bottom=True),
    "swapped": Reading(swapped=True),
    "x 2": Reading(2.0),
    "x 4": Reading(4.0),
    "x 1/2": Reading(0.5),
    "x 1/4": Reading(0.25),
}
COMPARED = 4


def load(folder: Path) -> list[tuple[Image, Picks]]:
    """Read the micrographs of a dataset that have coordinates."""
    files = {path.stem: path for path in sorted((folder / "micrographs").iterdir())}
    truth = sorted((folder / "coordinates").glob("*.csv"))
    return [
        (read_micrograph(files[path.stem]).image, read_picks(path))
        for path in truth
        if path.stem in files
    ]


def misread(reading: Reading, places: Picks, image: Image) -> Picks:
    """Return the places as a file holds them that has to be read so."""
    height, width = image.shape
    turned = Reading(from_bottom=reading.from_bottom).apply(places, (height, width))
    swapped = Reading(swapped=reading.swapped).apply(turned, (height, width))
    return Reading(1.0 / reading.scale).apply(swapped, (height, width))


def row(name: str, folder: Path, diameter: float) -> list[str]:
    """Measure one dataset."""
    loaded = load(folder)

    def seen(reading: Reading) -> list[Responses]:
        return [
            respond_to_micrograph(image, diameter, misread(reading, places, image))
            for image, places in loaded[:COMPARED]
        ]

    right = compare_readings(seen(AS_THEY_ARE), AS_THEY_ARE)
    cells = [name, str(right.places), f"{right.given.deviations:.1f}"]
    for reading in READINGS.values():
        found = compare_readings(seen(reading), AS_THEY_ARE)
        named = found.better is not None and found.better.reading == reading
        cells.append(f"{found.given.deviations:.1f}{' named' if named else ''}")
    doubted = 0
    for image, places in loaded:
        alone = [respond_to_micrograph(image, diameter, places)]
        comparison = compare_readings(alone, AS_THEY_ARE)
        doubted += comparison.better is not None or comparison.is_chance
    return [*cells, f"{doubted} of {len(loaded)}"]


def main() -> None:
    """Print the table."""
    header = ["dataset", "places", "as it is", *READINGS, "doubted"]
    console = Console(soft_wrap=True, markup=False, highlight=False)
    console.print(f"| {' | '.join(header)} |")
    console.print("|---" * len(header) + "|")
    for name, diameter in DIAMETERS.items():
        cells = row(name, Path(sys.argv[1]) / name, diameter)
        console.print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
