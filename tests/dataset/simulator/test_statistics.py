"""Simulated beside real micrographs: spectrum, grey values and signal-to-noise ratio."""

from dataclasses import replace

import pytest

from deepcryopicker.dataset.simulated import true_particles
from deepcryopicker.dataset.simulator.micrographs.plans import plan
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.images.reader import read_micrograph
from tests.bench.micrograph_statistics import describe

DIAMETERS = {
    **{"apoferritin": 60.0, "beta_galactosidase": 108.0, "klh": 150.0, "ribosome": 92.0},
    **{"rings": 18.0, "groel_stain": 11.0, "nothing": 14.0},
}
MARGIN = {"beta_galactosidase": 100}  # pixels, invalid
MICROGRAPHS = 160
LARGEST = 2.0
"""Largest distance in any statistic; one is what differs between micrographs of a session, such as
a factor of two in power (`Statistics.distances`)."""


@pytest.fixture(scope="module")
def simulated():
    found = []
    for seed in range(MICROGRAPHS):
        micrograph, diameter = simulate_any(12, seed), plan(seed).conditions.diameter
        found.append(describe(micrograph.image, diameter, true_particles(micrograph)))
    return found


def real(folder, name):
    """Statistics of up to eight real micrographs of a dataset."""
    for path in sorted((folder / name / "micrographs").iterdir())[:8]:
        truth = folder / name / "coordinates" / f"{path.stem}.csv"
        image = read_micrograph(path).image
        places = read_picks(truth) if truth.is_file() else None
        if margin := MARGIN.get(name):
            image = image[margin:-margin, margin:-margin]
            places = places and replace(places, x=places.x - margin, y=places.y - margin)
        yield path.stem, describe(image, DIAMETERS[name], places)


@pytest.mark.real
@pytest.mark.thorough
@pytest.mark.parametrize("name", DIAMETERS)
def test_every_real_micrograph_has_a_simulated_neighbour(name, real_data, simulated):
    far = {}
    for stem, one in real(real_data, name):
        others = [
            other
            for other in simulated
            if one.signal_to_noise is None or other.signal_to_noise is not None
        ]
        nearest = min((one.distances(other) for other in others), key=lambda d: max(d.values()))
        if max(nearest.values()) > LARGEST:
            far[stem] = nearest
    assert not far


def test_statistics_find_what_differs():
    micrograph, diameter = simulate_any(12, 3), plan(3).conditions.diameter
    places = true_particles(micrograph)
    before = describe(micrograph.image, diameter, places)
    assert max(before.distances(before).values()) == 0
    inverted = describe(255 - micrograph.image, diameter, places)
    assert inverted.distances(before)["skewness"] == pytest.approx(4 * abs(before.skewness))
    clipped = describe(micrograph.image.clip(60, 180), diameter, places)
    assert clipped.distances(before)["clipped"] > 1
