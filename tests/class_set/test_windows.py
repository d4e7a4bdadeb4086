"""Places of windows beside particles and without any."""

import numpy as np
from scipy.spatial.distance import cdist

from deepcryopicker.class_set import windows


def test_off_centre_places_keep_their_distances():
    rng = np.random.default_rng(0)
    particles = rng.uniform(0, 400, (80, 2))
    bad = rng.uniform(0, 400, (30, 2))
    everything = np.concatenate([particles, bad])
    places = windows.off_centre(particles, everything, (400, 400), 8, 19, rng)
    assert 20 < len(places) <= 160
    nearest = cdist(places, particles).min(axis=1)
    assert (nearest <= 19).all()
    assert (cdist(places, everything) > 0.95 * 8).all()
    assert ((places >= 0) & (places <= 399)).all()


def test_off_centre_places_of_a_lone_particle_fill_the_ring():
    rng = np.random.default_rng(0)
    lone = np.array([[200.0, 100.0]])
    places = np.concatenate(
        [windows.off_centre(lone, lone, (300, 400), 8, 19, rng) for _ in range(200)]
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
    assert windows.off_centre(none, none, (9, 9), 1, 2, rng).shape == (0, 2)


def test_empty_places_are_far_from_candidates_and_uncovered():
    rng = np.random.default_rng(1)
    candidates = rng.uniform(0, 300, (15, 2))
    covered = np.zeros((200, 300), np.float32)
    covered[:, :150] = 0.3
    places = windows.empty(candidates, covered, 18, 0.1, 50, rng)
    assert len(places) == 50
    assert (cdist(places, candidates) >= 18).all()
    assert (places[:, 0] >= 150).all()  # x is the column
    assert np.ptp(places[:, 1]) > 100


def test_empty_places_without_candidates_or_room():
    rng = np.random.default_rng(0)
    free, full = np.zeros((20, 20), np.float32), np.ones((20, 20), np.float32)
    assert len(windows.empty(np.zeros((0, 2)), free, 5, 0.1, 7, rng)) == 7
    assert windows.empty(np.zeros((3, 2)), full, 5, 0.1, 7, rng).shape == (0, 2)


def test_rotations_are_the_four_quarter_turns():
    window = np.array([[1, 2], [3, 4]], np.float32)
    found = windows.rotations(window[None])
    expected = [[[1, 2], [3, 4]], [[2, 4], [1, 3]], [[4, 3], [2, 1]], [[3, 1], [4, 2]]]
    assert found.tolist() == expected
