"""Coordinates are compared with micrographs in every reading; only a clear answer counts."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.spatial import KDTree

from deepcryopicker.detection.blob_responses import respond_to_micrograph, respond_to_picks
from deepcryopicker.evaluation.coordinate_fit import Comparison, Fit, compare_readings
from deepcryopicker.frames import AS_THEY_ARE, Reading
from deepcryopicker.types import Picks

SHAPE, DIAMETER = (420, 500), 20.0


def particles(seed, count=60, shape=SHAPE):
    """Places at least a diameter apart."""
    rng = np.random.default_rng(seed)
    kept = np.empty((0, 2))
    while len(kept) < count:
        one = rng.uniform(DIAMETER, [shape[1] - DIAMETER, shape[0] - DIAMETER])
        if np.linalg.norm(kept - one, axis=1).min(initial=np.inf) > DIAMETER:
            kept = np.vstack([kept, one])
    return Picks.create(*kept.T)


def micrograph(places, seed=0, ring=False, contrast=1.0, shape=SHAPE):
    """Dark discs, or rings, in noise as strong as they are."""
    nearest = KDTree(places.positions)
    row, column = np.mgrid[: shape[0], : shape[1]]
    distance, _ = nearest.query(np.column_stack([column.ravel(), row.ravel()]))
    distance = distance.reshape(shape) / (DIAMETER / 2)
    particle = (distance < 1) & ((distance > 0.6) | (not ring))
    noise = np.random.default_rng(seed).normal(0.0, 1.0, shape)
    return (noise - contrast * particle).astype(np.float32)


def compared(image, places, given=AS_THEY_ARE, diameter=DIAMETER):
    return compare_readings([respond_to_micrograph(image, diameter, places)], given)


def inverse(reading, places, shape=SHAPE):
    """The places as a file holds them that has to be read so."""
    height, width = shape
    if reading.from_right:
        places = replace(places, x=width - 1 - places.x)
    if reading.from_bottom:
        places = replace(places, y=height - 1 - places.y)
    if reading.swapped:
        places = replace(places, x=places.y, y=places.x)
    return Reading(1.0 / reading.scale).apply(places, shape)


@pytest.fixture(scope="module")
def taken():
    places = particles(1)
    return places, micrograph(places)


@pytest.mark.parametrize("ring", [False, True])
@pytest.mark.parametrize("contrast", [1.0, -1.0])
def test_coordinates_that_fit_stay_as_they_are(ring, contrast):
    """Whatever the particles look like, dark or bright."""
    places = particles(2)
    seen = respond_to_micrograph(micrograph(places, ring=ring, contrast=contrast), DIAMETER, places)
    comparison = compare_readings([seen], AS_THEY_ARE)
    assert comparison.better is None
    assert comparison.given.deviations > 10
    assert comparison.places == 60
    assert not comparison.is_chance


TRIED = [
    *((False, False, 2.0), (False, True, 1.0), (True, False, 1.0), (True, True, 4.0)),
    *((False, False, 0.5), (True, False, 1.5)),
]
EVERY = list(product((False, True), (False, True), (1.0, 2.0, 4.0, 0.5, 1.5)))[1:]


@pytest.mark.parametrize(
    ("swapped", "bottom", "scale"),
    [pytest.param(*one, marks=[] if one in TRIED else pytest.mark.thorough) for one in EVERY],
)
def test_the_reading_that_fits_is_found(taken, swapped, bottom, scale):
    places, image = taken
    reading = Reading(scale, swapped, bottom)
    comparison = compared(image, inverse(reading, places))
    assert comparison.better is not None
    assert comparison.better.reading == reading
    assert comparison.better.deviations > 10


def test_readings_are_found_from_any_given_one(taken):
    places, image = taken
    given = Reading(2.0, from_bottom=True)
    comparison = compared(image, places, given)
    assert comparison.given.reading == given
    assert comparison.better is not None
    assert comparison.better.reading == AS_THEY_ARE


def test_a_scale_that_is_not_round_is_found(taken):
    places, image = taken
    seen = respond_to_micrograph(image, DIAMETER, inverse(Reading(1 / 0.885), places))
    better = compare_readings([seen], AS_THEY_ARE).better
    assert better is not None
    assert better.reading.scale == pytest.approx(1 / 0.885, rel=0.005)


def test_coordinates_mirrored_or_moved_are_found(taken):
    places, image = taken
    mirrored = inverse(Reading(from_right=True), places)
    better = compared(image, mirrored).better
    assert better is not None
    assert better.reading == Reading(from_right=True)
    for moved in ((-12.0, -12.0), (-250.0, -210.0)):
        seen = respond_to_micrograph(image, DIAMETER, places.moved(*moved))
        better = compare_readings([seen], AS_THEY_ARE).better
        assert better is not None
        assert better.reading == AS_THEY_ARE
        assert abs(better.moved[0]) == pytest.approx(-moved[0], abs=5)  # half a side either way
        assert abs(better.moved[1]) == pytest.approx(-moved[1], abs=5)


def test_micrographs_vote_together():
    """Where a few places of one micrograph are not enough."""
    several = [particles(seed, count=6) for seed in range(4)]
    upside_down = [
        respond_to_micrograph(
            micrograph(places, seed), DIAMETER, inverse(Reading(from_bottom=True), places)
        )
        for seed, places in enumerate(several)
    ]
    assert compare_readings(upside_down[:1], AS_THEY_ARE).better is None
    better = compare_readings(upside_down, AS_THEY_ARE).better
    assert better is not None
    assert better.reading == Reading(from_bottom=True)


@pytest.mark.parametrize("seed", range(2))
def test_places_anywhere_are_chance_and_nothing_fits_them(taken, seed):
    seen = respond_to_micrograph(taken[1], DIAMETER, particles(seed + 10, count=80))
    comparison = compare_readings([seen], AS_THEY_ARE)
    assert comparison.better is None
    assert comparison.is_chance


def test_a_few_places_anywhere_say_nothing(taken):
    comparison = compared(taken[1], particles(20, count=9))
    assert comparison == Comparison(Fit(AS_THEY_ARE, 0.0), None, 9)
    assert not comparison.is_chance


def test_blank_micrographs_and_empty_files_have_no_vote(taken):
    places, image = taken
    blank = respond_to_micrograph(np.zeros(SHAPE, np.float32), DIAMETER, places)
    empty = respond_to_micrograph(image, DIAMETER, Picks.empty())
    alone = compare_readings([blank, empty], AS_THEY_ARE)
    assert (alone.better, alone.places, alone.is_chance) == (None, 0, False)
    turned = respond_to_micrograph(image, DIAMETER, inverse(Reading(from_bottom=True), places))
    assert compare_readings([turned, blank, empty], AS_THEY_ARE).better is not None


@pytest.mark.parametrize("diameter", [5.0, 8.0, 40.0, 120.0])
def test_a_wrong_diameter_names_no_wrong_reading(taken, diameter):
    places, image = taken
    assert compared(image, places, diameter=diameter).better is None


def test_picks_of_another_program_vote_without_a_micrograph():
    places = particles(30)
    found = places[np.arange(0, 60, 2)].joined(particles(31, count=20))
    seen = respond_to_picks(found, DIAMETER, places)
    assert compare_readings([seen], AS_THEY_ARE).better is None
    turned = respond_to_picks(found, DIAMETER, inverse(Reading(scale=2.0), places))
    better = compare_readings([turned], AS_THEY_ARE).better
    assert better is not None
    assert better.reading == Reading(scale=2.0)


def test_absurd_numbers_end_in_an_answer(taken):
    """Of damaged files; a micrograph takes no more memory for them."""
    places = Picks.create([1e300, -1e300, 5.0, *[0.0] * 20], [0.0, 1e18, 7.0, *[0.0] * 20])
    assert compared(taken[1], places).better is None
    assert compared(taken[1], particles(1), diameter=0.01).better is None
