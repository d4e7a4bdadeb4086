"""Places of windows beside particles and without any."""

import numpy as np
from scipy.spatial.distance import cdist

from deepcryopicker.class_set import background


def test_off_centre_places_keep_their_distances():
    rng = np.random.default_rng(0)
    particles = rng.uniform(0, 400, (80, 2))
    bad = rng.uniform(0, 400, (30, 2))
    everything = np.concatenate([particles, bad])
    places, origin = background.off_centre(particles, everything, (400, 400), 8, 19, rng)
    away = np.hypot(*(places - particles[origin]).T)
    assert ((away >= 8) & (away <= 19)).all()
    assert 20 < len(places) <= 160
    nearest = cdist(places, particles).min(axis=1)
    assert (nearest <= 19).all()
    assert (cdist(places, everything) > 0.95 * 8).all()
    assert ((places >= 0) & (places <= 399)).all()


def test_off_centre_places_of_a_lone_particle_fill_the_ring():
    rng = np.random.default_rng(0)
    lone = np.array([[200.0, 100.0]])
    places = np.concatenate(
        [background.off_centre(lone, lone, (300, 400), 8, 19, rng)[0] for _ in range(200)]
    )
    assert len(places) == 400
    distance = np.hypot(*(places - lone).T)
    assert distance.min() >= 8
    assert distance.max() <= 19
    assert np.ptp(distance) > 10
    np.testing.assert_allclose(places.mean(axis=0), lone[0], atol=2)


def test_no_particles_no_off_centre_places():
    none = np.zeros((0, 2))
    rng = np.random.default_rng(0)
    places, origin = background.off_centre(none, none, (9, 9), 1, 2, rng)
    assert (places.shape, len(origin)) == ((0, 2), 0)


def test_places_between_particles_that_nearly_touch():
    particles = np.array([[50.0, 50.0], [70.0, 50.0], [70.0, 80.0], [200.0, 50.0]])
    places, either = background.between(particles, particles, 6, 12)
    np.testing.assert_allclose(places, [[60, 50]])  # the others are too far apart
    assert set(either) <= {0, 1}
    assert len(background.between(particles, particles, 11, 12)[0]) == 0  # they are too close
    third = np.append(particles, [[60.0, 52.0]], axis=0)
    assert len(background.between(particles, third, 6, 12)[0]) == 0  # something is there


def test_places_between_particles_are_those_of_every_pair():
    rng = np.random.default_rng(2)
    particles = rng.uniform(0, 200, (60, 2))
    places, either = background.between(particles, particles, 6, 12)
    distance = cdist(particles, particles)
    middle = (particles[:, None] + particles) / 2
    alone = np.array([[cdist([m], particles).min() for m in row] for row in middle]) > 0.95 * 6
    expected = middle[np.triu((distance <= 24) & alone, 1)]
    assert len(expected) > 5
    np.testing.assert_allclose(sorted(places.tolist()), sorted(expected.tolist()))
    other = 2 * places - particles[either]  # on the far side there is the second of the two
    np.testing.assert_allclose(cdist(other, particles).min(axis=1), 0, atol=1e-9)


def test_no_particles_nothing_between():
    none = np.zeros((0, 2))
    places, either = background.between(none, none, 1, 2)
    assert (places.shape, len(either)) == ((0, 2), 0)


def test_empty_places_are_far_from_candidates():
    rng = np.random.default_rng(1)
    candidates = rng.uniform(0, 300, (15, 2))
    places = background.far_from(rng.uniform(0, 300, (2000, 2)), candidates, 18, 50, rng)
    assert len(places) == 50
    assert (cdist(places, candidates) >= 18).all()
    assert (np.ptp(places, axis=0) > 200).all()


def test_empty_places_without_candidates_or_space():
    rng = np.random.default_rng(0)
    none = np.zeros((0, 2))
    assert len(background.far_from(rng.uniform(0, 20, (99, 2)), none, 5, 7, rng)) == 7
    assert background.far_from(none, rng.uniform(0, 20, (3, 2)), 5, 7, rng).shape == (0, 2)
